"""Recordings by the API: search, one with its custody, and the proof of its sealing."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime

from recorder_sync.catalogue import verified
from recorder_sync.catalogue.answered import how_they_stand
from recorder_sync.catalogue.search import Search, search
from recorder_sync.catalogue.seen_by import visible
from recorder_sync.custody.log import Act
from recorder_sync.description import as_json
from recorder_sync.errors import UsageProblem
from recorder_sync.inspection.sealing_proof import sealing_proof
from recorder_sync.language import T
from recorder_sync.on_record import put
from recorder_sync.rules.access import ApiScope
from recorder_sync.timestamps import iso, iso_or_none
from recorder_sync.web.api.callers import Caller, caller
from recorder_sync.web.api.forms import RecordingsForm, WholeRecordingForm
from recorder_sync.witnessing.making import checkpoints_of, make_checkpoint

router = APIRouter(tags=["recordings"])

_Reader = Annotated[Caller, Depends(caller(ApiScope.RECORDINGS_READ), scope="function")]
_Text = Annotated[str | None, Query(max_length=200)]


@router.get("/recordings", response_model=RecordingsForm)
def search_recordings(
    who: _Reader,
    device: _Text = None,
    officer: _Text = None,
    case: _Text = None,
    party: _Text = None,
    cause: _Text = None,
    name: _Text = None,
    since: AwareDatetime | None = None,
    until: AwareDatetime | None = None,
    on_time: bool | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    after: Annotated[str | None, Query(pattern="^-?[0-9]{1,19}$")] = None,
) -> dict[str, Any]:
    """Sealed recordings by the fields of Art. 25, newest first."""
    db = who.station.catalogue
    page = search(
        db,
        Search(
            device=device,
            officer=officer,
            case=case,
            party=party,
            cause=cause,
            name=name,
            since=_utc(since),
            until=_utc(until),
            on_time=on_time,
            limit=limit,
            after=after,
            scope=who.token.scope,
        ),
    )
    stand = how_they_stand(db, page.found)
    found = [{**as_json(one), **stand[one.id]} for one in page.found]
    return {"recordings": found, "next": page.next}


@router.get("/recordings/{recording}", response_model=WholeRecordingForm)
def show_recording(who: _Reader, recording: str) -> dict[str, Any]:
    """One recording with its custody; that it was looked at goes on record first."""
    station = who.station
    found = visible(station.catalogue, recording, who.token.scope).recording
    put(station, [station.deed(Act.VIEW, found.id, {"what": "description"})])
    return {
        **as_json(found),
        **how_they_stand(station.catalogue, [found])[found.id],
        "verified_at": iso_or_none(verified.last(station.catalogue, found.id)),
        "custody": [
            {
                "seq": entry.seq,
                "time": iso(entry.deed.time),
                "actor": entry.deed.actor,
                "act": entry.deed.act.value,
                "leaf": entry.leaf,
            }
            for entry in station.custody.entries()
            if entry.deed.subject == found.id
        ],
    }


@router.get("/recordings/{recording}/proof", tags=["proofs"])
def prove_recording(
    who: Annotated[Caller, Depends(caller(ApiScope.PROOFS_READ), scope="function")],
    recording: str,
) -> dict[str, Any]:
    """The proof of its sealing, to be checked without this program (docs/custody-format.md)."""
    station = who.station
    checkpoints = checkpoints_of(station.settings)
    sealed = visible(station.catalogue, recording, who.token.scope)
    return sealing_proof(
        station,
        checkpoints,
        sealed,
        lambda: make_checkpoint(station.settings, checkpoints).signed,
    )


def _utc(at: datetime | None) -> datetime | None:
    if at is None:
        return None
    try:
        return at.astimezone(UTC)
    except OverflowError:
        raise UsageProblem(
            T("{text} is beyond the calendar.", text=at), T("Write 2026-11-23T08:30:00Z.")
        ) from None
