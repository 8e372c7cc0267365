"""Everything that a tick asks, in the order in which it is asked."""

from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.watching import cards, devices, footage, station
from recorder_sync.watching.channels import Channels
from recorder_sync.watching.day_figures import DayFigures
from recorder_sync.watching.deferrals import BackDated, Deferrals
from recorder_sync.watching.enforcement import Enforcement
from recorder_sync.watching.ffprobe import Ffprobe
from recorder_sync.watching.of_devices import OfDevices
from recorder_sync.watching.source import Source
from recorder_sync.watching.stores import Stores


def all_sources() -> tuple[Source, ...]:
    """Return the sources, with nothing read yet."""
    deferrals = Deferrals()
    return (
        cards.NotInYet(deferrals),
        devices.Docked(deferrals),
        Enforcement(deferrals),
        BackDated(deferrals),
        OfDevices(
            "interruptions",
            T("Interruptions of recordings"),
            {AlertKind.GAP},
            footage.interruptions,
        ),
        OfDevices(
            "numbers",
            T("Missing numbers of recordings"),
            {AlertKind.SEQUENCE_HOLE},
            cards.numbers,
        ),
        OfDevices(
            "deleted",
            T("What was deleted before it was sealed"),
            {AlertKind.DELETED_BEFORE_INGEST},
            cards.deleted,
        ),
        OfDevices("dates", T("The dates of recordings"), {AlertKind.WRONG_DATE}, footage.dates),
        OfDevices("checks", T("What dockings measure"), devices.MEASURED, devices.measured),
        DayFigures(),
        station.Disk(),
        station.Services(),
        station.Clock(),
        station.TimeSource(),
        station.Backups(),
        station.Witnesses(),
        Ffprobe(),
        Channels(),
        Stores(),
    )
