"""Real recordings as cameras make them: small, every camera's different from all others."""

from dataclasses import dataclass
from pathlib import Path

from tests.e2e.running import run

_PICTURE = "testsrc2=size=640x360:rate=10"
_OTHER_PICTURE = "mandelbrot=size=640x360:rate=10"


@dataclass(frozen=True)
class Footage:
    """Made once; a camera's own copies differ in what they say of themselves."""

    video: Path
    """8 s MP4 of about 1 MB."""
    long_video: Path
    """MP4 of about 8 MB: long enough to be pulled out of."""
    audio: Path
    """WAV."""
    photo: Path
    """JPEG."""


def film(folder: Path) -> Footage:
    """Make the recordings in a folder."""
    footage = Footage(*(folder / name for name in ("short.mp4", "long.mp4", "a.wav", "p.jpg")))
    _ffmpeg("-f", "lavfi", "-i", f"{_PICTURE}:duration=8", *_mpeg4("1M"), footage.video)
    _ffmpeg("-f", "lavfi", "-i", _OTHER_PICTURE, "-t", "16", *_mpeg4("4M"), footage.long_video)
    _ffmpeg("-f", "lavfi", "-i", "sine=duration=3", footage.audio)
    _ffmpeg("-f", "lavfi", "-i", _PICTURE, "-frames:v", "1", footage.photo)
    return footage


def own_copy(recording: Path, of: str, path: Path) -> None:
    """Write a recording as another camera would have made it."""
    _ffmpeg("-i", recording, "-c", "copy", "-metadata", f"comment={of}", path)
    if recording.suffix == ".jpg":
        with open(path, "ab") as file:  # after the picture's end, where cameras add their own
            file.write(of.encode())


def _mpeg4(rate: str) -> tuple[str, ...]:
    return ("-vf", "noise=alls=20:allf=t", "-c:v", "mpeg4", "-b:v", rate, "-minrate", rate)


def _ffmpeg(*arguments: str | Path) -> None:
    run("ffmpeg", "-nostdin", "-v", "error", "-y", *arguments)
