"""Every copy has its turn; what a store says of one is believed as far as it goes."""

from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.rules.resampling import Kept, Look, Lost, at_first_sight, due_tonight

CONFIRMED = Kept(10, {"sha256": "0A", "crc64nvme": "01"})


@given(st.integers(0, 3000), st.floats(0.01, 100), st.data())
def test_every_copy_is_looked_at_within_the_nights_that_the_share_names(
    copies: int, percent: float, data: st.DataObject
) -> None:
    left, nights = copies, 0
    while left > 0:
        done = tonight = 0
        while due := due_tonight(copies, percent, done):  # in pieces, as a night is cut off
            done += data.draw(st.integers(1, due))
            tonight = done
        left -= tonight
        nights += 1
    assert nights <= -(-100 // percent)


def test_no_share_and_no_copies_are_no_work() -> None:
    assert due_tonight(1000, 0, 0) == 0
    assert due_tonight(0, 100, 0) == 0
    assert due_tonight(1, 0.01, 0) == 1, "a single copy has its turn too"


def test_what_is_not_there_shorter_longer_or_not_locked_is_lost() -> None:
    assert at_first_sight(CONFIRMED, None) is Lost.MISSING
    assert at_first_sight(CONFIRMED, Kept(9, CONFIRMED.checksums)) is Lost.CHANGED
    assert at_first_sight(CONFIRMED, Kept(11, CONFIRMED.checksums)) is Lost.CHANGED
    unlocked = Kept(10, CONFIRMED.checksums, is_locked=False)
    assert at_first_sight(CONFIRMED, unlocked) is Lost.UNLOCKED


def test_only_a_checksum_that_both_have_and_that_is_the_same_stands_for_the_bytes() -> None:
    assert at_first_sight(CONFIRMED, Kept(10, {"sha256": "0a"})) is Look.SAME
    assert at_first_sight(CONFIRMED, Kept(10, {})) is Look.UNKNOWN
    assert at_first_sight(CONFIRMED, Kept(10, {"md5": "0a"})) is Look.UNKNOWN
    assert at_first_sight(CONFIRMED, Kept(10, {"sha256": "0b", "crc64nvme": "01"})) is Look.UNKNOWN
    assert at_first_sight(Kept(None, {"sha256": "0a"}), Kept(7, {"sha256": "0A"})) is Look.SAME
