"""What an officer adds at a tile: who they are by number and PIN, then case, marks and reasons.

Answers are pieces of a page that dock.js puts into the drawer. Nothing is changed without a
session of that very docking; what is put on record names the officer.
"""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException, Query, Request, Response

from recorder_sync.access.pins import check_pin
from recorder_sync.access.signing_in import Outcome
from recorder_sync.catalogue import dockings, ledger
from recorder_sync.custodian import interruptions, shift
from recorder_sync.custodian.shift import Shift
from recorder_sync.custodian.standing import standing_of
from recorder_sync.custody.log import Act
from recorder_sync.errors import NotFound, RecorderSyncError, UsageProblem
from recorder_sync.language import T, Text
from recorder_sync.on_record import put
from recorder_sync.previews.folder import Form as PreviewForm
from recorder_sync.previews.folder import Wanted
from recorder_sync.previews.maker import PreviewMaker
from recorder_sync.rules.stage import Stage
from recorder_sync.station import Station
from recorder_sync.web.desks import Desk
from recorder_sync.web.dock import viewer
from recorder_sync.web.dock_sessions import IDLE_S, AtTile, OfficerSessions
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import OpenDesk

router = APIRouter(prefix="/dock/officer", dependencies=[Depends(viewer)])

_COOKIE = "dock"
_UNAUTHORIZED, _UNPROCESSABLE = 401, 422

Chosen = Annotated[list[str], Form(max_length=500)]
Short = Annotated[str, Form(max_length=100)]


def _sessions(request: Request) -> OfficerSessions:
    found = request.app.state.officers
    assert isinstance(found, OfficerSessions)
    return found


def _at_tile(request: Request, docking: str) -> AtTile | None:
    return _sessions(request).resume(request.cookies.get(_COOKIE), docking)


def _station_of(desk: Desk, officer: str) -> Station:
    return desk.of(f"officer:{officer}").station


@router.get("/{docking}")
def opened(request: Request, desk: OpenDesk, docking: str) -> Response:
    """Ask who it is, or go on with an officer whose minute is not over."""
    if (here := _at_tile(request, docking)) is not None:
        return _sheet(request, desk, here)
    return _asked(request, desk, docking)


@router.post("/{docking}/identify")
def identify(
    request: Request, desk: OpenDesk, docking: str, officer: Short = "", pin: Short = ""
) -> Response:
    officer = officer.strip()
    address = request.client.host if request.client else None
    outcome = check_pin(desk.accounts, officer, pin, address, desk.station.now())
    if outcome is not Outcome.SIGNED_IN:
        problem = (
            T("Too many failures. Try again in 15 minutes, or ask the administrator.")
            if outcome is Outcome.LOCKED
            else T("Certificate number or PIN is wrong.")
        )
        return _asked(request, desk, docking, problem, officer)
    token = _sessions(request).begin(officer, docking)
    here = _sessions(request).resume(token)
    assert here is not None
    answer = _sheet(request, desk, here)
    answer.set_cookie(
        _COOKIE,
        token,
        path="/dock",
        httponly=True,
        secure=desk.station.settings.web.is_encrypted,
        samesite="strict",
    )
    return answer


@router.post("/stay")
def stay(request: Request) -> Response:
    """Somebody touched the screen: the minute begins anew."""
    found = _sessions(request).resume(request.cookies.get(_COOKIE))
    return Response(status_code=204 if found else _UNAUTHORIZED)


@router.post("/leave")
def leave(request: Request) -> Response:
    _sessions(request).end(request.cookies.get(_COOKIE))
    answer = Response(status_code=204)
    answer.delete_cookie(_COOKIE, path="/dock")
    return answer


@router.post("/{docking}/case")
def case(
    request: Request,
    desk: OpenDesk,
    docking: str,
    case: Short = "",
    clip: Chosen = [],  # noqa: B006
) -> Response:
    def work(station: Station, now: Shift) -> Text:
        count = shift.choose_case(station, now, clip, case)
        return T("{count} clip(s) now belong to case {case}.", count=count, case=case)

    return _changed(request, desk, docking, work)


