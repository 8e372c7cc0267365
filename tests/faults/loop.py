"""Disk images attached to loop devices and mounted, and always taken down again."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest


def attach(image: Path, cleaning: ExitStack, *options: str) -> str:
    """Attach an image to a free loop device until `cleaning` ends, and return its name."""
    command = ["losetup", "--find", "--show", *options, str(image)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no loop device can be had here: {done.stderr.strip()}")
    device = done.stdout.strip()
    cleaning.callback(subprocess.run, ["losetup", "--detach", device], check=False)
    return device


def mount(device: str, where: Path, cleaning: ExitStack, options: str = "rw") -> None:
    """Mount a device until `cleaning` ends; what cannot be mounted fails the test."""
    command = ["mount", "-o", options, device, str(where)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    cleaning.callback(partial(_unmount, where))


def _unmount(where: Path) -> None:
    quiet = subprocess.run(["umount", "-q", where], capture_output=True, check=False)
    if quiet.returncode:  # somebody still has a file open there
        subprocess.run(["umount", "--lazy", where], check=False)


@contextmanager
def mounted_image(image: Path, where: Path, options: str = "rw") -> Iterator[Path]:
    """Mount an image as the next start would, its journal replayed; yield where it is."""
    where.mkdir(exist_ok=True)
    with ExitStack() as cleaning:
        mount(attach(image, cleaning), where, cleaning, options)
        yield where
