"""Recordings, searched by the fields of Art. 25: as a list, or as a sheet of pictures."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import parse_qsl, urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from recorder_sync.access import saved_searches
from recorder_sync.catalogue import holds, ledger
from recorder_sync.catalogue.marks import marks_of
from recorder_sync.catalogue.search import Search, search
from recorder_sync.config import Configuration
from recorder_sync.errors import UsageProblem
from recorder_sync.language import T
from recorder_sync.model import Flag, Kind
from recorder_sync.previews.folder import State
from recorder_sync.rules.access import Permission, Scope, Secrecy
from recorder_sync.rules.stage import Stage
from recorder_sync.web.looks import Look, looked_at
from recorder_sync.web.playing import wish_for_thumbnails
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import Visit, visitor

router = APIRouter()

Seeing = Annotated[Visit, Depends(visitor(Permission.SEE_RECORDINGS), scope="function")]

_LISTED, _ON_A_SHEET = 50, 24
_TEXTS = ("q", "device", "officer", "case", "party", "cause", "name")
_CHOICES = ("kind", "stage", "item", "secrecy", "flag", "stored", "notified")
_TICKS = ("important", "without_case", "held")
_DAYS = ("since", "until")
_ALL = (*_TEXTS, *_DAYS, *_CHOICES, *_TICKS)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for, as the address says it; empty: anything."""

    values: Mapping[str, str]

    def __getattr__(self, name: str) -> str:
        return self.values.get(name, "")

    @property
    def is_narrow(self) -> bool:
        """Whether anything but the free field is asked for."""
        return bool(set(self.values) - {"q"})

    def address(self, **others: str | None) -> str:
        values = {**self.values, **others}
        return "/recordings?" + urlencode({k: v for k, v in values.items() if v})


def asked_in(query: Mapping[str, str]) -> Asked:
    found = {name: query.get(name, "").strip()[:200] for name in _ALL}
    return Asked({name: value for name, value in found.items() if value})


def search_for(
    asked: Asked, settings: Configuration, scope: Scope, limit: int, after: str | None
) -> Search:
    """Return the search. Raises UsageProblem for a day or a choice that is none."""
    values = asked.values
    stored = values.get("stored")
    until = _day(values.get("until"), settings)
    try:
        return Search(
            q=values.get("q"),
            device=values.get("device"),
            officer=values.get("officer"),
            case=values.get("case"),
            party=values.get("party"),
            cause=values.get("cause"),
            name=values.get("name"),
            since=_day(values.get("since"), settings),
            until=until + timedelta(days=1) if until else None,
            on_time=None if stored is None else stored == "on-time",
            kind=Kind(values["kind"]) if "kind" in values else None,
            stage=Stage(values["stage"]) if "stage" in values else None,
            item=values.get("item"),
            secrecy=Secrecy(values["secrecy"]) if "secrecy" in values else None,
            flag=Flag(values["flag"]) if "flag" in values else None,
            notified=None if "notified" not in values else values["notified"] == "yes",
            important="important" in values,
            without_case="without_case" in values,
            held="held" in values,
            scope=scope,
            limit=limit,
            after=after or None,
        )
    except ValueError:
        raise UsageProblem(
            T("Something asked for makes no sense."), T("Choose from what the page offers.")
        ) from None


def _day(text: str | None, settings: Configuration) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), time(), settings.station.zone)
    except (ValueError, OverflowError):
        raise UsageProblem(T("{day} is no day.", day=text), T("Write 2026-11-23.")) from None


@router.get("/recordings")
def recordings(request: Request, visit: Seeing) -> Response:
    query = dict(request.query_params)
    asked = asked_in(query)
    may_look = visit.may(Permission.VIEW_EVIDENCE)
    is_sheet = query.get("view") == "sheet" and may_look
    limit = _ON_A_SHEET if is_sheet else _LISTED
    wanted = search_for(asked, visit.settings, visit.account.scope, limit, query.get("after"))
    db = visit.station.catalogue
    found = search(db, wanted)
    ids = [one.id for one in found.found]
    states: dict[str, State] = {}
    if is_sheet:
        states = wish_for_thumbnails(request, ids)
        looked_at(request, visit, ids, Look.THUMBNAIL)
    named = {one.tags.case.value for one in found.found if one.tags.case}
    view = "sheet" if is_sheet else None
    values: dict[str, Any] = {
        "asked": asked,
        "found": found.found,
        "marks": marks_of(db, ids),
        "held": set(holds.holds_of(db, ids)),
        "cases": {case.number: case for case in ledger.cases_named(db, sorted(named))},
        "is_sheet": is_sheet,
        "may_look": may_look,
        "may_export": may_look and visit.may(Permission.EXPORT),
        "states": states,
        "newest": asked.address(view=view) if query.get("after") else None,
        "following": asked.address(view=view, after=found.next) if found.next else None,
        "as_list": asked.address(),
        "as_sheet": asked.address(view="sheet"),
        "saved": saved_searches.of(visit.desk.accounts, visit.account.name),
        "query": urlencode({**asked.values, **({"view": view} if view else {})}),
        "items": visit.settings.marks.known.values(),
        **CHOICES,
    }
    return page(request, "recordings/list.html", values)


CHOICES: dict[str, Any] = {
    "kinds": list(Kind),
    "stages": list(Stage),
    "secrecies": list(Secrecy),
    "flags": list(Flag),
}


@router.post("/recordings/saved")
def save(
    visit: Seeing,
    name: Annotated[str, Form(max_length=200)],
    query: Annotated[str, Form(max_length=4000)] = "",
) -> Response:
    asked = asked_in(dict(parse_qsl(query)))
    view = "sheet" if ("view", "sheet") in parse_qsl(query) else None
    address = asked.address(view=view)
    saved_searches.save(
        visit.desk.accounts,
        visit.account.name,
        name,
        address.partition("?")[2],
        visit.station.now(),
    )
    return RedirectResponse(address, 303)


@router.post("/recordings/saved/forget")
def forget(visit: Seeing, name: Annotated[str, Form(max_length=200)]) -> Response:
    saved_searches.forget(visit.desk.accounts, visit.account.name, name)
    return RedirectResponse("/recordings", 303)
