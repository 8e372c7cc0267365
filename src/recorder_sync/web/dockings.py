"""Dockings: what happened at each plug-in, with the card's whole inventory."""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from recorder_sync.catalogue import dockings as catalogue
from recorder_sync.catalogue import recordings
from recorder_sync.catalogue.dockings import Docking, InventoryEntry, Result
from recorder_sync.catalogue.seen_by import seen_recordings
from recorder_sync.errors import NotFound
from recorder_sync.model import ItemOutcome
from recorder_sync.rules.access import Permission
from recorder_sync.rules.docking import Stay
from recorder_sync.web.drawing import WIDTH, Bar
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import Visit, visitor

router = APIRouter(prefix="/dockings")

Seeing = Annotated[Visit, Depends(visitor(Permission.SEE_STATION), scope="function")]

_SHOWN = 40
_FILES = 300
_WORST_FIRST = (
    ItemOutcome.FAILED,
    None,
    ItemOutcome.SKIPPED,
    ItemOutcome.SEALED,
    ItemOutcome.ALREADY_SEALED,
)
_ON_ITS_OWN = frozenset({Stay.HELD, Stay.REMOVED_EARLY, Stay.INTERRUPTED})


@dataclass(frozen=True, slots=True)
class Salvage:
    """What could not be read of a recording, drawn over its whole length."""

    recording: str
    name: str
    size: int
    missing: int
    bars: tuple[Bar, ...]


@router.get("")
def dockings(
    request: Request,
    visit: Seeing,
    device: Annotated[str, Query(max_length=100)] = "",
    state: Annotated[str, Query()] = "",
    after: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    result = Result(state) if state in set(Result) else None
    found = catalogue.newest(
        visit.station.catalogue,
        visit.account.scope,
        device.strip() or None,
        result,
        after,
        _SHOWN,
    )
    given = {"device": device, "state": result.value if result else ""}
    query = urlencode({name: value for name, value in given.items() if value})
    return page(
        request,
        "dockings/list.html",
        {
            "found": found.found,
            "word_of": result_word,
            "kind_of": result_kind,
            "next": f"/dockings?{query}&after={found.next}" if found.next else None,
            "first": f"/dockings?{query}" if after else None,
            "device": device,
            "result": result,
            "results": list(Result),
        },
    )


@router.get("/{identifier}")
def docking(
    request: Request,
    visit: Seeing,
    identifier: str,
    skip: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Response:
    db, scope = visit.station.catalogue, visit.account.scope
    found = catalogue.seen_docking(db, identifier, scope)
    files: list[InventoryEntry] = []
    if visit.may(Permission.SEE_RECORDINGS):
        files = _seen(visit, catalogue.inventory_of(db, found.id))
    files.sort(key=lambda one: _WORST_FIRST.index(one.outcome))
    return page(
        request,
        "dockings/one.html",
        {
            "one": found,
            "word": result_word(found),
            "kind": result_kind(found),
            "files": files[skip : skip + _FILES],
            "count": len(files),
            "next": skip + _FILES if len(files) > skip + _FILES else None,
            "skip": skip,
            "salvaged": _salvaged(visit, files),
            "sees_files": visit.may(Permission.SEE_RECORDINGS),
        },
    )


def result_word(one: Docking) -> str:
    """Return how a docking went, or where it stands, as a word to translate."""
    if one.state is not None and one.state in _ON_ITS_OWN:
        return one.state.value
    return one.outcome.value if one.outcome else "in progress"


def result_kind(one: Docking) -> str:
    """Return the kind of badge of `result_word`."""
    return {
        "done": "good",
        "done-with-problems": "warn",
        "in progress": "busy",
        "held": "warn",
        "removed-early": "bad",
        "interrupted": "bad",
    }.get(result_word(one), "quiet")


def _seen(visit: Visit, files: list[InventoryEntry]) -> list[InventoryEntry]:
    """Leave out the files whose recording is not within the scope of a visit."""
    named = [one.recording for one in files if one.recording is not None]
    seen = seen_recordings(visit.station.catalogue, named, visit.account.scope)
    return [one for one in files if one.recording is None or one.recording in seen]


def _salvaged(visit: Visit, files: list[InventoryEntry]) -> list[Salvage]:
    found = []
    for one in files:
        if one.outcome is not ItemOutcome.FAILED or one.recording is None:
            continue
        try:
            recording = recordings.recording(visit.station.catalogue, one.recording).recording
        except NotFound:  # it is being sealed just now
            continue
        whole = max(1, recording.size)
        bars = tuple(
            Bar(
                min(WIDTH - 2, lost.offset * WIDTH // whole),
                max(2, lost.length * WIDTH // whole),
                "gap",
                f"{lost.offset}–{lost.offset + lost.length}",
                None,
            )
            for lost in recording.missing
        )
        missing = sum(lost.length for lost in recording.missing)
        found.append(Salvage(recording.id, one.path.shown, recording.size, missing, bars))
    return found
