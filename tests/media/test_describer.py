"""What a file says of itself, and that hostile files cost only themselves (promise 8).

With the real ffprobe, Pillow and libheif, in the real confined processes.
"""

import ctypes
import os
import random
import struct
import subprocess
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pillow_heif
import psutil
import pytest
from PIL import ExifTags, Image

from recorder_sync.config import Media as MediaSettings
from recorder_sync.errors import MissingPart
from recorder_sync.media.describer import Describer
from recorder_sync.model import Flag, Kind, Media, Position
from tests.conftest import MediaFiles


@pytest.fixture(scope="module")
def describer() -> Iterator[Describer]:
    with closing(Describer(MediaSettings(processes=1))) as one:
        yield one


def ffmpeg(path: Path, *arguments: str) -> Path:
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments, str(path)], check=True)
    return path


def noise(seconds: float = 2.0) -> tuple[str, ...]:
    """Return ffmpeg's arguments for a picture that does not compress well."""
    source = f"testsrc2=size=320x240:rate=10:duration={seconds}"
    return ("-f", "lavfi", "-i", source, "-c:v", "mpeg4", "-q:v", "2")


def cut(source: Path, share: float, to: Path) -> Path:
    data = source.read_bytes()
    to.write_bytes(data[: int(len(data) * share)])
    return to


def described(describer: Describer, path: Path, kind: Kind | None = Kind.VIDEO) -> Media:
    (media,) = describer.describe([(os.fsencode(path), kind)])
    return media


# Video and audio.


def test_a_video_tells_its_streams_size_and_length(
    describer: Describer, media_files: MediaFiles
) -> None:
    media = described(describer, media_files.video)
    assert media.kind is Kind.VIDEO
    assert (media.codec, media.audio_codec) == ("mpeg4", "aac")
    assert (media.width, media.height, media.frame_rate) == (320, 240, 10.0)
    assert media.duration_s == pytest.approx(2.0, abs=0.1)
    assert media.container is not None
    assert "mp4" in media.container
    assert (media.problem, media.detail) == (None, None)


def test_art_3_the_start_is_kept_as_the_file_writes_it(
    describer: Describer, media_files: MediaFiles
) -> None:
    media = described(describer, media_files.video)
    assert media.started == "2026-11-23T08:00:00.000000Z"
    assert media.tags["creation_time"] == media.started
    assert described(describer, media_files.other_video).started is None


def test_art_29_a_position_in_a_video_is_kept(
    describer: Describer, media_files: MediaFiles
) -> None:
    assert described(describer, media_files.video).position == Position(38.0423, 114.5149)
    assert described(describer, media_files.other_video).position is None


def test_tags_that_a_maker_invented_are_kept_with_their_values(
    describer: Describer, tmp_path: Path
) -> None:
    path = ffmpeg(
        tmp_path / "tagged.mp4",
        *noise(1),
        *("-movflags", "use_metadata_tags", "-metadata", "DeviceNo=0031"),
        *("-metadata", "police_no=李明", "-metadata", "make=HIKVISION", "-metadata", "model=D1"),
    )
    media = described(describer, path)
    assert media.tags["deviceno"] == "0031"
    assert media.tags["police_no"] == "李明"
    assert (media.make, media.model) == ("HIKVISION", "D1")


def test_an_audio_note_has_a_codec_and_a_length_and_no_picture(
    describer: Describer, media_files: MediaFiles
) -> None:
    media = described(describer, media_files.audio, Kind.AUDIO)
    assert media.kind is Kind.AUDIO
    assert (media.codec, media.audio_codec) == ("pcm_s16le", "pcm_s16le")
    assert (media.width, media.height, media.frame_rate) == (None, None, None)
    assert media.duration_s == pytest.approx(2.0, abs=0.01)
    assert media.problem is None


def test_the_content_decides_the_kind_whatever_the_name_says(
    describer: Describer, media_files: MediaFiles, tmp_path: Path
) -> None:
    path = tmp_path / "sound.mp4"
    path.write_bytes(media_files.audio.read_bytes())
    assert described(describer, path).kind is Kind.AUDIO


