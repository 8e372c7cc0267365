"""Thumbnails and previews: made in a confined process, of files that may do what they like."""

import io
import os
import subprocess
import time
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
)
from recorder_sync.media.video import describe
from recorder_sync.model import Kind, Media
from recorder_sync.preview_settings import Previews
from tests.conftest import MediaFiles

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


@pytest.mark.parametrize("content", [b"", b"no film", b"\0\0\0\x18ftypmp42" + bytes(500)])
def test_promise_9_a_damaged_file_costs_only_itself(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "damaged.mp4"
    path.write_bytes(content)
    for work in (
        thumbnail(Media(Kind.VIDEO), SETTINGS),
        thumbnail(Media(Kind.PHOTO), SETTINGS),
        preview(Kind.VIDEO, SETTINGS),
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
