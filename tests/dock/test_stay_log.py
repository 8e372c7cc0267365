"""The end of a stay on record, also where its beginning is not."""

from recorder_sync.dock.stay_log import log_end
from recorder_sync.rules.docking import Stay
from tests.conftest import Dock


def test_the_end_of_a_docking_that_never_began_leaves_nothing(dock: Dock) -> None:
    """Its intake failed before anything of it was on record."""
    station = dock.station()
    try:
        size = station.custody.size()
        log_end(station, "20260101-120000-abcdef", Stay.INTERRUPTED)
        assert station.custody.size() == size
    finally:
        station.catalogue.close()
    assert dock.run("catalogue", "rebuild").code == 0
