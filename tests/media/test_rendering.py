"""Thumbnails and previews: made in a confined process, of files that may do what they like."""

import io
import itertools
import json
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from recorder_sync.media.rendering import (
    NotRendered,
    Work,
    preview,
    preview_type,
    render,
    thumbnail,
    track,
)
from recorder_sync.media.track import MOST_POINTS, points_in
from recorder_sync.media.video import describe
from recorder_sync.model import Kind, Media
from recorder_sync.preview_settings import Previews
from tests.conftest import MediaFiles
from tests.web.evidence import with_text

SETTINGS = Previews()


def made(path: Path, work: Work | None, text: str | None = None) -> bytes:
    assert work is not None
    handle = os.open(path, os.O_RDONLY)
    try:
        return b"".join(render(handle, work, SETTINGS.memory_limit_mib, text=text))
    finally:
        os.close(handle)


def size_of(content: bytes) -> tuple[int, int]:
    with Image.open(io.BytesIO(content)) as image:
        image.load()
        return image.size


def test_video_photo_and_sound_get_a_picture(media_files: MediaFiles, tmp_path: Path) -> None:
    for path in (media_files.video, media_files.audio):
        media = describe(os.fsencode(path), "ffprobe")
        assert max(size_of(made(path, thumbnail(media, SETTINGS)))) == 480
    assert size_of(made(media_files.photo, thumbnail(Media(Kind.PHOTO), SETTINGS))) == (320, 240)
    import pillow_heif

    pillow_heif.register_heif_opener()
    heic = tmp_path / "p.heic"
    Image.linear_gradient("L").convert("RGB").resize((2400, 1200)).save(heic)
    assert size_of(made(heic, thumbnail(Media(Kind.PHOTO), SETTINGS))) == (480, 240)
    assert thumbnail(Media(Kind.OTHER), SETTINGS) is None


