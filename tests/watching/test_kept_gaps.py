"""What is kept in memory of the gaps of a week is what a look at all of it finds (Art. 20)."""

from datetime import UTC, datetime, timedelta

from recorder_sync.catalogue import recordings
from recorder_sync.custodian.interruptions import explain_by_voice
from recorder_sync.custodian.kept_gaps import KeptGaps, ListedGap, gaps_ending_in
from recorder_sync.custodian.registration import DeviceEntry, register_devices, register_officers
from recorder_sync.inspection.correction import Correction, correct
from recorder_sync.model import Officer
from tests.conftest import Card, MediaFiles
from tests.watching.bed import DAY, DEVICE, HOUR, OFFICER, Bed, another, named

BEGINS = datetime(2026, 11, 23, 1, tzinfo=UTC)
"""09:00 in Beijing."""
WEEK = BEGINS - 3 * DAY, BEGINS + 4 * DAY
MINUTE = timedelta(minutes=1)


class Kept:
    """Gaps that are kept, each time held against those that are found anew."""

    def __init__(self, bed: Bed) -> None:
        self._bed = bed
        self._kept = KeptGaps()

    def now(self) -> list[ListedGap]:
        station = self._bed.station
        found = sorted(self._kept.ending_in(station, *WEEK), key=lambda one: one.begins)
        anew = gaps_ending_in(station, None, *WEEK)
        assert found == sorted(anew, key=lambda one: one.begins)
        return found


def test_art_20_whatever_changes_a_gap_is_seen_at_the_next_look(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    def film(minute: int, number: int) -> None:
        at = BEGINS + minute * MINUTE
        name = named(f"{at + 8 * HOUR:%Y%m%d_%H%M%S}")
        card.put(name, another(media_files.audio, number), at)

    bed.register()
    register_officers(bed.station, [Officer("000002", "张伟")])
    register_devices(bed.station, [DeviceEntry("CAM002")])
    kept = Kept(bed)
    assert kept.now() == []
    film(0, 1)
    film(20, 2)
    bed.now = BEGINS + HOUR
    resumed = max(bed.take_in(card).sealed, key=lambda one: one.start)
    (gap,) = kept.now()
    assert (gap.device, gap.after, gap.officer) == (DEVICE, resumed.id, OFFICER)
    assert not gap.is_explained

    film(10, 3)
    bed.take_in(card)
    assert [(one.after == resumed.id) for one in kept.now()] == [False, True], "a card came later"

    explain_by_voice(bed.station, resumed.id, 1.0, None, "王队")
    assert [one.is_explained for one in kept.now()] == [False, True]

    known = recordings.recording(bed.station.catalogue, resumed.id).recording
    correct(bed.station, known, Correction("王队", "wrong officer", officer="000002"))
    assert [one.officer for one in kept.now()] == [OFFICER, "000002"]

    known = recordings.recording(bed.station.catalogue, resumed.id).recording
    correct(bed.station, known, Correction("王队", "wrong device", device="CAM002"))
    assert len(kept.now()) == 1, "it is of another device, and resumes nothing there"


def test_a_look_without_news_reads_no_recording(
    bed: Bed, card: Card, media_files: MediaFiles
) -> None:
    bed.register()
    for number in (1, 2):
        at = BEGINS + number * 20 * MINUTE
        name = named(f"{at + 8 * HOUR:%Y%m%d_%H%M%S}")
        card.put(name, another(media_files.audio, number), at)
    bed.now = BEGINS + 2 * HOUR
    bed.take_in(card)
    kept, station, asked = KeptGaps(), bed.station, list[str]()
    assert len(kept.ending_in(station, *WEEK)) == 1
    station.catalogue.conn.set_trace_callback(asked.append)
    assert len(kept.ending_in(station, *WEEK)) == 1
    station.catalogue.conn.set_trace_callback(None)
    assert asked
    assert not [one for one in asked if "recordings" in one]