@router.get("/{docking}/cases")
def found_cases(
    request: Request,
    desk: OpenDesk,
    docking: str,
    q: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """The open cases of the officer's unit that are meant by what was typed so far."""
    here = _at_tile(request, docking)
    if here is None:
        return _over(request, desk, docking)
    station = _station_of(desk, here.officer)
    now = shift.shift_of(station, docking, here.officer)
    values = {"found": shift.find_cases(station, now, q), "typed": q.strip()}
    return page(request, "dock/cases.html", values)


@router.post("/{docking}/shows")
def shows(
    request: Request,
    desk: OpenDesk,
    docking: str,
    stage: Annotated[Stage | None, Form()] = None,
    item: Short = "",
    clip: Chosen = [],  # noqa: B006
) -> Response:
    """Mark what the clips show: an item, a stage alone, or neither of what was marked."""

    def work(station: Station, now: Shift) -> Text:
        shift.mark_shown(station, now, clip, stage, item or None)
        return T("The marks are on record.")

    return _changed(request, desk, docking, work)


@router.post("/{docking}/important")
def important(
    request: Request,
    desk: OpenDesk,
    docking: str,
    is_so: Short = "yes",
    clip: Chosen = [],  # noqa: B006
) -> Response:
    def work(station: Station, now: Shift) -> Text:
        shift.mark_important(station, now, clip, important=is_so == "yes")
        return T("The marks are on record.")

    return _changed(request, desk, docking, work)


@router.post("/{docking}/notified")
def notified(request: Request, desk: OpenDesk, docking: str, clip: Chosen = []) -> Response:  # noqa: B006
    def work(station: Station, now: Shift) -> Text:
        shift.confirm_notified(station, now, clip)
        return T("It is on record that the person was told.")

    return _changed(request, desk, docking, work)


@router.post("/{docking}/gap")
def gap(
    request: Request,
    desk: OpenDesk,
    docking: str,
    after: Short,
    minute: Annotated[float | None, Form(ge=0)] = None,
    second: Annotated[float | None, Form(ge=0, le=60)] = None,
    text: Annotated[str, Form(max_length=500)] = "",
    other: Short = "",
    other_pin: Short = "",
) -> Response:
    """Explain an interruption: heard in the recording, or written by two officers (Art. 20)."""

    def work(station: Station, now: Shift) -> Text:
        now.clip(after)
        who = now.officer.name or now.officer.cert_no
        if not text.strip():
            at = 60 * (minute or 0) + (second or 0)
            interruptions.explain_by_voice(station, after, at, None, who)
        else:
            _refuse_other(request, desk, other.strip(), other_pin)
            signers = [now.officer.cert_no, other.strip()]
            interruptions.explain_in_writing(station, after, signers, text, who)
        return T("The explanation is on record.")

    return _changed(request, desk, docking, work)


def _refuse_other(request: Request, desk: Desk, officer: str, pin: str) -> None:
    """Have the second officer say who they are as well. Raises UsageProblem."""
    address = request.client.host if request.client else None
    if check_pin(desk.accounts, officer, pin, address, desk.station.now()) is not Outcome.SIGNED_IN:
        raise UsageProblem(
            T("The second officer's number or PIN is wrong."),
            T("A written explanation is signed by two different officers."),
        )


@router.get("/{docking}/picture/{recording}")
def picture(request: Request, docking: str, recording: str) -> Response:
    """The thumbnail of a clip that is on the officer's sheet, where it is made already."""
    token = request.cookies.get(_COOKIE)
    here = _sessions(request).resume(token, docking, is_touched=False)
    if here is None or recording not in here.seen:
        raise HTTPException(404)
    maker: PreviewMaker = request.app.state.previews
    handle = maker.folder.opened(Wanted(recording, PreviewForm.THUMBNAIL))
    if handle is None:
        raise HTTPException(404)
    with open(handle, "rb") as file:
        content = file.read()
    return Response(content, media_type="image/jpeg", headers={"cache-control": "private"})


def _changed(
    request: Request, desk: Desk, docking: str, work: Callable[[Station, Shift], Text]
) -> Response:
    """Do something at a tile in the officer's name, and show what stands now."""
    here = _at_tile(request, docking)
    if here is None:
        return _over(request, desk, docking)
    station = _station_of(desk, here.officer)
    try:
        done = work(station, shift.shift_of(station, docking, here.officer))
    except (UsageProblem, NotFound) as problem:
        return _sheet(request, desk, here, problem=problem)
    return _sheet(request, desk, here, done=done)


def _over(request: Request, desk: Desk, docking: str) -> Response:
    return _asked(request, desk, docking, T("The minute is over. Say again who you are."))


def _asked(
    request: Request, desk: Desk, docking: str, problem: Text | None = None, officer: str = ""
) -> Response:
    values = {
        "docking": docking,
        "problem": problem,
        "officer": officer,
        "holder": _holder(desk.station, docking),
    }
    return page(
        request, "dock/identify.html", values, code=_UNAUTHORIZED if problem is not None else 200
    )


def _holder(station: Station, docking: str) -> tuple[str, str] | None:
    """Return number and name of the officer who has the device of a docking."""
    try:
        device = dockings.docking(station.catalogue, docking).identity.device
        where = standing_of(station.catalogue, device).where if device else None
    except NotFound:
        return None
    if where is None or where.officer is None:
        return None
    person = ledger.officer(station.catalogue, where.officer)
    return where.officer, (person.name if person and person.name else where.officer)


def _sheet(
    request: Request,
    desk: Desk,
    here: AtTile,
    done: Text | None = None,
    problem: RecorderSyncError | None = None,
) -> Response:
    station = _station_of(desk, here.officer)
    now = shift.shift_of(station, here.docking, here.officer)
    unseen = [one.recording.id for one in now.clips if one.recording.id not in here.seen]
    put(station, [station.deed(Act.VIEW, one, {"what": "thumbnail"}) for one in unseen])
    here.seen.update(unseen)
    maker: PreviewMaker = request.app.state.previews
    maker.wish([Wanted(one.recording.id, PreviewForm.THUMBNAIL) for one in now.clips])
    values = {
        "shift": now,
        "done": done,
        "problem": problem,
        "idle": IDLE_S,
        "stages": list(Stage),
        "items": list(station.settings.marks.known.values()),
    }
    return page(request, "dock/officer.html", values, code=_UNPROCESSABLE if problem else 200)
