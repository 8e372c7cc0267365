"""What several threads put on record at once is written in one go, and nobody is told wrongly."""

import threading

import pytest

from recorder_sync.forward.together import Together


def _threads(count: int, work: object) -> list[threading.Thread]:
    made = [threading.Thread(target=work, args=(number,)) for number in range(count)]  # type: ignore[arg-type]
    for thread in made:
        thread.start()
    return made


def test_who_comes_while_another_one_writes_is_written_with_all_who_came_meanwhile() -> None:
    batches: list[list[int]] = []
    begun, goes_on = threading.Event(), threading.Event()

    def write(_place: None, batch: list[int]) -> None:
        batches.append(batch)
        begun.set()
        assert goes_on.wait(10)

    together = Together(write)
    first = _threads(1, lambda _: together.put(None, 100))
    assert begun.wait(10)
    others = _threads(5, lambda number: together.put(None, number))
    while len(together._waiting) < 5:
        pass
    goes_on.set()
    for thread in first + others:
        thread.join(10)
    assert [sorted(batch) for batch in batches] == [[100], [0, 1, 2, 3, 4]]


def test_what_was_not_written_is_an_error_for_each_whose_it_was_and_no_other() -> None:
    def write(_place: None, batch: list[int]) -> None:
        if 13 in batch:
            raise OSError("the disk is full")

    together = Together(write)
    with pytest.raises(OSError, match="full"):
        together.put(None, 13)
    together.put(None, 1)

    failed: list[int] = []
    gate = threading.Lock()

    def write_slowly(place: None, batch: list[int]) -> None:
        with gate:
            write(place, batch)

    held = Together(write_slowly)

    def put(number: int) -> None:
        try:
            held.put(None, number)
        except OSError:
            failed.append(number)

    with gate:
        threads = _threads(1, lambda _: put(7))
        while not held._turn.locked():
            pass
        threads += _threads(1, lambda _: put(13)) + _threads(1, lambda _: put(14))
        while len(held._waiting) < 2:
            pass
    for thread in threads:
        thread.join(10)
    assert sorted(failed) == [13, 14]