@pytest.mark.parametrize("name", [b"\xb2\xe2\xff.mp4", b"-i.mp4", b"http:a.mp4", b"a\nb .mp4"])
def test_a_file_of_any_name_is_described(
    name: bytes, describer: Describer, media_files: MediaFiles, tmp_path: Path
) -> None:
    path = os.fsencode(tmp_path) + b"/" + name
    with open(path, "wb") as file:
        file.write(media_files.other_video.read_bytes())
    (media,) = describer.describe([(path, Kind.VIDEO)])
    assert media.codec == "mpeg4"


# Photos.


def photo(path: Path, set_: Callable[[Image.Exif], None] | None = None, **options: Any) -> Path:
    exif = Image.Exif()
    if set_:
        set_(exif)
    Image.effect_noise((320, 240), 80).save(path, exif=exif, **options)
    return path


def gps(
    exif: Image.Exif, latitude: str, longitude: str, values: dict[int, Any] | None = None
) -> None:
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {1: latitude, 2: (38.0, 30.0, 0.0), 3: longitude, 4: (114.0, 15.0, 0.0), **(values or {})}
    )


def test_a_photo_tells_its_size_time_and_position(
    describer: Describer, media_files: MediaFiles
) -> None:
    media = described(describer, media_files.photo, Kind.PHOTO)
    assert media.kind is Kind.PHOTO
    assert (media.codec, media.width, media.height) == ("jpeg", 320, 240)
    assert media.started == "2026:11:23 16:30:00"
    assert media.position == Position(38.0423056, 114.5148889)
    assert media.make == "SIMULATED"
    assert (media.duration_s, media.problem) == (None, None)


def test_a_photo_that_is_gone_costs_none_of_those_it_was_asked_with(
    describer: Describer, media_files: MediaFiles, tmp_path: Path
) -> None:
    gone = tmp_path / "gone.jpg"
    paths = [media_files.photo, gone, photo(tmp_path / "b.jpg", lambda _: None)]
    first, second, third = describer.describe([(os.fsencode(p), Kind.PHOTO) for p in paths])
    assert (first.problem, third.problem) == (None, None)
    assert second.problem is Flag.UNREADABLE


def test_south_and_west_are_negative(describer: Describer, tmp_path: Path) -> None:
    path = photo(tmp_path / "a.jpg", lambda exif: gps(exif, "S", "W"))
    assert described(describer, path, Kind.PHOTO).position == Position(-38.5, -114.25)


def test_promise_7_a_position_that_the_camera_did_not_know_is_absent(
    describer: Describer, tmp_path: Path
) -> None:
    def zero(exif: Image.Exif) -> None:
        exif.get_ifd(ExifTags.IFD.GPSInfo).update({2: (0.0, 0.0, 0.0), 4: (0.0, 0.0, 0.0)})

    assert described(describer, photo(tmp_path / "a.jpg", zero), Kind.PHOTO).position is None


def test_the_moment_of_taking_and_its_offset_come_before_the_time_of_the_file(
    describer: Describer, tmp_path: Path
) -> None:
    def times(exif: Image.Exif) -> None:
        exif[ExifTags.Base.DateTime] = "2026:11:24 00:00:00"
        details = exif.get_ifd(ExifTags.IFD.Exif)
        details[ExifTags.Base.DateTimeOriginal] = "2026:11:23 16:30:00"
        details[ExifTags.Base.OffsetTimeOriginal] = "+08:00"

    media = described(describer, photo(tmp_path / "a.jpg", times), Kind.PHOTO)
    assert media.started == "2026-11-23T16:30:00+08:00"
    assert media.tags["datetimeoriginal"] == "2026:11:23 16:30:00"


def test_a_png_photo_is_read_too(describer: Describer, tmp_path: Path) -> None:
    def taken(exif: Image.Exif) -> None:
        exif[ExifTags.Base.Make] = "SIMULATED"  # Pillow writes no PNG EXIF of a position alone
        gps(exif, "N", "E")

    path = photo(tmp_path / "a.png", taken)
    png = described(describer, path, Kind.PHOTO)
    assert (png.kind, png.codec, png.width, png.problem) == (Kind.PHOTO, "png", 320, None)
    assert png.position == Position(38.5, 114.25)


