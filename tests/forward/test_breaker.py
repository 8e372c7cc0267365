"""What closes a store's circuit breaker, and what does not."""

import threading
from dataclasses import replace

import pytest

from recorder_sync.catalogue import store_states
from recorder_sync.forward.destination import destinations_of
from recorder_sync.forward.keeper import Keeper
from recorder_sync.forward.line import Halt, Line
from recorder_sync.forward.records import Records
from recorder_sync.forward.shared import Shared
from recorder_sync.language import T
from recorder_sync.station import station_of_thread
from recorder_sync.stores.store import Interrupted, Store, StoreProblem, Trouble
from tests.forward.conftest import Forwarded
from tests.ingest.aftermath import until

FREE = Line(lambda: None)


@pytest.mark.parametrize(
    ("trouble", "was_there", "is_back"),
    [
        (Trouble.FULL, True, False),
        (Trouble.REFUSED, True, False),
        (Trouble.TRANSIENT, False, True),
        (Trouble.REFUSED, False, True),
    ],
)
def test_that_there_is_nothing_to_send_says_that_a_store_is_there_and_not_that_it_takes_anything(
    forwarded: Forwarded, trouble: Trouble, was_there: bool, is_back: bool
) -> None:
    bed = forwarded
    bed.set_up()
    bed.bind()
    bed.seal(1)
    assert bed.dock.run("custody", "checkpoint").code == 0
    station = bed.dock.station()
    try:
        (destination,) = destinations_of(station.settings)
        shared, halt = Shared(destination, Halt()), Halt()
        keeper = Keeper(shared, lambda: station_of_thread(station.settings), FREE)
        records = Records(station, destination, FREE, halt)
        keeper._try(station, records)
        assert list(bed.nas.rglob("*.jsonl")), "the log is there"
        shared.fails(
            station, StoreProblem(trouble, T("It says no.")), is_open=was_there, was_there=was_there
        )
        keeper._try(station, records)
        noted = store_states.state_of(station.catalogue, "nas").trouble
        assert noted == (None if is_back else trouble.value)
        with shared.trying() as may:
            assert may is is_back, "else it is left alone for a while"
    finally:
        station.catalogue.close()


class _Counting:
    """A lock that says how many wanted it."""

    def __init__(self) -> None:
        self.wanted = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        self.wanted += 1
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def test_a_store_that_is_away_fails_once_for_all_who_wait_for_it(forwarded: Forwarded) -> None:
    bed = forwarded
    bed.set_up()
    goes_on = threading.Event()
    tried: list[int] = []

    def opens() -> Store:
        tried.append(1)
        assert goes_on.wait(10)
        raise StoreProblem(Trouble.TRANSIENT, T("It is away."))

    station = bed.dock.station()
    (destination,) = destinations_of(station.settings)
    station.catalogue.close()
    shared = Shared(replace(destination, opens=opens), Halt())
    shared._place_lock = turn = _Counting()  # type: ignore[assignment]
    came: list[type[Exception]] = []

    def ask() -> None:
        try:
            shared.store()
        except (StoreProblem, Interrupted) as error:
            came.append(type(error))

    asking = [threading.Thread(target=ask) for _ in range(16)]
    for thread in asking:
        thread.start()
    until(lambda: turn.wanted == 16, "all of them ask")
    goes_on.set()
    for thread in asking:
        thread.join(10)
    assert sorted(came, key=str) == [Interrupted] * 15 + [StoreProblem]
    assert tried == [1]
