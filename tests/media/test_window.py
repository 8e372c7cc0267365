"""Photos that the copying process has read back are described from memory, not from the disk."""

import mmap
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from PIL import Image

from recorder_sync.config import Media as MediaSettings
from recorder_sync.media.describer import Describer
from recorder_sync.media.window import PLACES, Shown, Window, place_of, view_of
from recorder_sync.model import Flag, Kind, Media
from tests.conftest import MediaFiles


@pytest.fixture(scope="module")
def window() -> Iterator[Window]:
    with closing(Window()) as one:
        yield one


@pytest.fixture(scope="module")
def describer(window: Window) -> Iterator[Describer]:
    with closing(Describer(MediaSettings(processes=1), window)) as one:
        yield one


def show(window: Window, data: bytes, place: int) -> Shown:
    """Put a photo into its place, as the copying process does."""
    with mmap.mmap(window.to_write, 0) as memory, memoryview(memory) as whole:
        view_of(whole, place)[: len(data)] = data
    return Shown(place, len(data))


@pytest.mark.parametrize("left", [1.0, 0.5, 0.01], ids=["whole", "half", "its beginning"])
def test_a_photo_in_memory_is_described_as_the_same_file_is(
    describer: Describer, window: Window, media_files: MediaFiles, tmp_path: Path, left: float
) -> None:
    data = media_files.photo.read_bytes()
    data = data[: int(len(data) * left)]
    file = tmp_path / "file.jpg"
    file.write_bytes(data)
    gone = os.fsencode(tmp_path / "gone.jpg")
    place = place_of(2, PLACES - 1, len(data))
    assert place is not None
    shown = {gone: show(window, data, place)}
    seen, read = describer.describe([(gone, Kind.PHOTO), (bytes(file), Kind.PHOTO)], shown)
    assert seen == read
    assert (seen.problem is None) == (left == 1)


def test_each_photo_is_told_by_its_own_place(
    describer: Describer, window: Window, tmp_path: Path
) -> None:
    shown, paths = {}, []
    for number in range(5):
        path = tmp_path / f"{number}.png"
        Image.new("L", (10 + number, 7)).save(path)
        paths.append(bytes(path))
        place = place_of(number % 2, number, path.stat().st_size)
        assert place is not None
        if number != 3:  # this one is in no place
            shown[bytes(path)] = show(window, path.read_bytes(), place)
            path.unlink()
    found = describer.describe([(path, Kind.PHOTO) for path in paths], shown)
    assert [media.width for media in found] == [10, 11, 12, 13, 14]


def test_what_is_no_photo_is_read_from_its_file(
    describer: Describer, window: Window, media_files: MediaFiles
) -> None:
    path = bytes(media_files.video)
    (media,) = describer.describe([(path, Kind.VIDEO)], {path: show(window, b"no video", 0)})
    assert (media.kind, media.problem) == (Kind.VIDEO, None)


def test_a_place_outside_the_window_costs_only_that_photo(
    describer: Describer, media_files: MediaFiles, tmp_path: Path
) -> None:
    good, gone = bytes(media_files.photo), bytes(tmp_path / "gone.jpg")
    photos = [(gone, Kind.PHOTO), (good, Kind.PHOTO)]
    lost, found = describer.describe(photos, {gone: Shown(1 << 40, 100)})
    assert isinstance(lost, Media)
    assert lost.problem in (Flag.UNREADABLE, Flag.TRUNCATED)
    assert found.problem is None


def test_a_confined_process_cannot_write_what_it_looks_at(window: Window) -> None:
    """Or one hostile photo could change what is said of the others."""
    with pytest.raises(OSError, match=r"[Bb]ad file descriptor"):
        os.pwrite(window.to_look_through, b"X", 0)
    with pytest.raises(PermissionError):
        mmap.mmap(window.to_look_through, 0)
    with mmap.mmap(window.to_look_through, 0, access=mmap.ACCESS_READ) as seen:
        assert len(seen) == os.fstat(window.to_write).st_size


def test_panes_are_taken_by_one_group_at_a_time_and_memory_goes_back_with_the_last() -> None:
    with closing(Window()) as window:
        panes = [window.take() for _ in range(3)]
        assert sorted(pane for pane in panes if pane is not None) == [0, 1, 2]
        assert window.take() is None
        for pane in panes:
            place = place_of(pane, 5, 1000)
            assert place is not None
            show(window, b"x" * 1000, place)
        window.give_back(None)
        window.give_back(panes[0])
        window.give_back(panes[1])
        assert window.take() in panes
        window.give_back(panes[1])
        assert os.fstat(window.to_write).st_blocks > 0
        window.give_back(panes[2])
        assert os.fstat(window.to_write).st_blocks == 0


def test_places_do_not_overlap_and_a_large_photo_has_none() -> None:
    largest = 64 << 10
    with closing(Window()) as window:
        size = os.fstat(window.to_write).st_size
    places = [place_of(pane, number, largest) for pane in range(3) for number in range(PLACES)]
    begins = sorted(place for place in places if place is not None)
    assert len(begins) == 3 * PLACES
    assert all(b - a > largest for a, b in zip(begins, [*begins[1:], size], strict=True))
    assert all(begin % mmap.PAGESIZE == 0 for begin in begins)
    assert place_of(0, 0, largest + 1) is None
    assert place_of(0, PLACES, 10) is None
    assert place_of(None, 0, 10) is None
