"""Has pictures and previews made of sealed files, in a confined process with limits.

The sealed file is handed over as an open handle and only ever read. What comes back is as little
trusted as the file: it is passed on as bytes of a fixed type, and never parsed here. A file that
hangs, kills its process or makes more than it may costs only itself.
"""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from shutil import which

from recorder_sync.language import T, Text
from recorder_sync.media.demuxers import DEMUXERS
from recorder_sync.model import Kind, Media, Recording
from recorder_sync.preview_settings import Previews

THUMBNAIL = 480
_PHOTO = 1920
_CHUNK = 1 << 18
_LOOK_S = 0.25
"""Seconds between two looks at whether it is to end."""
_LARGEST_PICTURE = 16 << 20
_LARGEST_PREVIEW = 8 << 30
_LARGEST_TRACK = 4 << 20

_PLAYED_VIDEO = {"h264", "vp8", "vp9", "av1", "theora"}
_PLAYED_AUDIO = {"aac", "mp3", "opus", "vorbis", "flac"}
_PLAYED_PCM = {"pcm_s16le", "pcm_u8", "pcm_s24le", "pcm_f32le", "pcm_s32le"}
_TYPES = {
    "mov": "video/mp4",
    "matroska": "video/webm",
    "ogg": "video/ogg",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "flac": "audio/flac",
    "aac": "audio/aac",
}
_PHOTO_TYPES = {"jpeg": "image/jpeg", "mjpeg": "image/jpeg", "png": "image/png"}


class BrokenOff(Exception):
    """Nobody wants it any more: it was asked to end."""


class NotRendered(Exception):
    """Nothing could be made of the file."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.english)
        self.why = why


def played_as(recording: Recording) -> str | None:
    """Return the type under which a browser plays or shows the file itself, None where it cannot.

    By what the confined reading found in it, never by its name: a page in the place of a video
    is no page.
    """
    media = recording.media
    if media.problem is not None and media.codec is None:
        return None
    container = (media.container or "").split(",")[0]
    match media.kind:
        case Kind.PHOTO:
            return _PHOTO_TYPES.get(media.codec or "")
        case Kind.VIDEO if media.codec in _PLAYED_VIDEO:
            heard = media.audio_codec is None or media.audio_codec in _PLAYED_AUDIO
            return _TYPES.get(container) if heard and container in _TYPES else None
        case Kind.AUDIO if media.codec in _PLAYED_AUDIO | _PLAYED_PCM:
            found = _TYPES.get(container)
            return found.replace("video/", "audio/") if found else None
    return None


def preview_type(kind: Kind) -> str | None:
    """Return the type of the preview of such a file, None where there is none."""
    return {
        Kind.VIDEO: "video/mp4",
        Kind.AUDIO: "audio/mp4",
        Kind.PHOTO: "image/jpeg",
    }.get(kind)


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be made, by which arguments, and within which limits."""

    arguments: tuple[str, ...]
    limit_s: float
    largest: int


def thumbnail(media: Media, settings: Previews) -> Work | None:
    """Return how the thumbnail of such a file is made."""
    limits = settings.picture_limit_s, _LARGEST_PICTURE
    match media.kind:
        case Kind.PHOTO:
            return Work(("photo", "{source}", str(THUMBNAIL)), *limits)
        case Kind.VIDEO:
            at = min(3.0, (media.duration_s or 0) / 10)
            scale = f"scale={THUMBNAIL}:{THUMBNAIL}:force_original_aspect_ratio=decrease"
            picture = ("-frames:v", "1", "-an", "-vf", f"{scale}:force_divisible_by=2")
            out = ("-c:v", "mjpeg", "-q:v", "5", "-f", "image2pipe", "pipe:1")
            before = ("-ss", f"{at:.3f}") if at else ()
            return Work(_ffmpeg(settings, before, (*picture, *out)), *limits)
        case Kind.AUDIO:
            wave = f"aformat=channel_layouts=mono,showwavespic=s={THUMBNAIL}x160:colors=#6fb3ff"
            out = ("-frames:v", "1", "-c:v", "png", "-f", "image2pipe", "pipe:1")
            return Work(_ffmpeg(settings, (), ("-filter_complex", wave, *out)), *limits)
    return None


def track(kind: Kind, settings: Previews) -> Work | None:
    """Return how the positions in the timed text of such a file are taken out of it."""
    if kind is not Kind.VIDEO:
        return None
    text = ("-map", "0:s:{stream}", "-c:s", "text", "-f", "srt", "pipe:1")
    _, *command = _ffmpeg(settings, (), text)
    return Work(("track", "{source}", *command), settings.preview_limit_s, _LARGEST_TRACK)


