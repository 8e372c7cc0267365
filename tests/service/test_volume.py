"""What is plugged in is mounted read-only, and not one byte of it changes."""

import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.service.conftest import Apart, Attach


def _image(path: Path, *mkfs: str) -> Path:
    if shutil.which(mkfs[0]) is None:
        pytest.skip(f"{mkfs[0]} is not installed")
    with path.open("wb") as image:
        image.truncate(8 << 20)
    subprocess.run([*mkfs, str(path)], check=True, capture_output=True)
    return path


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def pulled_out(tmp_path: Path, apart: Apart, attached: Attach) -> Path:
    """A card with ext4 whose journal was never replayed: its last user pulled it out."""
    image = _image(tmp_path / "image", "mkfs.ext4", "-q")
    copy = tmp_path / "pulled-out"
    done = apart.run(
        f"mkdir /run/card; mount /dev/{attached(image)} /run/card",
        "echo footage > /run/card/MAH00001.MP4; sync",
        f"cp {image} {copy}",
    )
    assert done.returncode == 0, done.stderr
    return copy


def test_not_even_the_journal_of_a_card_is_replayed(
    apart: Apart, attached: Attach, pulled_out: Path
) -> None:
    before = _digest(pulled_out)
    name = attached(pulled_out)
    done = apart.run(
        f"$volume mount {name}",
        f"findmnt --noheadings --output OPTIONS /run/recorder-sync/volumes/{name}",
        f"blockdev --getro /dev/{name}",
        f"! touch /run/recorder-sync/volumes/{name}/written 2>/dev/null",
        f"$volume unmount {name}",
        "ls /run/recorder-sync/volumes",
    )
    assert done.returncode == 0, done.stderr
    options, read_only = done.stdout.split()
    assert {"ro", "nosuid", "nodev", "noexec"} <= set(options.split(","))
    assert read_only == "1"
    assert _digest(pulled_out) == before


@pytest.mark.parametrize(
    ("mkfs", "driver", "options"),
    [
        (("mkfs.vfat",), "vfat", "tz=UTC,utf8,uid=987,gid=987,fmask=0177,dmask=0077"),
        (("mkfs.exfat",), "exfat", "iocharset=utf8,uid=987,gid=987,fmask=0177,dmask=0077"),
        (("mkfs.ext2", "-q"), "ext4", "noload"),
    ],
)
def test_each_file_system_is_mounted_for_the_service_user_alone(
    tmp_path: Path,
    apart: Apart,
    attached: Attach,
    mkfs: tuple[str, ...],
    driver: str,
    options: str,
) -> None:
    """The kernel that runs the tests need not know the file system: mount only says its call."""
    name = attached(_image(tmp_path / "image", *mkfs))
    done = apart.run(
        "mkdir /run/stand-in; printf '#!/bin/sh\\necho \"$@\"\\n' > /run/stand-in/mount",
        f"chmod +x /run/stand-in/mount; PATH=/run/stand-in:$PATH $volume mount {name}",
    )
    assert done.returncode == 0, done.stderr
    assert f"--types {driver} --options ro,nosuid,nodev,noexec,{options} " in done.stdout


def test_other_file_systems_are_not_mounted(tmp_path: Path, apart: Apart, attached: Attach) -> None:
    name = attached(_image(tmp_path / "image", "mkswap"))
    done = apart.run(f"$volume mount {name}")
    assert done.returncode == 1
    assert "is not mounted: only vfat, exfat, ntfs" in done.stderr


@pytest.mark.parametrize("name", ["../sda1", "a/b", "", ".", "sda1 x"])
def test_a_strange_name_leads_nowhere(apart: Apart, name: str) -> None:
    done = apart.run(f"$volume mount '{name}'")
    assert done.returncode == 2
    assert "is no name of a volume" in done.stderr


def test_only_a_requested_volume_becomes_writable_and_only_for_a_while(
    tmp_path: Path, apart: Apart, attached: Attach
) -> None:
    asked, other = (
        attached(_image(tmp_path / name, "mkfs.ext4", "-q")) for name in ("asked", "other")
    )
    volumes = "/run/recorder-sync/volumes"
    request = json.dumps({"docking": "docking-1", "root": f"{volumes}/{asked}", "node": "/dev/x"})
    done = apart.run(
        f"$volume mount {asked}; $volume mount {other}",
        "cd /run/recorder-sync/clear",
        f"echo '{request}' > docking-1.json; echo '{{}}' > docking-2.json",
        "$volume begin-clearing; ls . now",
        f"touch {volumes}/{asked}/written; ! touch {volumes}/{other}/written",
        "$volume end-clearing; ls . now",
        f"! touch {volumes}/{asked}/again; blockdev --getro /dev/{asked}",
    )
    assert done.returncode == 0, done.stderr
    assert "docking-2.json names no volume that can be made writable" in done.stderr
    assert done.stdout.split() == [".:", "now", "now:", "docking-1.json", ".:", "now", "now:", "1"]
