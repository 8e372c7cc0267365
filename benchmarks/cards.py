"""Makes the cards that the benchmarks take in.

Each clip is a real video that ffprobe reads, followed by a box of bytes that no disk can
shrink. Every name says the device's number in the way that the built-in profile `dcam`
knows, so that several cards can be taken in by one command.

Not to be concluded: what describing costs for other media. The videos last two seconds,
and a file whose index is large or far behind takes ffprobe longer.
"""

import io
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image

PHOTO_BYTES = 64 << 10
_PER_FOLDER = 1000
_BLOCK = 4 << 20


@dataclass(frozen=True, slots=True)
class Cards:
    """Folders that are taken in together, each as the card of one camera."""

    name: str
    folders: tuple[Path, ...]
    files: int
    size: int
    """Bytes of all files together."""

    @property
    def all_files(self) -> list[Path]:
        return sorted(p for folder in self.folders for p in folder.rglob("*.*") if p.is_file())

    @property
    def has_many_files(self) -> bool:
        """Whether removing a copy of it slows down what is made after it."""
        return self.files > 100


def make_clips(path: Path, count: int, size: int, camera: int = 31) -> Cards:
    """Make the card of one camera, with clips of the wanted size."""
    folder = path / "DCIM" / "100MEDIA"
    folder.mkdir(parents=True)
    video = a_video()
    for number, name in enumerate(names(camera, count, "mp4")):
        with (folder / name).open("wb") as file:
            file.write(clip_start(video, size, number))
            while (left := size - file.tell()) > 0:
                file.write(os.urandom(min(left, _BLOCK)))
    return Cards(f"{count} x {binary(size)}", (path,), count, count * size)


def make_photos(path: Path, count: int, camera: int = 32) -> Cards:
    """Make JPEG files of the same size and picture, each with bytes of its own inside."""
    picture = io.BytesIO()
    Image.effect_noise((128, 128), 64).save(picture, "JPEG")
    start, rest = picture.getvalue()[:2], picture.getvalue()[2:]
    room = PHOTO_BYTES - len(start) - len(rest)
    for number, name in enumerate(names(camera, count, "jpg")):
        folder = path / "DCIM" / f"{100 + number // _PER_FOLDER}MEDIA"
        folder.mkdir(parents=True, exist_ok=True)
        comment = b"\xff\xfe" + (room - 2).to_bytes(2, "big") + os.urandom(room - 4)
        (folder / name).write_bytes(start + comment + rest)
    return Cards(f"{count} x {binary(PHOTO_BYTES)}", (path,), count, count * PHOTO_BYTES)


def shared_among(path: Path, card: Cards, cameras: int) -> Cards:
    """Deal the clips of one card out to several cameras, as hard links of the same files."""
    files = card.all_files
    each = len(files) // cameras
    folders: list[Path] = []
    for camera in range(cameras):
        folder = path / f"camera-{camera + 1:02d}"
        (folder / "DCIM").mkdir(parents=True)
        mine = files[camera * each : (camera + 1) * each]
        for file, name in zip(mine, names(100 + camera, each, "mp4"), strict=True):
            os.link(file, folder / "DCIM" / name)
        folders.append(folder)
    size = sum(file.stat().st_size for file in files[: each * cameras])
    return Cards(f"{cameras} cameras, {binary(size)} in all", tuple(folders), each * cameras, size)


def names(camera: int, count: int, ending: str) -> Iterator[str]:
    """Yield file names that say the camera, the officer and a time of their own."""
    first = datetime.now(UTC) - timedelta(hours=6)
    for number in range(count):
        moment = first + timedelta(seconds=number)
        yield f"DCAM_CAM{camera:03d}_{camera:06d}_{moment:%Y%m%d_%H%M%S}.{ending}"


def a_video() -> bytes:
    """Return a short video that ffprobe reads."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "video.mp4"
        source = "testsrc2=size=1280x720:rate=25:duration=2"
        command: Sequence[str | Path] = (
            *("ffmpeg", "-nostdin", "-v", "error", "-f", "lavfi", "-i", source),
            *("-c:v", "mpeg4", target),
        )
        subprocess.run(command, check=True)
        return target.read_bytes()


def clip_start(video: bytes, size: int, number: int) -> bytes:
    """Return the first bytes of a clip: a video and the head of a box that fills the rest.

    Behind the head stand a few bytes that no other clip has, so that no two are the same.
    """
    own = number.to_bytes(8, "big") + os.urandom(24)
    left = size - len(video)
    if left < 16 + len(own):
        raise ValueError(f"a clip of {size} bytes is too small for its video")
    return video + (1).to_bytes(4, "big") + b"free" + left.to_bytes(8, "big") + own


def binary(size: int) -> str:
    """Write a size in the largest binary unit that it is a whole number of."""
    for shift, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if size >= 1 << shift and not size % (1 << shift):
            return f"{size >> shift} {unit}"
    return f"{size / (1 << 20):.1f} MiB"