def test_a_heic_photo_is_read_too(describer: Describer, tmp_path: Path) -> None:
    if not pillow_heif.libheif_info()["HEIF"]:
        pytest.skip("this build of pillow_heif cannot write HEIC")
    exif = Image.Exif()
    exif[ExifTags.Base.DateTime] = "2026:11:23 16:30:00"
    image = Image.effect_noise((320, 240), 80).convert("RGB")
    heif = pillow_heif.from_pillow(image)
    heif.save(tmp_path / "a.heic", exif=exif.tobytes())
    heic = described(describer, tmp_path / "a.heic", Kind.PHOTO)
    assert (heic.kind, heic.codec, heic.width, heic.height) == (Kind.PHOTO, "heif", 320, 240)
    assert (heic.started, heic.problem) == ("2026:11:23 16:30:00", None)


def test_a_large_header_is_no_danger(describer: Describer, tmp_path: Path) -> None:
    """Sixty thousand pixels square would be ten gigabytes, if they were decoded."""
    path = photo(tmp_path / "bomb.png")
    data = bytearray(path.read_bytes())
    data[16:24] = struct.pack(">II", 60_000, 60_000)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    path.write_bytes(bytes(data))
    media = described(describer, path, Kind.PHOTO)
    assert (media.width, media.height) == (60_000, 60_000)


# Files that are cut short.


def test_a_video_cut_before_its_index_is_truncated(describer: Describer, tmp_path: Path) -> None:
    whole = ffmpeg(tmp_path / "whole.mp4", *noise())
    assert whole.read_bytes().index(b"mdat") < whole.read_bytes().index(b"moov")
    for share in (0.2, 0.5, 0.9):
        media = described(describer, cut(whole, share, tmp_path / "cut.mp4"))
        assert media.problem is Flag.TRUNCATED, share
        assert media.detail


def test_a_video_cut_after_its_index_is_truncated_though_ffprobe_is_content(
    describer: Describer, tmp_path: Path
) -> None:
    whole = ffmpeg(tmp_path / "whole.mp4", *noise(), "-movflags", "+faststart")
    data = whole.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    for share in (0.6, 0.9, 0.999):
        media = described(describer, cut(whole, share, tmp_path / "cut.mp4"))
        assert media.problem is Flag.TRUNCATED, share
        assert (media.codec, media.width) == ("mpeg4", 320)
    assert described(describer, whole).problem is None


@pytest.mark.parametrize("ending", ["wav", "avi"])
def test_a_riff_file_cut_short_is_truncated(
    ending: str, describer: Describer, tmp_path: Path
) -> None:
    source = noise() if ending == "avi" else ("-f", "lavfi", "-i", "sine=duration=2")
    whole = ffmpeg(tmp_path / f"whole.{ending}", *source)
    assert described(describer, whole).problem is None
    for share in (0.5, 0.95):
        media = described(describer, cut(whole, share, tmp_path / f"cut.{ending}"))
        assert media.problem is Flag.TRUNCATED, share


@pytest.mark.parametrize("ending", ["jpg", "png"])
def test_a_photo_cut_short_is_truncated(ending: str, describer: Describer, tmp_path: Path) -> None:
    whole = photo(tmp_path / f"whole.{ending}")
    assert described(describer, whole, Kind.PHOTO).problem is None
    for share in (0.1, 0.5, 0.99):
        media = described(describer, cut(whole, share, tmp_path / f"cut.{ending}"), Kind.PHOTO)
        assert media.problem is Flag.TRUNCATED, share


