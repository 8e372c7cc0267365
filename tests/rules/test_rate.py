"""A source may ask a number of times at once, and from then on at a steady rate."""

from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.rules.rate import Bucket, Rate, taken

RATES = st.builds(Rate, at_once=st.integers(1, 20), each_s=st.floats(0.01, 10.0, allow_nan=False))


@given(RATES, st.lists(st.floats(0, 5), max_size=60))
def test_never_more_than_at_once_and_one_for_each_interval(rate: Rate, pauses: list[float]) -> None:
    bucket: Bucket | None = None
    at, count = 0.0, 0
    for pause in pauses:
        at += pause
        bucket, wait_s = taken(bucket, rate, at)
        count += wait_s == 0.0
    assert count <= rate.at_once + at / rate.each_s + 1e-6


@given(RATES)
def test_who_waits_as_long_as_told_is_taken(rate: Rate) -> None:
    bucket, wait_s = None, 0.0
    for _ in range(rate.at_once + 1):
        bucket, wait_s = taken(bucket, rate, 100.0)
    assert wait_s > 0
    assert taken(bucket, rate, 100.0 + wait_s + 1e-6)[1] == 0.0


def test_a_clock_that_goes_back_gives_nothing() -> None:
    rate = Rate(at_once=1, each_s=1.0)
    bucket, _ = taken(None, rate, 100.0)
    assert taken(bucket, rate, 50.0)[1] > 0
