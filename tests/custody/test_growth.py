"""The daemon knows how far the log has grown without ever making anybody wait."""

from pathlib import Path

import pytest

from recorder_sync.custody import growth as growth_module
from recorder_sync.custody.growth import LogGrowth
from recorder_sync.durable import exclusive
from tests.custody.test_log import deed, filled, log_in, segments, segments_of_five

__all__ = ["segments_of_five"]


@pytest.fixture
def short_segments(segments_of_five: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth_module, "SEGMENT_ENTRIES", 5)


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("batch", [1, 3, 7])
def test_the_number_of_entries_is_followed_over_segments(tmp_path: Path, batch: int) -> None:
    growth, log = LogGrowth(tmp_path), log_in(tmp_path)
    assert growth.entries() == 0
    for _ in range(8):
        log.append([deed(n) for n in range(batch)])
        assert growth.entries() == log.size()
    assert LogGrowth(tmp_path).entries() == log.size()


def test_a_log_whose_lock_is_held_can_be_looked_at(tmp_path: Path) -> None:
    filled(tmp_path, 4)
    with exclusive(tmp_path / "lock"):
        assert LogGrowth(tmp_path).entries() == 4


def test_a_torn_line_is_no_entry_and_what_follows_it_is_counted(tmp_path: Path) -> None:
    (segment,) = segments(filled(tmp_path, 3))
    growth = LogGrowth(tmp_path)
    with segment.open("ab") as file:
        file.write(b'{"act":')
    assert growth.entries() == 3
    assert log_in(tmp_path).size() == 3  # the torn line is set aside
    assert growth.entries() == 3
    log_in(tmp_path).append([deed(3)])
    assert growth.entries() == 4
