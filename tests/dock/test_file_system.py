"""Whether a card was left cleanly, read from real file systems without changing a byte."""

import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.dock.file_system import ReadAt, state_of, state_on_device
from recorder_sync.model import FileSystemState
from tests.faults import loop

KINDS = ["vfat", "exfat", "ext2", "ext3", "ext4"]


def _image(path: Path, size: int, *command: str) -> Path:
    with path.open("wb") as file:
        file.truncate(size)
    subprocess.run([*command, str(path)], check=True, capture_output=True)
    return path


def _reading(image: Path) -> ReadAt:
    return _reading_bytes(image.read_bytes())


def _reading_bytes(content: bytes) -> ReadAt:
    return lambda offset, length: content[offset : offset + length]


def _changed(image: Path, offset: int, value: bytes) -> None:
    with image.open("r+b") as file:
        file.seek(offset)
        file.write(value)


FAT = [(12, 2 << 20), (16, 32 << 20), (32, 64 << 20)]


@pytest.fixture(params=FAT, ids=[f"FAT{bits}" for bits, _ in FAT])
def fat(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, int]:
    bits, size = request.param
    few_sectors = ("-s", "1") if bits == 32 else ()
    image = _image(tmp_path / "card", size, "mkfs.vfat", "-F", str(bits), *few_sectors)
    return image, bits


def _says_dirty(image: Path) -> bool:
    """Return what the other real reader of these marks says."""
    done = subprocess.run(["fsck.vfat", "-n", str(image)], capture_output=True, check=False)
    return b"Dirty bit is set" in done.stdout


def test_a_fresh_fat_is_clean(fat: tuple[Path, int]) -> None:
    image, _ = fat
    assert not _says_dirty(image)
    assert state_of("vfat", _reading(image)) is FileSystemState.CLEAN


def test_a_fat_that_linux_left_mounted_is_dirty(fat: tuple[Path, int]) -> None:
    image, bits = fat
    _changed(image, 0x41 if bits == 32 else 0x25, b"\x01")
    assert _says_dirty(image)
    assert state_of("vfat", _reading(image)) is FileSystemState.DIRTY


@pytest.mark.parametrize("bit", ["not unmounted", "read errors"])
def test_a_fat_that_a_camera_left_mounted_is_dirty(fat: tuple[Path, int], bit: str) -> None:
    image, bits = fat
    if bits == 12:
        pytest.skip("FAT12 has no room for the mark")
    reserved = int.from_bytes(image.read_bytes()[14:16], "little")
    width = bits // 8
    highest = 27 if bits == 32 else 15
    mark = 1 << (highest if bit == "not unmounted" else highest - 1)
    entry = ((1 << (28 if bits == 32 else 16)) - 1) & ~mark
    _changed(image, reserved * 512 + width, entry.to_bytes(width, "little"))
    assert state_of("vfat", _reading(image)) is FileSystemState.DIRTY


@pytest.mark.parametrize("flag", [0x02, 0x04])
def test_an_exfat_is_clean_until_it_says_otherwise(tmp_path: Path, flag: int) -> None:
    image = _image(tmp_path / "card", 8 << 20, "mkfs.exfat")
    assert state_of("exfat", _reading(image)) is FileSystemState.CLEAN
    _changed(image, 106, bytes([flag]))
    assert state_of("exfat", _reading(image)) is FileSystemState.DIRTY


@pytest.mark.parametrize("kind", ["ext2", "ext3", "ext4"])
@pytest.mark.parametrize(
    "mark", ["set_super_value state 0", "set_super_value state 3", "feature needs_recovery"]
)
def test_an_ext_is_clean_until_it_says_otherwise(tmp_path: Path, kind: str, mark: str) -> None:
    image = _image(tmp_path / "card", 8 << 20, f"mkfs.{kind}", "-q")
    assert state_of(kind, _reading(image)) is FileSystemState.CLEAN
    subprocess.run(["debugfs", "-w", "-R", mark, str(image)], check=True, capture_output=True)
    assert state_of(kind, _reading(image)) is FileSystemState.DIRTY


def test_what_is_not_the_file_system_that_it_should_be_is_unknown(tmp_path: Path) -> None:
    image = _image(tmp_path / "card", 8 << 20, "mkfs.exfat")
    assert state_of("vfat", _reading(image)) is None
    assert state_of("ext4", _reading(image)) is None
    assert state_of("ntfs", _reading(image)) is None
    assert state_of(None, _reading(image)) is None


@pytest.mark.parametrize("kind", ["ext2", "ext4"])
def test_a_device_in_use_is_dirty_and_a_left_one_clean(tmp_path: Path, kind: str) -> None:
    image = _image(tmp_path / "card", 16 << 20, f"mkfs.{kind}", "-q")
    where = tmp_path / "mounted"
    where.mkdir()
    with ExitStack() as cleaning:
        node = Path(loop.attach(image, cleaning))
        number = node.stat().st_rdev
        assert state_on_device(node, number, kind) is FileSystemState.CLEAN
        with ExitStack() as mounted:
            loop.mount(str(node), where, mounted)
            assert state_on_device(node, number, kind) is FileSystemState.DIRTY
        assert state_on_device(node, number, kind) is FileSystemState.CLEAN


def test_another_device_on_the_node_is_not_looked_at(tmp_path: Path) -> None:
    image = _image(tmp_path / "card", 2 << 20, "mkfs.vfat")
    assert state_on_device(image, image.stat().st_rdev, "vfat") is None, "a file is no device"
    assert state_on_device(tmp_path / "gone", 7, "vfat") is None
    with ExitStack() as cleaning:
        node = Path(loop.attach(image, cleaning))
        assert state_on_device(node, node.stat().st_rdev + 1, "vfat") is None


_BOOT = b"\xeb\x58\x90mkfs.fat"


@given(
    kind=st.sampled_from(KINDS),
    content=st.binary(max_size=2048),
    fields=st.binary(min_size=60, max_size=60),
)
def test_no_bytes_on_a_card_are_an_error(kind: str, content: bytes, fields: bytes) -> None:
    state_of(kind, _reading_bytes(content))
    boot = (_BOOT + fields).ljust(510, b"\0") + b"\x55\xaa"
    state_of(kind, _reading_bytes(boot))
    state_of(kind, _reading_bytes(boot[:3] + b"EXFAT   " + boot[11:] + content))
    state_of(kind, _reading_bytes(bytes(1024 + 0x38) + b"\x53\xef" + content))
