"""What every command starts with: the settings, and the station opened by them."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time
from types import FrameType

import typer

from recorder_sync.catalogue.catching_up import is_behind, take_up_rest
from recorder_sync.cli.options import Options
from recorder_sync.cli.screen import messages
from recorder_sync.config import Configuration, load, path_in_use
from recorder_sync.errors import CustodyProblem, UsageProblem
from recorder_sync.language import T
from recorder_sync.station import Station, open_station


def settings_of(context: typer.Context) -> Configuration:
    """Return the configuration in use. Raises ConfigurationProblem or MissingPart."""
    options = context.find_object(Options)
    assert options is not None
    return load(path_in_use(options.config))


@contextmanager
def station_of(context: typer.Context) -> Iterator[Station]:
    """Open the station of the configuration in use; close its catalogue at the end."""
    station = open_station(settings_of(context))
    try:
        if is_behind(station.catalogue, station.custody):
            messages.print(
                T(
                    "The catalogue is older than the custody log: what was sealed since is not "
                    "shown. Run: recorder-sync catalogue rebuild"
                ).shown
            )
        yield station
    finally:
        station.catalogue.close()


@contextmanager
def writing_station_of(context: typer.Context) -> Iterator[Station]:
    """Open it for a command that enters something: what one that was killed had put on record
    only is in the catalogue then."""
    with station_of(context) as station:
        behind: CustodyProblem | None = None
        try:
            take_up_rest(station.catalogue, station.custody)
        except CustodyProblem as problem:  # what is to be entered may be right all the same
            behind = problem
        yield station
        if behind is not None:
            text = T("The catalogue is not brought up to the custody log: {why}", why=behind.text)
            messages.print(text.shown, markup=False)


@contextmanager
def on_stop_signals(stop: Callable[[], None]) -> Iterator[list[int]]:
    """Call `stop` at Ctrl-C or SIGTERM; the list yielded then holds the signal's number."""
    received: list[int] = []

    def handle(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        stop()

    before = {n: signal.signal(n, handle) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def read_time(text: str, settings: Configuration) -> datetime:
    """Read a date or a time given on the command line, as the station's local time.

    Raises UsageProblem.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageProblem(
            T("{text} is no date or time.", text=text),
            T("Write 2026-11-23 or 2026-11-23T08:30."),
        ) from None
    if len(text) == len("2026-11-23"):
        found = datetime.combine(found, time())
    found = found if found.tzinfo else found.replace(tzinfo=settings.station.zone)
    try:
        return found.astimezone(UTC)
    except OverflowError:
        raise UsageProblem(
            T("{text} is beyond the calendar.", text=text),
            T("Write 2026-11-23 or 2026-11-23T08:30."),
        ) from None
