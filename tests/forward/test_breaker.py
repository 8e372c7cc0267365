"""What closes a store's circuit breaker, and what does not."""

import pytest

from recorder_sync.catalogue import store_states
from recorder_sync.forward.destination import destinations_of
from recorder_sync.forward.keeper import Keeper
from recorder_sync.forward.line import Halt, Line
from recorder_sync.forward.records import Records
from recorder_sync.forward.shared import Shared
from recorder_sync.language import T
from recorder_sync.station import station_of_thread
from recorder_sync.stores.store import StoreProblem, Trouble
from tests.forward.conftest import Forwarded

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