def test_a_preview_is_what_browsers_play_and_has_a_mark_where_it_is_handed_out(
    media_files: MediaFiles, tmp_path: Path
) -> None:
    plain = made(media_files.video, preview(Kind.VIDEO, SETTINGS))
    marked = made(media_files.video, preview(Kind.VIDEO, SETTINGS, marked=True), "预览 PREVIEW")
    told: list[float] = []
    handle = os.open(media_files.video, os.O_RDONLY)
    work = preview(Kind.VIDEO, SETTINGS)
    assert work is not None
    assert b"".join(render(handle, work, SETTINGS.memory_limit_mib, told.append))
    os.close(handle)
    assert max(told) >= 1.9, "how far it is was told"
    pictures = []
    for name, content in (("plain.mp4", plain), ("marked.mp4", marked)):
        (tmp_path / name).write_bytes(content)
        media = describe(os.fsencode(tmp_path / name), "ffprobe")
        assert (media.codec, media.audio_codec, media.problem) == ("h264", "aac", None)
        first = made(tmp_path / name, thumbnail(replace(media, duration_s=None), SETTINGS))
        with Image.open(io.BytesIO(first)) as image:
            pictures.append(image.convert("L").crop((0, 0, image.width, image.height // 8)))
    changed = sum(abs(a - b) > 60 for a, b in zip(*(p.tobytes() for p in pictures), strict=True))
    assert changed > 200, "the text stands in the picture"
    assert preview_type(Kind.OTHER) is None


def test_sound_that_no_browser_plays_gets_a_preview_with_a_mark_in_its_title(
    media_files: MediaFiles, tmp_path: Path
) -> None:
    spoken = tmp_path / "note.wav"
    coding = ("-c:a", "adpcm_ima_wav", "-metadata", "title=as found", str(spoken))
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-i", media_files.audio, *coding], check=True
    )
    assert describe(os.fsencode(spoken), "ffprobe").codec == "adpcm_ima_wav"
    text = "预览 {source} PREVIEW · 王芳"
    for marked, title in ((False, None), (True, text)):
        content = made(spoken, preview(Kind.AUDIO, SETTINGS, marked=marked), text)
        (tmp_path / "preview.m4a").write_bytes(content)
        media = describe(os.fsencode(tmp_path / "preview.m4a"), "ffprobe")
        assert (media.kind, media.codec, media.problem) == (Kind.AUDIO, "aac", None)
        assert media.duration_s == pytest.approx(2.0, abs=0.2)
        assert media.tags.get("title") == title


@pytest.mark.parametrize(
    ("name", "codec", "text"),
    [
        ("film.mp4", "mov_text", "2026-11-23 10:00:{n:02d} N38.{n:04d} E114.5149 0031"),
        ("film.mov", "mov_text", "lat: 38.{n:04d}\nlon: 114.5149"),
        ("film.mkv", "srt", "<b>北纬38.{n:04d} 东经114.5149</b>"),
    ],
)
def test_art_29_the_positions_in_a_films_text_are_taken_out(
    name: str, codec: str, text: str, media_files: MediaFiles, tmp_path: Path
) -> None:
    texts = ["ZFY0031", *(text.format(n=n) for n in range(1, 61)), "no fix"]
    film = with_text(tmp_path / name, media_files.video, texts, codec)
    found = json.loads(made(film, track(Kind.VIDEO, SETTINGS)))
    assert found["cut"] is False
    assert [round(one[0]) for one in found["points"]] == list(range(1, 61))
    expected = [[38 + n / 10_000, 114.5149] for n in range(1, 61)]
    assert [one[1:] for one in found["points"]] == [pytest.approx(one) for one in expected]


def test_a_film_without_positions_has_no_track(media_files: MediaFiles, tmp_path: Path) -> None:
    titled = with_text(tmp_path / "titled.mp4", media_files.video, ["第一条", "38.0, 114.5"])
    for film in (media_files.video, media_files.audio, titled):
        with pytest.raises(NotRendered, match="no timed text in it tells of positions"):
            made(film, track(Kind.VIDEO, SETTINGS))
    assert track(Kind.AUDIO, SETTINGS) is None


def test_promise_8_a_text_without_end_gives_so_many_points_and_no_more() -> None:
    """As SubRip of a hostile film: endless, backwards, with lines and texts of any length."""

    def lines() -> Iterator[str]:
        for n in itertools.count():
            yield f"{n // 36_000:02d}:{n // 600 % 60:02d}:{n // 10 % 60:02d},{n % 10}00 --> 99:"
            yield f"N38.0 E114.5{'x' * (5000 if n % 100 == 0 else 1)}"
            yield "00:00:00,000 --> 00:00:01,000"
            yield "N1.0 E1.0"

    points = list(points_in(lines()))
    assert len(points) == MOST_POINTS
    assert [second for second, _, _ in points] == sorted({second for second, _, _ in points})
    assert {latitude for _, latitude, _ in points[1:]} == {38.0}


@pytest.mark.parametrize("content", [b"", b"no film", b"\0\0\0\x18ftypmp42" + bytes(500)])
def test_promise_9_a_damaged_file_costs_only_itself(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "damaged.mp4"
    path.write_bytes(content)
    for work in (
        thumbnail(Media(Kind.VIDEO), SETTINGS),
        thumbnail(Media(Kind.PHOTO), SETTINGS),
        preview(Kind.VIDEO, SETTINGS),
        track(Kind.VIDEO, SETTINGS),
    ):
        with pytest.raises(NotRendered):
            made(path, work)


def test_promise_8_a_picture_that_would_fill_the_memory_is_given_up(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (12_000, 12_000)).save(path)
    with pytest.raises(NotRendered):
        made(path, thumbnail(Media(Kind.PHOTO), SETTINGS))


def test_what_takes_too_long_or_grows_too_large_is_given_up(media_files: MediaFiles) -> None:
    work = preview(Kind.VIDEO, SETTINGS)
    assert work is not None
    begin = time.monotonic()
    with pytest.raises(NotRendered, match="longer"):
        made(media_files.video, replace(work, limit_s=0.05))
    assert time.monotonic() - begin < 10
    with pytest.raises(NotRendered, match="More came of it"):
        made(media_files.video, replace(work, largest=1000))


def test_promise_8_no_file_is_written_or_named_by_a_playlist(
    media_files: MediaFiles, tmp_path: Path
) -> None:
    """A list that names another file, as a card may hold it, is not followed."""
    listed = tmp_path / "list.mp4"
    listed.write_text(f"ffconcat version 1.0\nfile '{media_files.video}'\n", encoding="utf-8")
    with pytest.raises(NotRendered):
        made(listed, preview(Kind.VIDEO, SETTINGS))
    target = tmp_path / "written"
    into_file = Work(
        ("ffmpeg", "/usr/bin/ffmpeg", "-nostdin", "-i", "file:/proc/self/fd/{source}",
         "-f", "mpegts", str(target)), 30.0, 1 << 20,
    )  # fmt: skip
    with pytest.raises(NotRendered):
        made(media_files.video, into_file)
    assert not target.exists()


def test_nobody_is_left_running_when_it_is_broken_off(media_files: MediaFiles) -> None:
    endless = Work(
        ("ffmpeg", "/usr/bin/ffmpeg", "-nostdin", "-v", "error", "-stream_loop", "-1", "-i",
         "file:/proc/self/fd/{source}", "-f", "mpegts", "pipe:1"), 60.0, 1 << 40,
    )  # fmt: skip
    handle = os.open(media_files.video, os.O_RDONLY)
    pieces = render(handle, endless, SETTINGS.memory_limit_mib)
    next(pieces)
    (child,) = (
        line.split()[0]
        for line in subprocess.run(
            ["ps", "--ppid", str(os.getpid()), "-o", "pid=,args="],
            capture_output=True, text=True, check=True,
        ).stdout.splitlines()
        if "stream_loop" in line
    )  # fmt: skip
    pieces.close()
    os.close(handle)
    assert not Path(f"/proc/{child}").exists()


def told_by(script: str, path: Path, limit_s: float = 30.0) -> str:
    """Return what a program says of itself that stands in the place of ffmpeg."""
    return made(path, Work(("ffmpeg", "/bin/sh", "-c", script), limit_s, 1 << 20)).decode()


def test_promise_8_whatever_reads_a_recording_has_no_rights_and_narrow_limits(
    media_files: MediaFiles,
) -> None:
    said = told_by("cat /proc/self/status /proc/self/limits", media_files.video, limit_s=7.0)
    lines = {
        line.split("  ")[0].split("\t")[0].strip(": "): line.split() for line in said.splitlines()
    }
    assert lines["Seccomp"][1] == "2"
    assert lines["NoNewPrivs"][1] == "1"
    assert lines["Max file size"][3:5] == ["0", "0"]
    assert lines["Max core file size"][4:6] == ["0", "0"]
    assert lines["Max cpu time"][3:5] == ["7", "7"]
    assert lines["Max open files"][3:5] == ["64", "64"]
    assert lines["Max address space"][3:5] == [str(SETTINGS.memory_limit_mib << 20)] * 2


def test_promise_8_whatever_reads_a_recording_inherits_nothing_of_ours(
    media_files: MediaFiles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RECORDER_SYNC_SECRET", "of ours")
    with open(tmp_path / "ours", "wb") as ours:
        os.set_inheritable(ours.fileno(), True)
        said = told_by("readlink /proc/$$/fd/*; env; pwd", media_files.video)
    assert str(media_files.video) in said
    assert str(tmp_path / "ours") not in said
    assert "RECORDER_SYNC" not in said
    assert said.splitlines()[-1] == "/"


def test_promise_8_a_photo_is_decoded_within_the_same_limits(tmp_path: Path) -> None:
    path = tmp_path / "large.png"
    Image.new("RGB", (7_000, 7_000)).save(path)
    work = thumbnail(Media(Kind.PHOTO), SETTINGS)
    assert work is not None
    handle = os.open(path, os.O_RDONLY)
    try:
        with pytest.raises(NotRendered, match=r"(?i)memory|allocate"):
            b"".join(render(handle, work, 256))
        assert b"".join(render(handle, work, SETTINGS.memory_limit_mib))
    finally:
        os.close(handle)
