"""fs-verity on sealed files: the right call, the right order, and what it then stops.

The digest that the kernel gives is held against one computed here from the kernel's
documentation alone (https://docs.kernel.org/filesystems/fsverity.html), and that against
the program `fsverity` of Debian.
"""

import ast
import ctypes
import errno
import hashlib
import json
import os
import shutil
import stat
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder_sync import protection
from recorder_sync.custody.log import Act, CustodyLog
from recorder_sync.protection import InForce, Protection, Verity, Wanted, protect
from tests.conftest import Card, Dock, MediaFiles

_BLOCK = 4096
_SOURCE = Path(__file__).parents[2] / "src" / "recorder_sync"


def verity_digest(data: bytes) -> str:
    """Return a file's fs-verity digest: SHA-256, 4096-byte blocks, no salt."""

    def hashes(level: bytes) -> bytes:
        blocks = (level[at : at + _BLOCK] for at in range(0, len(level), _BLOCK))
        return b"".join(hashlib.sha256(b.ljust(_BLOCK, b"\0")).digest() for b in blocks)

    root = hashes(data) if data else bytes(32)
    while len(root) > 32:
        root = hashes(root)
    descriptor = struct.pack("<4BIQ64s32s144x", 1, 1, 12, 0, 0, len(data), root, b"")
    return "sha256:" + hashlib.sha256(descriptor).hexdigest()


class _EnableArgument(ctypes.Structure):
    """struct fsverity_enable_arg of linux/fsverity.h, as the C compiler lays it out."""

    _fields_ = [
        ("version", ctypes.c_uint32),
        ("hash_algorithm", ctypes.c_uint32),
        ("block_size", ctypes.c_uint32),
        ("salt_size", ctypes.c_uint32),
        ("salt_ptr", ctypes.c_uint64),
        ("sig_size", ctypes.c_uint32),
        ("__reserved1", ctypes.c_uint32),
        ("sig_ptr", ctypes.c_uint64),
        ("__reserved2", ctypes.c_uint64 * 11),
    ]


def _ioc(direction: int, number: int, size: int) -> int:
    return direction << 30 | size << 16 | ord("f") << 8 | number


def test_the_kernel_is_asked_as_its_header_says() -> None:
    argument = protection.enable_argument()
    assert _ioc(1, 133, ctypes.sizeof(_EnableArgument)) == protection._ENABLE_VERITY
    assert _ioc(3, 134, 4) == protection._MEASURE_VERITY
    told = _EnableArgument.from_buffer_copy(argument)
    assert len(argument) == ctypes.sizeof(_EnableArgument)
    assert (told.version, told.hash_algorithm, told.block_size) == (1, 1, 4096)
    assert (told.salt_size, told.salt_ptr, told.sig_size, told.sig_ptr) == (0, 0, 0, 0)
    assert bytes(argument[40:]) == bytes(88)


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, 128 * 4096, 128 * 4096 + 1, 5_000_000])
def test_the_digest_of_these_tests_is_that_of_another_program(size: int, tmp_path: Path) -> None:
    if shutil.which("fsverity") is None:
        pytest.skip("fsverity is not installed (Debian package fsverity)")
    data = os.urandom(size)
    file = tmp_path / "file"
    file.write_bytes(data)
    done = subprocess.run(
        ["fsverity", "digest", "--compact", file], capture_output=True, text=True, check=True
    )
    assert verity_digest(data) == f"sha256:{done.stdout.strip()}"


def _seal_facts(dock: Dock) -> list[dict[str, object]]:
    entries = CustodyLog(dock.state / "custody", "test").entries()
    return [dict(entry.deed.facts) for entry in entries if entry.deed.act is Act.SEAL]


