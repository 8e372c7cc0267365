"""Promise 1: nothing that is in the evidence folder is ever replaced."""

import ctypes
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from recorder_sync.stores import no_replace
from recorder_sync.stores.no_replace import move_into_place


@pytest.fixture(params=["in one step", "in two"])
def two_folders(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[int, int]]:
    """Two open folders; once with a kernel that does not know the rename in one step."""
    if request.param == "in two":

        class OldKernel:
            def renameat2(self, *_: object) -> int:
                ctypes.set_errno(errno.EINVAL)
                return -1

        monkeypatch.setattr(no_replace, "_libc", OldKernel())
    handles = []
    for name in ("incoming", "day"):
        (tmp_path / name).mkdir()
        handles.append(os.open(tmp_path / name, os.O_RDONLY))
    (tmp_path / "incoming" / "0.part").write_bytes(b"footage")
    yield handles[0], handles[1]
    for handle in handles:
        os.close(handle)


def test_a_copy_is_moved_to_a_place_that_is_free(
    two_folders: tuple[int, int], tmp_path: Path
) -> None:
    move_into_place("0.part", two_folders[0], "影像.mp4", two_folders[1])
    assert (tmp_path / "day" / "影像.mp4").read_bytes() == b"footage"
    assert not list((tmp_path / "incoming").iterdir())


@pytest.mark.parametrize("there", ["a file", "a link to nothing"])
def test_what_is_in_a_place_stays_and_so_does_the_copy(
    two_folders: tuple[int, int], tmp_path: Path, there: str
) -> None:
    place = tmp_path / "day" / "a.mp4"
    if there == "a file":
        place.write_bytes(b"sealed")
    else:
        place.symlink_to("nowhere")
    before = os.lstat(place).st_ino
    with pytest.raises(FileExistsError):
        move_into_place("0.part", two_folders[0], "a.mp4", two_folders[1])
    assert os.lstat(place).st_ino == before
    assert (tmp_path / "incoming" / "0.part").read_bytes() == b"footage"


def test_a_copy_that_is_not_there_is_named(two_folders: tuple[int, int]) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        move_into_place("1.part", two_folders[0], "a.mp4", two_folders[1])
    assert caught.value.filename == "1.part"
