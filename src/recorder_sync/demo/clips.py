"""Clips for the simulated cameras: a few are made, and each recording is one of them anew.

Every recording has its own time and its own bytes, as a camera would have made it.
"""

import shutil
import subprocess
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from recorder_sync.demo.cards import run_ffmpeg, touch

_PICTURES = ("testsrc2", "gradients", "smptehdbars", "rgbtestsrc")
_LENGTHS = (15, 21, 27, 18)
_MADE_S = 3
"""Seconds that are drawn of each; the clip repeats them."""


@dataclass(frozen=True, slots=True)
class Clip:
    path: Path
    seconds: int


def make_clips(folder: Path) -> list[Clip]:
    """Make the clips. Raises MissingPart when ffmpeg is not there or fails."""
    folder.mkdir(parents=True)
    made = []
    for number, (picture, seconds) in enumerate(zip(_PICTURES, _LENGTHS, strict=True)):
        drawn, path = folder / f"drawn-{number}.mp4", folder / f"{number}.mp4"
        run_ffmpeg(
            "-f", "lavfi", "-i", f"{picture}=size=960x540:rate=15,noise=alls=12:allf=t",
            "-f", "lavfi", "-i", f"sine=frequency={330 + 110 * number}",
            "-t", str(_MADE_S), *_encoding(), "-pix_fmt", "yuv420p", "-c:a", "aac", str(drawn),
        )  # fmt: skip
        run_ffmpeg(
            "-stream_loop", "-1", "-i", str(drawn), "-t", str(seconds), "-c", "copy", str(path)
        )
        made.append(Clip(path, seconds))
    return made


def record(clip: Clip, path: Path, start: datetime) -> None:
    """Put a recording of this clip on a card, begun at `start`, as cameras do: local time, `Z`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    run_ffmpeg(
        "-i", str(clip.path), "-c", "copy", "-movflags", "+faststart",
        "-metadata", f"creation_time={start:%Y-%m-%dT%H:%M:%SZ}",
        "-metadata", f"comment={path.name}", str(path),
    )  # fmt: skip
    touch(path, start + timedelta(seconds=clip.seconds))


def _encoding() -> tuple[str, ...]:
    """Return how to encode, so that browsers can play it where this ffmpeg can do that."""
    program = shutil.which("ffmpeg") or "ffmpeg"
    known = subprocess.run(
        [program, "-v", "error", "-encoders"], capture_output=True, text=True, check=False
    ).stdout
    if " libx264 " in known:
        return ("-c:v", "libx264", "-preset", "ultrafast", "-b:v", "3M")
    return ("-c:v", "mpeg4", "-b:v", "3M")