def test_a_photo_cut_short_is_truncated_though_its_preview_is_whole(
    describer: Describer, tmp_path: Path
) -> None:
    """Cameras put a small JPEG with an end mark of its own into the EXIF data."""
    preview = photo(tmp_path / "preview.jpg", quality=20).read_bytes()
    whole = photo(tmp_path / "whole.jpg").read_bytes()
    segment = b"Exif\0\0" + preview
    data = b"\xff\xd8\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + whole[2:]
    path = tmp_path / "cut.jpg"
    path.write_bytes(data[: len(data) - len(whole) // 2])
    assert described(describer, path, Kind.PHOTO).problem is Flag.TRUNCATED


def test_promise_7_what_a_cut_file_cannot_tell_is_absent(
    describer: Describer, tmp_path: Path
) -> None:
    whole = ffmpeg(tmp_path / "whole.mp4", *noise())
    media = described(describer, cut(whole, 0.5, tmp_path / "cut.mp4"))
    assert (media.codec, media.width, media.duration_s, media.started) == (None,) * 4


# Files that are something else.


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        "这是一段文字\n".encode() * 100,
        b"\0" * 4096,
        b"\0\0\0\x18ftypisom" + b"\xff" * 100,
        b"RIFF\xff\xff\xff\xffWAVE",
        b"\xff\xd8\xff\xe1\xff\xff",
        random.Random(1).randbytes(10_000),
    ],
    ids=["empty", "x", "text", "zeros", "ftyp", "riff", "jpeg", "random"],
)
@pytest.mark.parametrize("kind", [Kind.VIDEO, Kind.PHOTO])
def test_what_is_no_recording_has_a_problem_and_a_reason_and_raises_nothing(
    content: bytes, kind: Kind, describer: Describer, tmp_path: Path
) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    media = described(describer, path, kind)
    assert media.problem in (Flag.UNREADABLE, Flag.TRUNCATED)
    assert media.detail
    assert (media.width, media.height, media.duration_s) == (None, None, None)


def test_text_renamed_to_mp4_is_unreadable(describer: Describer, tmp_path: Path) -> None:
    path = tmp_path / "note.mp4"
    path.write_text("not a video\n" * 50)
    assert described(describer, path).problem is Flag.UNREADABLE


def test_a_file_that_is_gone_is_unreadable(describer: Describer, tmp_path: Path) -> None:
    for kind in (Kind.VIDEO, Kind.PHOTO):
        assert described(describer, tmp_path / "gone.mp4", kind).problem is Flag.UNREADABLE


@pytest.mark.parametrize("seed", range(4))
def test_a_file_with_changed_bytes_never_raises(
    seed: int, describer: Describer, media_files: MediaFiles, tmp_path: Path
) -> None:
    sources = [(media_files.video, Kind.VIDEO), (media_files.photo, Kind.PHOTO)]
    chance = random.Random(seed)
    for source, kind in sources:
        data = bytearray(source.read_bytes())
        for at in chance.sample(range(min(len(data), 4000)), 40):
            data[at] = chance.randrange(256)
        path = tmp_path / source.name
        path.write_bytes(bytes(data))
        assert isinstance(described(describer, path, kind), Media)


# Files that point at other files.


@contextmanager
def watched(path: Path) -> Iterator[Callable[[], bool]]:
    """Yield a function that tells whether anybody has opened the file (inotify(7))."""
    libc = ctypes.CDLL(None, use_errno=True)
    handle = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    assert handle >= 0, os.strerror(ctypes.get_errno())
    opened_or_read = 0x20 | 0x1
    try:
        assert libc.inotify_add_watch(handle, os.fsencode(path), opened_or_read) >= 0

        def was_opened() -> bool:
            try:
                return bool(os.read(handle, 4096))
            except BlockingIOError:
                return False

        yield was_opened
    finally:
        os.close(handle)


def test_opening_a_watched_file_is_noticed(tmp_path: Path) -> None:
    """The measure of the tests below works."""
    path = tmp_path / "secret"
    path.write_bytes(b"x")
    with watched(path) as was_opened:
        assert not was_opened()
        path.read_bytes()
        assert was_opened()


PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:0\n"
    "#EXTINF:2,\nfile://{path}\n#EXT-X-ENDLIST\n",
    "hls-key": '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-KEY:METHOD=AES-128,URI="{path}"\n'
    "#EXTINF:2,\n{path}\n#EXT-X-ENDLIST\n",
    "concat": "ffconcat version 1.0\nfile '{path}'\n",
    "dash": '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static">'
    '<Period><AdaptationSet><Representation id="1" mimeType="video/mp4">'
    "<BaseURL>file://{path}</BaseURL></Representation></AdaptationSet></Period></MPD>",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n"
    "m=audio 5004 RTP/AVP 0\na=control:file://{path}\n",
    "asx": '<asx version="3.0"><entry><ref href="file://{path}"/></entry></asx>',
}


@pytest.mark.parametrize("form", list(PLAYLISTS))
@pytest.mark.parametrize("name", ["x.mp4", "x.m3u8"])
def test_promise_8_a_playlist_opens_no_other_file(
    form: str, name: str, describer: Describer, media_files: MediaFiles, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.wav"
    secret.write_bytes(media_files.audio.read_bytes())
    playlist = tmp_path / name
    playlist.write_text(PLAYLISTS[form].format(path=secret))
    with watched(secret) as was_opened:
        media = described(describer, playlist)
        assert not was_opened()
    assert media.problem is Flag.UNREADABLE
    assert media.codec is None


def test_promise_8_a_playlist_of_the_password_file_is_unreadable(
    describer: Describer, tmp_path: Path
) -> None:
    path = tmp_path / "x.mp4"
    path.write_text(PLAYLISTS["hls"].format(path="/etc/passwd"))
    assert described(describer, path).problem is Flag.UNREADABLE
    assert "root:" not in str(described(describer, path))


@pytest.mark.parametrize("name", ["x%d.bmp", "x%03d.png", "x%d.jpg", "x*.jpg", "x%d.mjpg"])
def test_promise_8_a_name_that_is_a_pattern_opens_no_other_file(
    name: str, describer: Describer, tmp_path: Path
) -> None:
    """FFmpeg takes `x%d.jpg` for a series of pictures, if it is allowed to."""
    other = tmp_path / name.replace("%03d", "001").replace("%d", "1").replace("*", "1")
    photo(tmp_path / "picture.png").replace(other)
    hostile = tmp_path / name
    hostile.write_bytes(b"\0" * 1000)
    with watched(other) as was_opened:
        described(describer, hostile, None)
        assert not was_opened()


def test_promise_8_a_name_that_is_a_pattern_is_described_as_itself(
    describer: Describer, tmp_path: Path
) -> None:
    path = photo(tmp_path / "picture.png").replace(tmp_path / "100%d.png")
    assert described(describer, path, None).width == 320


# What is a recording, by content.


def test_a_recording_is_recognised_behind_any_name(
    describer: Describer, media_files: MediaFiles, tmp_path: Path
) -> None:
    for source, kind in (
        (media_files.video, Kind.VIDEO),
        (media_files.audio, Kind.AUDIO),
        (media_files.photo, Kind.PHOTO),
    ):
        path = tmp_path / "MAH00001.dat"
        path.write_bytes(source.read_bytes())
        assert describer.kind_of(os.fsencode(path)) is kind


def test_promise_1_what_may_be_a_recording_counts_as_one(
    describer: Describer, media_files: MediaFiles, tmp_path: Path
) -> None:
    path = cut(media_files.video, 0.5, tmp_path / "MAH00001.dat")
    assert describer.kind_of(os.fsencode(path)) is not None


def test_what_ffprobe_does_not_know_is_no_recording(describer: Describer, tmp_path: Path) -> None:
    path = tmp_path / "MAH00001.dat"
    path.write_bytes(b"\0\1\2\3" * 1000)
    assert describer.kind_of(os.fsencode(path)) is None


# Processes that hang, die or are not there.


def confined_children() -> list[psutil.Process]:
    return [
        child
        for child in psutil.Process().children()
        if "recorder_sync.media.confined" in child.cmdline()
    ]


def test_promise_9_a_file_that_hangs_costs_its_time_limit_and_nothing_else(
    media_files: MediaFiles, tmp_path: Path
) -> None:
    pipe = tmp_path / "hangs.mp4"
    os.mkfifo(pipe)
    with closing(Describer(MediaSettings(processes=1, time_limit_s=1))) as describer:
        for kind in (Kind.VIDEO, Kind.PHOTO):
            media = described(describer, pipe, kind)
            assert media.problem is Flag.UNREADABLE
            assert media.detail == "not read within 1 s"
        left = [p for p in psutil.process_iter() if str(pipe) in " ".join(_words(p))]
        assert psutil.wait_procs(left, timeout=10)[1] == []
        assert described(describer, media_files.video).problem is None


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def test_promise_9_whoever_starts_one_ahead_does_not_wait_for_a_file_that_hangs(
    tmp_path: Path,
) -> None:
    pipe = tmp_path / "hangs.mp4"
    os.mkfifo(pipe)
    with closing(Describer(MediaSettings(processes=1))) as describer:
        reader = threading.Thread(target=described, args=(describer, pipe))
        reader.start()
        with pipe.open("wb"):  # once it is being read
            ahead = threading.Thread(target=describer.start)
            ahead.start()
            ahead.join(10)
            assert not ahead.is_alive()
            assert reader.is_alive()
        reader.join()
        ahead.join()


def test_promise_9_a_process_that_died_idle_is_no_fault_of_the_next_file(
    media_files: MediaFiles,
) -> None:
    with closing(Describer(MediaSettings(processes=1))) as describer:
        assert described(describer, media_files.video).problem is None
        before = set(psutil.Process().children())
        mine = [c for c in confined_children() if c in before][-1]
        mine.kill()
        mine.wait(10)
        assert described(describer, media_files.video).problem is None


def test_promise_9_a_worker_thread_that_ends_takes_no_process_with_it(
    media_files: MediaFiles,
) -> None:
    """The kernel sends the parent-death signal when the *thread* that started a child ends."""
    with closing(Describer(MediaSettings(processes=1))) as describer:
        results: list[Media] = []
        known = set(psutil.Process().children())
        started: list[psutil.Process] = []

        def work() -> None:
            results.append(described(describer, media_files.video))
            started.extend(set(psutil.Process().children()) - known)

        worker = threading.Thread(target=work)
        worker.start()
        worker.join()
        psutil.wait_procs(started, timeout=0.5)
        results.append(described(describer, media_files.video))
        assert [media.problem for media in results] == [None, None]


def test_several_files_at_a_time_are_not_mixed_up(media_files: MediaFiles, tmp_path: Path) -> None:
    wanted = [
        (media_files.video, Kind.VIDEO, "mpeg4", 2.0),
        (media_files.other_video, Kind.VIDEO, "mpeg4", 3.0),
        (media_files.audio, Kind.AUDIO, "pcm_s16le", 2.0),
        (media_files.photo, Kind.PHOTO, "jpeg", None),
    ] * 3
    answers: dict[int, Media] = {}
    with closing(Describer(MediaSettings(processes=2))) as describer:
        barrier = threading.Barrier(len(wanted))

        def ask(at: int) -> None:
            barrier.wait(10)
            answers[at] = described(describer, wanted[at][0], wanted[at][1])
            barrier.wait(60)  # a thread that ends early is another test

        threads = [threading.Thread(target=ask, args=(at,)) for at in range(len(wanted))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for at, (_, kind, codec, duration) in enumerate(wanted):
        assert (answers[at].kind, answers[at].codec) == (kind, codec)
        assert answers[at].duration_s == (duration and pytest.approx(duration, abs=0.1))


def test_no_process_is_left_when_the_describer_is_done(media_files: MediaFiles) -> None:
    before = set(psutil.Process().children())
    with closing(Describer(MediaSettings(processes=1))) as describer:
        described(describer, media_files.video)
        assert set(psutil.Process().children()) - before
    assert set(psutil.Process().children()) <= before


def test_a_missing_ffprobe_is_said_at_once_with_what_to_install() -> None:
    with pytest.raises(MissingPart) as caught:
        Describer(MediaSettings(ffprobe="ffprobe-that-is-not-there"))
    assert "ffprobe-that-is-not-there" in caught.value.text.english
    assert caught.value.hint is not None
    assert "ffmpeg" in caught.value.hint.english
