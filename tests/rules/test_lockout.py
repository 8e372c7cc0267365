"""After five failures in a row nothing is tried for a quarter of an hour, and not for longer."""

from datetime import UTC, datetime, timedelta

from recorder_sync.rules.lockout import Attempts

_AT = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)


def failed(times: int, at: datetime = _AT) -> Attempts:
    attempts = Attempts()
    for _ in range(times):
        attempts = attempts.failed(at)
    return attempts


def test_the_fifth_failure_in_a_row_locks_for_a_quarter_of_an_hour() -> None:
    assert not failed(4).is_locked(_AT)
    locked = failed(5)
    assert locked.is_locked(_AT)
    assert locked.is_locked(_AT + timedelta(minutes=14, seconds=59))
    assert not locked.is_locked(_AT + timedelta(minutes=15))


def test_the_count_begins_anew_after_a_lock_and_after_a_success() -> None:
    later = _AT + timedelta(minutes=16)
    assert failed(5).failed(later).failures == 1
    assert failed(4).succeeded().failed(_AT).failures == 1


def test_a_clock_that_is_set_back_locks_nobody_out_for_years() -> None:
    wrong = _AT + timedelta(days=20 * 365)
    locked = failed(5, wrong)
    assert not locked.is_locked(_AT)
    assert locked.failed(_AT).failures == 1
