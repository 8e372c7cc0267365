"""The map of what is missing from a salvage copy."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.ingest.salvage import merged
from recorder_sync.model import Range

ranges = st.lists(st.builds(Range, st.integers(0, 60), st.integers(1, 20)))


def _bytes(of: tuple[Range, ...] | list[Range]) -> set[int]:
    return {byte for one in of for byte in range(one.offset, one.end)}


@given(ranges)
def test_the_map_names_exactly_the_missing_bytes_in_the_fewest_ranges(missing: list[Range]) -> None:
    joined = merged(missing)
    assert _bytes(joined) == _bytes(missing)
    assert all(before.end < after.offset for before, after in pairwise(joined))
    assert merged(joined) == joined
