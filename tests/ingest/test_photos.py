"""A card full of photos: described from memory where that is possible, and all of them."""

import re
from contextlib import nullcontext
from pathlib import Path

import pytest

from recorder_sync.cli.intake_display import display_for
from recorder_sync.ingest.capacity import Capacity, capacity_of
from recorder_sync.ingest.copying import Copying
from recorder_sync.ingest.intake import Request, take_in
from recorder_sync.ingest.lanes import Lanes
from recorder_sync.ingest.stopping import Stop
from tests.conftest import Card, Dock, MediaFiles
from tests.ingest.aftermath import ask, check_evidence
from tests.system_calls import system_calls

_PHOTOS = 256
_LARGE = "255.jpg"


def test_what_was_read_back_is_not_read_from_the_disk_again_to_describe_it(
    dock: Dock, card: Card, media_files: MediaFiles, tmp_path: Path
) -> None:
    dock.configure(ingest={"immutable": False})
    names = [f"{number}.jpg" for number in range(_PHOTOS)]
    for number, name in enumerate(names):
        padding = bytes(100_000 if name == _LARGE else 0)
        card.put(name, media_files.photo.read_bytes() + padding + number.to_bytes(2, "big"))
    watched = ("-s", "300", "-e", "trace=execve,openat")
    calls = system_calls(dock.command("ingest", card.path), tmp_path / "calls", *watched)
    (confined,) = re.findall(r'^(\d+) +execve\(.*"recorder_sync\.media\.confined"', calls, re.M)
    opened = set(re.findall(rf'^{confined} +openat\([^"]*"[^"]*?([^/"]+)\.part"', calls, re.M))
    assert "255" in opened, "it is larger than a place in memory"
    assert len(opened) <= _PHOTOS - 64, "the first group always finds a pane"
    check_evidence(dock, *names)
    listed = ask(dock, "recordings", "list", "--limit", "300", "--json").json["recordings"]
    found = {(one["media"]["width"], one["media"]["make"]) for one in listed}
    assert (len(listed), found) == (_PHOTOS, {(320, "SIMULATED")})


@pytest.mark.parametrize("broken", [None, (Copying, "small"), (Lanes, "_described")], ids=str)
def test_all_memory_is_free_again_after_an_intake_however_it_ended(
    dock: Dock,
    card: Card,
    media_files: MediaFiles,
    monkeypatch: pytest.MonkeyPatch,
    broken: tuple[type, str] | None,
) -> None:
    """A dock runs for months: each pane that got lost would make all cards after it slower."""
    for number in range(_PHOTOS):
        card.put(f"{number}.jpg", media_files.photo.read_bytes() + number.to_bytes(2, "big"))
    if broken is not None:
        monkeypatch.setattr(*broken, breaks)
    station = dock.station()
    with (
        capacity_of(station.settings) as capacity,
        display_for(station.settings, quiet=True) as display,
        pytest.raises(RuntimeError, match="on purpose") if broken else nullcontext(),
    ):
        take_in(station, Request(card.path), capacity, display.card(None), Stop())
    # Its threads have ended with it: nobody describes any more.
    assert free_panes(capacity) == 3
    station.catalogue.close()


def breaks(*_: object) -> None:
    raise RuntimeError("broken on purpose")


def free_panes(capacity: Capacity) -> int:
    panes = [capacity.window.take() for _ in range(10)]
    return len(panes) - panes.count(None)


def test_many_photos_are_entered_with_few_statements(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    """SQLite keeps pages for each statement that may fail: it took longer than all else."""
    for number in range(_PHOTOS):
        card.put(f"{number}.jpg", media_files.photo.read_bytes() + number.to_bytes(2, "big"))
    station = dock.station()
    statements: set[str] = set()  # one that fires triggers is told again for each row
    station.catalogue.conn.set_trace_callback(statements.add)
    with (
        capacity_of(station.settings) as capacity,
        display_for(station.settings, quiet=True) as display,
    ):
        take_in(station, Request(card.path), capacity, display.card(None), Stop())
    assert len(statements) < _PHOTOS
    check_evidence(dock, *(f"{number}.jpg" for number in range(_PHOTOS)))