def test_promise_9_without_fs_verity_everything_is_sealed_and_the_station_says_so(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    if _has_verity(dock.config.parent):
        pytest.skip("this file system has fs-verity")
    dock.configure(ingest={"fs_verity": True, "immutable": False})
    card.put("clip.wav", media_files.audio)
    assert dock.ingest(card).json["sealed"] == 1
    assert [facts["fs_verity"] for facts in _seal_facts(dock)] == [None]
    told = dock.run("status", "--json").json["evidence"]
    assert told["fs_verity"] == "the file system or the kernel has none"
    for file in dock.sealed_files():
        assert file.stat().st_mode & 0o777 == 0o440
    assert dock.run("verify", "--all").code == 0


def test_what_is_not_asked_for_is_not_in_the_log(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.wav", media_files.audio)
    assert dock.ingest(card).json["sealed"] == 1
    assert all("fs_verity" not in facts for facts in _seal_facts(dock))
    told = dock.run("status", "--json").json["evidence"]
    assert told["fs_verity"] == "switched off in the configuration"


def _has_verity(folder: Path) -> bool:
    """Try the very call on a file of this folder."""
    trial = folder / "trial"
    trial.write_bytes(b"tried")
    try:
        return protect(trial, None, Wanted(immutable=False, verity=True)).verity is Verity.IN_FORCE
    finally:
        trial.unlink()


@pytest.fixture
def verity_disk(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """Return an image with ext4 -O verity and where it is mounted."""
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("mounting a disk image needs root and mkfs.ext4")
    image, mounted = tmp_path / "disk.img", tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    mounted.mkdir()
    subprocess.run(["mkfs.ext4", "-q", "-O", "verity", "-b", "4096", image], check=True)
    done = subprocess.run(
        ["mount", "-o", "loop", image, mounted], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"ext4 with fs-verity cannot be mounted here: {done.stderr.strip()}")
    try:
        if not _has_verity(mounted):
            pytest.skip("this kernel has no fs-verity (CONFIG_FS_VERITY)")
        yield image, mounted
    finally:
        subprocess.run(["chattr", "-R", "-f", "-i", mounted], check=False)
        subprocess.run(["umount", mounted], check=True)


def test_art_5_the_kernel_vouches_for_what_is_sealed_and_the_log_has_its_digest(
    verity_disk: tuple[Path, Path], tmp_path: Path, card: Card, media_files: MediaFiles
) -> None:
    dock = Dock(tmp_path)
    dock.evidence = verity_disk[1] / "evidence"
    paths: dict[str, object] = {"state": str(dock.state), "evidence": str(dock.evidence)}
    dock.configure(paths=paths, ingest={"fs_verity": True})
    card.put("clip.mp4", media_files.video)
    assert dock.ingest(card).json["sealed"] == 1
    (file,) = dock.sealed_files()
    (facts,) = _seal_facts(dock)
    assert facts["fs_verity"] == verity_digest(file.read_bytes())
    assert dock.run("status", "--json").json["evidence"]["fs_verity"] == "every read is checked"
    for sealed in (file, Path(f"{file}.json")):
        subprocess.run(["chattr", "-f", "-i", sealed], check=False)
        sealed.chmod(0o640)
        with pytest.raises(PermissionError), sealed.open("r+b"):
            pass
    assert dock.run("verify", "--all").code == 0


def test_art_5_a_byte_changed_on_the_disk_itself_cannot_be_read(
    verity_disk: tuple[Path, Path],
) -> None:
    image, mounted = verity_disk
    content = b"evidence that is looked for on the disk" * 4000
    file = mounted / "file"
    file.write_bytes(content)
    assert protect(file, None, Wanted(immutable=False, verity=True)) == InForce(
        Protection.READ_ONLY_SWITCHED_OFF, Verity.IN_FORCE
    )
    subprocess.run(["umount", mounted], check=True)
    raw = image.read_bytes()
    at = raw.index(content[:200])
    with image.open("r+b") as disk:
        disk.seek(at)
        disk.write(b"E")
    subprocess.run(["mount", "-o", "loop", image, mounted], check=True)
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        file.read_bytes()


def test_nothing_takes_the_immutable_flag_off_but_what_was_never_evidence() -> None:
    """A file of a run that was cut off before its seal, the station's own trial, and the
    throw-away station of the demo."""
    users: set[tuple[str, str]] = set()
    for file in _SOURCE.rglob("*.py"):
        tree = ast.parse(file.read_text("utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
                if names & {"unprotect", "_SET_FLAGS"}:
                    users.add((file.name, function.name))
    assert users == {
        ("demo_keeper.py", "removed"),
        ("evidence.py", "clear_away"),
        ("evidence.py", "protection_in_force"),
        ("protection.py", "unprotect"),
        ("protection.py", "_set_immutable"),
    }


def test_the_status_for_people_names_both_protections(dock: Dock) -> None:
    done = dock.run("status")
    assert "fs-verity" in done.out
    assert json.loads(dock.run("status", "--json").out)["evidence"]["protection"]


@pytest.mark.parametrize("umask", [0o022, 0o077], ids=oct)
@pytest.mark.parametrize("immutable", [False, True])
def test_all_that_is_sealed_is_read_only_whatever_mask_the_program_was_started_with(
    dock: Dock, card: Card, media_files: MediaFiles, umask: int, immutable: bool
) -> None:
    """Of many descriptions that are made alike, one is looked at for all."""
    dock.configure(ingest={"immutable": immutable})
    for number in range(40):
        card.put(f"{number}.jpg", media_files.photo.read_bytes() + number.to_bytes(2, "big"))
    before = os.umask(umask)
    try:
        subprocess.run(dock.command("ingest", card.path), check=True, capture_output=True)
    finally:
        os.umask(before)
    sealed = [*dock.evidence.rglob("*.jpg"), *dock.evidence.rglob("*.jpg.json")]
    assert len(sealed) == 80
    assert {stat.S_IMODE(file.stat().st_mode) for file in sealed} == {0o440}