def preview(kind: Kind, settings: Previews, *, marked: bool = False) -> Work | None:
    """Return how a preview of such a file is made; `marked`: with a text in the picture, or, of
    sound, as the title that players show."""
    limits = settings.preview_limit_s, _LARGEST_PREVIEW
    match kind:
        case Kind.PHOTO if not marked:
            return Work(("photo", "{source}", str(_PHOTO)), settings.picture_limit_s, 64 << 20)
        case Kind.PHOTO:
            out = ("-frames:v", "1", "-c:v", "mjpeg", "-q:v", "3", "-f", "image2pipe", "pipe:1")
            return Work(_ffmpeg(settings, (), ("-vf", _WRITTEN, *out)), *limits)
        case Kind.VIDEO:
            scale = f"scale=-2:'min({settings.height},trunc(ih/2)*2)'"
            picture = ("-map", "0:v:0", "-map", "0:a:0?", "-sn", "-dn", "-map_metadata", "-1")
            filters = ("-vf", f"{scale},{_WRITTEN}" if marked else scale)
            coded = ("-c:v", "libx264", "-preset", "veryfast", "-crf", "26", "-g", "50")
            return Work(
                _ffmpeg(
                    settings,
                    (),
                    (*picture, *filters, *coded, "-pix_fmt", "yuv420p", *_SOUND, *_IN_PIECES),
                ),
                *limits,
            )
        case Kind.AUDIO:
            sound = ("-map", "0:a:0", "-vn", "-map_metadata", "-1", *_SOUND)
            title = ("-metadata", "title={said}") if marked else ()
            return Work(_ffmpeg(settings, (), (*sound, *title, *_IN_PIECES)), *limits)
    return None


_SOUND = ("-c:a", "aac", "-b:a", "96k", "-ac", "2")
_IN_PIECES = (
    *("-movflags", "+frag_keyframe+empty_moov+default_base_moof", "-f", "mp4"),
    "pipe:1",
)
"""An index that is written piece by piece: the end of a pipe cannot be gone back from."""
_WRITTEN = (
    "drawtext=textfile={text}:expansion=none:font='Noto Sans CJK SC':fontsize=h/22"
    ":fontcolor=white@0.9:box=1:boxcolor=black@0.5:boxborderw=8:x=w*0.02:y=h*0.03"
)


def _ffmpeg(settings: Previews, before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    program = which(settings.ffmpeg)
    if program is None:
        raise NotRendered(T("The program {program} is not installed.", program=settings.ffmpeg))
    return (
        *("ffmpeg", program, "-nostdin", "-v", "error", "-nostats", "-progress", "pipe:2"),
        *("-protocol_whitelist", "file", "-format_whitelist", DEMUXERS, "-threads", "1"),
        *(*before, "-i", "file:/proc/self/fd/{source}", "-threads", "1", *after),
    )


def render(
    source: int,
    work: Work,
    memory_mib: int,
    progress: Callable[[float], None] = lambda _s: None,
    text: str | None = None,
    is_ending: Callable[[], bool] = lambda: False,
) -> Generator[bytes]:
    """Yield what is made of the open file `source`; it is the caller's, and stays open.

    `progress` is told the seconds of it that are done. Raises NotRendered, also where nothing
    came of it, and BrokenOff when `is_ending` says so; what was yielded before is of no use then.
    """
    with _text_file(text) as written:
        names = {"{source}": str(source), "{text}": f"/proc/self/fd/{written}"}
        names["{said}"] = text or ""  # last: what it says is filled in no further
        arguments = [_filled(one, names) for one in work.arguments]
        process = subprocess.Popen(
            [
                *(sys.executable, "-I", "-m", "recorder_sync.media.rendered"),
                *(str(memory_mib << 20), str(work.limit_s), *arguments),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(source,) if written is None else (source, written),
            start_new_session=True,
            cwd="/",
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "HOME": "/"},
        )
        try:
            yield from _made(process, work, progress, is_ending)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            for pipe in (process.stdout, process.stderr):
                if pipe is not None:
                    pipe.close()
            process.wait()


def _filled(argument: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        argument = argument.replace(name, value)
    return argument


@contextmanager
def _text_file(text: str | None) -> Iterator[int | None]:
    if text is None:
        yield None
        return
    handle = os.memfd_create("text")
    try:
        os.write(handle, text.encode())
        yield handle
    finally:
        os.close(handle)


def _made(
    process: subprocess.Popen[bytes],
    work: Work,
    progress: Callable[[float], None],
    is_ending: Callable[[], bool],
) -> Iterator[bytes]:
    assert process.stdout is not None
    assert process.stderr is not None
    until, size, said = time.monotonic() + work.limit_s, 0, b""
    with selectors.DefaultSelector() as selector:
        for pipe in (process.stdout, process.stderr):
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(min(_LOOK_S, max(0.0, until - time.monotonic())))
            if is_ending():
                raise BrokenOff
            if time.monotonic() >= until:
                raise NotRendered(T("It took longer than {seconds} s.", seconds=work.limit_s))
            for key, _ in ready:
                data = os.read(key.fd, _CHUNK)
                if not data:
                    selector.unregister(key.fileobj)
                elif key.fileobj is process.stderr:
                    said = _told(said + data, progress)
                else:
                    size += len(data)
                    if size > work.largest:
                        raise NotRendered(T("More came of it than a preview may have."))
                    yield data
    if process.wait() != 0 or size == 0:
        why = said.decode("utf-8", "replace").strip().splitlines()[-1:] or ["no picture came of it"]
        raise NotRendered(T("It cannot be shown: {why}", why=why[0][-200:]))


def _told(said: bytes, progress: Callable[[float], None]) -> bytes:
    """Take what ffmpeg says of its progress out of its messages."""
    *lines, rest = said.split(b"\n")
    kept = []
    for line in lines:
        name, equals, value = line.partition(b"=")
        if not equals or not name.replace(b"_", b"").isalnum():
            kept.append(line)
        elif name == b"out_time_us" and value.strip().isdigit():
            progress(int(value) / 1_000_000)
    return b"\n".join([*kept[-5:], rest])[-4096:]
