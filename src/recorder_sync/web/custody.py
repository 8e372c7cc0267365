"""The custody log: how long it is, who vouches for it, its last entries, and proofs (Art. 5).

Pages are stretches of the log by entry number, so each is found at once however long it is.
What an entry is about is shown only where it concerns what the visitor may see.
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from itertools import islice
from typing import Annotated, Any
from urllib.parse import quote

import segno
from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse

from recorder_sync.catalogue.documents import seen_document, seen_documents
from recorder_sync.catalogue.seen_by import seen_recordings, visible
from recorder_sync.custody.checkpoints import Checkpoints
from recorder_sync.custody.cosignature import WitnessKey, cosignatures, signature_lines, text_of
from recorder_sync.custody.log import Act, Entry
from recorder_sync.errors import CustodyProblem
from recorder_sync.inspection.sealing_proof import Provable, sealing_proof
from recorder_sync.rules.access import Permission, Reach
from recorder_sync.rules.documents import is_document
from recorder_sync.web.about import fingerprint
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import Visit, visitor
from recorder_sync.witnessing.making import checkpoints_of, make_checkpoint
from recorder_sync.witnessing.witnessed import Witnessed

router = APIRouter(prefix="/custody")

Seeing = Annotated[Visit, Depends(visitor(Permission.SEE_CUSTODY), scope="function")]

_SEE_OTHER = 303
_SHOWN = 50
_LOOKED_AT = 4_000
"""Entries that one page looks through for what is asked for."""
_CHECKPOINTS = 8
_CASE = "case:"
"""What the subject of an entry about a case begins with."""
_NOTES = 64
"""Cosigned notes among which those of the shown checkpoints are looked for."""
_OF_RECORDINGS = frozenset(
    {Act.SEAL, Act.VIEW, Act.EXPORT, Act.EXPORT_FAILED, Act.TAG, Act.MARK, Act.BOOKMARK}
    | {Act.DOCUMENT, Act.DOCUMENT_CORRECTED, Act.BELONGS_TO_DOCUMENT}
    | {Act.CONFIRMED, Act.SEEN_AGAIN, Act.COPY_LOCKED, Act.LEGAL_HOLD, Act.HOLD_RELEASED}
)
"""Acts whose subject is a recording, or a document of a case."""


@dataclass(frozen=True, slots=True)
class VouchedFor:
    """A checkpoint, and who vouches for it beside the station."""

    size: int
    root: str
    witnesses: tuple[tuple[str, datetime], ...]
    is_stamped: bool
    """Whether the time stamp of an authority is kept with it."""


@router.get("")
def custody(
    request: Request,
    visit: Seeing,
    act: Annotated[str, Query()] = "",
    subject: Annotated[str, Query(max_length=200)] = "",
    actor: Annotated[str, Query(max_length=200)] = "",
    before: Annotated[int | None, Query(ge=0, le=2**62)] = None,
) -> Response:
    wanted = Act(act) if act in set(Act) else None
    size = visit.station.custody.size()
    end = size if before is None else min(before, size)
    found, looked_to = _entries(visit, end, wanted, subject.strip(), actor.strip())
    seen = _seen(visit, found)
    if subject.strip():  # what was asked for by name does not exist where it is not to be seen
        found = [entry for entry in found if entry.deed.subject in seen]
    values: dict[str, Any] = {
        "size": size,
        "entries": [(one, one.deed.subject in seen, _page_of(visit, one)) for one in found],
        "before": looked_to if looked_to > 0 else None,
        "is_first": before is None,
        "end": end,
        "act": wanted,
        "acts": list(Act),
        "subject": subject,
        "actor": actor,
        "may_prove": visit.may(Permission.SEE_RECORDINGS),
        **_vouched_for(visit),
    }
    return page(request, "station/custody.html", values)


@router.get("/verifier-key.svg")
def verifier_code(visit: Seeing) -> Response:
    """Return the verifier key as a QR code, to be taken along by telephone."""
    key = str(checkpoints_of(visit.settings).verifier())
    picture = BytesIO()
    segno.make(key, error="m", micro=False).save(picture, kind="svg", scale=4, border=2)
    return Response(picture.getvalue(), media_type="image/svg+xml")


@router.post("/proof")
def prove_form(visit: Seeing, recording: Annotated[str, Form(max_length=100)]) -> Response:
    """Lead to the proof of a recording or document that somebody typed the id of."""
    return RedirectResponse(f"/custody/proof/{_sealed(visit, recording.strip()).id}", _SEE_OTHER)


@router.get("/proof/{identifier}")
def prove(visit: Seeing, identifier: str) -> Response:
    """Hand out the proof of one sealing; that it was made is on record."""
    found = _sealed(visit, identifier)
    checkpoints = checkpoints_of(visit.settings)
    proof = sealing_proof(
        visit.station,
        checkpoints,
        found,
        lambda: make_checkpoint(visit.settings, checkpoints).signed,
    )
    name = f"proof-{found.id}.json"
    return Response(
        json.dumps(proof, ensure_ascii=False, indent=1) + "\n",
        media_type="application/json",
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def _sealed(visit: Visit, identifier: str) -> Provable:
    """Return a recording or document within reach. Raises NotFound."""
    db, scope = visit.station.catalogue, visit.account.scope
    if is_document(identifier):
        return seen_document(db, identifier, scope)
    return visible(db, identifier, scope)


def _entries(
    visit: Visit, end: int, act: Act | None, subject: str, actor: str
) -> tuple[list[Entry], int]:
    """Return a page of entries before number `end`, and how far down was looked."""

    def fits(entry: Entry) -> bool:
        deed = entry.deed
        return (
            act in {None, deed.act}
            and (not subject or deed.subject.startswith(subject))
            and (not actor or actor in deed.actor)
        )

    found: list[Entry] = []
    upper, lowest = end, max(0, end - _LOOKED_AT)
    while upper > lowest and len(found) < _SHOWN:
        lower = max(lowest, upper - (_SHOWN if not (act or subject or actor) else 500))
        for entry in reversed(list(_between(visit, lower, upper))):
            if fits(entry):
                found.append(entry)
                if len(found) == _SHOWN:
                    return found, entry.seq
        upper = lower
    return found, upper


def _between(visit: Visit, lower: int, upper: int) -> Iterator[Entry]:
    for entry in visit.station.custody.entries(lower):
        if entry.seq >= upper:
            return
        yield entry


def _seen(visit: Visit, found: list[Entry]) -> frozenset[str]:
    """Return the subjects of these entries that the visitor may see."""
    scope = visit.account.scope
    of_recordings = [e.deed.subject for e in found if _is_of_recording(e)]
    seen = seen_recordings(visit.station.catalogue, of_recordings, scope)
    seen |= seen_documents(visit.station.catalogue, (e.deed.subject for e in found), scope)
    others = {e.deed.subject for e in found if not _is_of_recording(e)}
    if scope.reach is not Reach.ALL:
        others = {one for one in others if not one.startswith(_CASE)}
    return seen | others


def _page_of(visit: Visit, entry: Entry) -> str | None:
    """Return where the recording or document is that an entry is about; None for others."""
    if not _is_of_recording(entry) or not visit.may(Permission.SEE_RECORDINGS):
        return None
    where = "documents" if is_document(entry.deed.subject) else "recordings"
    return f"/{where}/{quote(entry.deed.subject, safe='')}"


def _is_of_recording(entry: Entry) -> bool:
    return entry.deed.act in _OF_RECORDINGS and not entry.deed.subject.startswith(_CASE)


def _vouched_for(visit: Visit) -> dict[str, Any]:
    """Return the verifier key and the newest checkpoints; what cannot be read is said."""
    checkpoints = checkpoints_of(visit.settings)
    try:
        if not visit.station.custody.is_begun():
            return {"verifier": None, "checkpoints": [], "problem": None}
        verifier = checkpoints.verifier()
        return {
            "verifier": str(verifier),
            "fingerprint": fingerprint(verifier),
            "checkpoints": _checkpoints(visit, checkpoints),
            "problem": None,
        }
    except CustodyProblem as problem:
        return {"verifier": None, "checkpoints": [], "problem": problem}


def _checkpoints(visit: Visit, checkpoints: Checkpoints) -> list[VouchedFor]:
    settings = visit.settings
    witnessed = Witnessed(settings.paths.state / "custody")
    keys = [WitnessKey.parse(one.key) for one in settings.witness.servers]
    stamped = {size for size, _ in witnessed.timestamps()}
    notes = {path.name: note for path, note in islice(witnessed.notes(), _NOTES)}
    found = []
    for signed in checkpoints.kept():
        size = signed.checkpoint.size
        note = notes.get(f"{size:020d}")
        witnesses: tuple[tuple[str, datetime], ...] = ()
        if note is not None:
            with suppress(ValueError, IndexError):  # one that is false is verification's to name
                witnesses = tuple(
                    (one.witness.name, one.time)
                    for one in cosignatures(text_of(note), signature_lines(note), keys)
                )
        found.append(VouchedFor(size, signed.checkpoint.root.hex(), witnesses, size in stamped))
        if len(found) == _CHECKPOINTS:
            break
    return found
