"""Cards as file systems of their own, in image files that take next to no room.

`mke2fs` can make files whose blocks are all allocated and marked as written without
writing them. In a sparse image such a file is read through the device like any other,
block after block, while the disk below holds nothing. Only the start of each clip is
written (a video that ffprobe reads) and its last bytes, so no two clips are the same.

Not to be concluded: what reading costs the kernel. The loop device answers a hole with
zeros from memory; a card reader has to fetch them.
"""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from cards import a_video, clip_start, names

_MIB = 1 << 20
_SETTINGS = """
[defaults]
    base_features = sparse_super,large_file,filetype,dir_index,ext_attr,extent,huge_file,flex_bg
    blocksize = 4096
    inode_size = 256
    inode_ratio = 1048576
[fs_types]
    ext4 = {{
        features = extent,huge_file,flex_bg,^has_journal,^resize_inode
    }}
    card = {{
        make_hugefiles = 1
        hugefiles_dir = /DCIM
        hugefiles_name = clip
        hugefiles_digits = 5
        hugefiles_size = {clip_kib}K
        num_hugefiles = {count}
        zero_hugefiles = false
    }}
"""


def make_card_image(image: Path, camera: int, count: int, clip_size: int) -> None:
    """Make an image of a card with `count` clips. Needs root."""
    settings = image.with_suffix(".conf")
    settings.write_text(_SETTINGS.format(clip_kib=clip_size >> 10, count=count))
    size = count * clip_size
    _make_sparse(image, size + size // 64 + 64 * _MIB)
    environment = {**os.environ, "MKE2FS_CONFIG": str(settings)}
    _run(["mke2fs", "-q", "-F", "-t", "ext4", "-T", "card", "-m", "0", image], environment)
    with (
        attached(image, read_only=False) as device,
        mounted(device, image.with_suffix(".rw")) as at,
    ):
        video = a_video()
        made = sorted((at / "DCIM").iterdir())
        if len(made) != count:
            raise OSError(f"mke2fs made {len(made)} of {count} clips")
        for number, (clip, name) in enumerate(zip(made, names(camera, count, "mp4"), strict=True)):
            with clip.open("r+b") as file:
                file.write(clip_start(video, clip_size, number))
                file.seek(-32, os.SEEK_END)
                file.write(os.urandom(32))
            clip.rename(clip.with_name(name))


def make_empty_image(image: Path, size: int) -> None:
    """Make an empty ext4 with a journal in a sparse image."""
    _make_sparse(image, size)
    now = "lazy_itable_init=0,lazy_journal_init=0"
    _run(["mke2fs", "-q", "-F", "-t", "ext4", "-T", "largefile4", "-m", "0", "-E", now, image])


@contextmanager
def attached(image: Path, *, read_only: bool) -> Iterator[Path]:
    """Hold the image on a loop device that goes round the page cache, without read-ahead."""
    how = ("--read-only",) if read_only else ()
    found = _run(["losetup", "--find", "--show", "--direct-io=on", *how, image])
    device = Path(found.strip())
    try:
        (Path("/sys/block") / device.name / "queue" / "read_ahead_kb").write_text("0")
        yield device
    finally:
        _run(["losetup", "--detach", device])


@contextmanager
def mounted(device: Path, at: Path, options: str = "noatime") -> Iterator[Path]:
    """Hold a device mounted."""
    at.mkdir(exist_ok=True)
    _run(["mount", "-o", options, device, at])
    try:
        yield at
    finally:
        _run(["umount", at])


def _make_sparse(image: Path, size: int) -> None:
    with image.open("wb") as file:
        file.truncate(size)


def _run(command: Sequence[str | Path], environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise OSError(f"{command[0]} ended with {done.returncode}: {done.stderr.strip()}")
    return done.stdout
