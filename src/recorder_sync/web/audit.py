"""The audit trail: who looked at what, handed it out, changed it, and who signed in: `/audit`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response

from recorder_sync.access import accounts, audit
from recorder_sync.access.audit import Asked
from recorder_sync.access.sign_ins import Attempt
from recorder_sync.access.signing_in import Outcome
from recorder_sync.catalogue.database import FILE_NAME
from recorder_sync.catalogue.documents import seen_documents
from recorder_sync.catalogue.seen_by import seen_recordings
from recorder_sync.catalogue.trail import Step, Wanted
from recorder_sync.custody.log import Act
from recorder_sync.document_json import corrected_in_words
from recorder_sync.language import T, Text, as_said, tr
from recorder_sync.rules.access import Permission
from recorder_sync.rules.documents import is_document
from recorder_sync.rules.reconcile import ResolvedBy
from recorder_sync.web import origins
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import Visit, visitor

router = APIRouter()

_Reader = Annotated[Visit, Depends(visitor(Permission.SEE_AUDIT), scope="function")]

SIGN_INS = "sign-in"
_GROUPS: dict[str, frozenset[Act]] = {
    "looks": frozenset({Act.VIEW}),
    "exports": frozenset({Act.EXPORT, Act.EXPORT_FAILED}),
    "corrections": frozenset({Act.TAG, Act.MARK, Act.BOOKMARK}),
    "documents": frozenset({Act.DOCUMENT, Act.DOCUMENT_CORRECTED, Act.BELONGS_TO_DOCUMENT}),
    "holds": frozenset({Act.LEGAL_HOLD, Act.HOLD_RELEASED}),
    "accounts": frozenset({Act.ACCOUNT}),
    "devices": frozenset({Act.LEDGER, Act.DEVICE_EVENT}),
    "duties": frozenset(
        {
            *(Act.DEFERRAL, Act.CALENDAR, Act.GAP_EXPLAINED),
            *(Act.ALERT_ACKNOWLEDGED, Act.ALERT_RESOLVED),
            *(Act.LEGAL_HOLD, Act.HOLD_RELEASED),
        }
    ),
}
_OF_RECORDINGS = frozenset(
    {Act.VIEW, Act.EXPORT, Act.EXPORT_FAILED, Act.TAG, Act.MARK, Act.BOOKMARK}
    | {Act.DOCUMENT, Act.DOCUMENT_CORRECTED, Act.BELONGS_TO_DOCUMENT}
)
"""What is about evidence: of a recording, or of a document of a case."""


_PAGES: dict[str, tuple[str, Permission]] = {
    "device": ("/devices", Permission.SEE_DEVICES),
    "case": ("/cases", Permission.SEE_CASES),
    "account": ("/accounts", Permission.KEEP_PEOPLE),
    "officer": ("/officers", Permission.KEEP_PEOPLE),
}
"""Where more is of what an entry is about, and who may go there."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the page. Times in UTC."""

    at: datetime
    who: str
    kind: str
    """For its badge: good, busy, warn, bad or quiet."""
    what: str
    about: str
    link: str | None
    details: tuple[str, ...]
    custody_seq: int | None


@router.get("/audit")
def audit_page(
    request: Request,
    visit: _Reader,
    who: Annotated[str, Query(max_length=200)] = "",
    what: str = "",
    about: Annotated[str, Query(max_length=200)] = "",
    since: str = "",
    until: str = "",
    after: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    zone = visit.settings.station.zone
    asked = Asked(
        Wanted(
            acts=_GROUPS.get(what, frozenset()),
            actor=_actor(who.strip()) or None,
            subject=about.strip() or None,
            since=_midnight(since, zone),
            until=_midnight(until, zone, days=1),
        ),
        with_steps=what != SIGN_INS,
        with_attempts=what in ("", SIGN_INS) and not about.strip(),
        cursor=after or None,
    )
    found = audit.page(visit.station.catalogue, visit.desk.accounts, asked)
    filters = {"who": who, "what": what, "about": about, "since": since, "until": until}
    given = {name: value for name, value in filters.items() if value}
    subjects = [
        one.subject for one in found.lines if isinstance(one, Step) and _is_of_recording(one)
    ]
    db, scope = visit.station.catalogue, visit.account.scope
    seen = seen_recordings(db, subjects, scope) | seen_documents(db, subjects, scope)
    values = {
        **filters,
        "lines": [_line(visit, one, seen) for one in found.lines],
        "newest": f"/audit?{urlencode(given)}" if after else None,
        "following": f"/audit?{urlencode({**given, 'after': found.next})}" if found.next else None,
        "people": [one.name for one in accounts.every(visit.desk.accounts)],
        "is_narrowed": bool(given),
        "whats": [
            ("", tr("Everything")),
            ("looks", tr("Looks at recordings")),
            ("exports", tr("Exports")),
            (SIGN_INS, tr("Sign-ins")),
            ("corrections", tr("Corrections and marks")),
            ("documents", tr("Documents of cases")),
            ("holds", tr("Legal holds")),
            ("accounts", tr("Changes of accounts")),
            ("devices", tr("Devices and the ledger")),
            ("duties", tr("Deferrals, calendar, alerts")),
        ],
    }
    return page(request, "audit.html", values)


def _actor(who: str) -> str:
    """Return who acts in the custody log, of what was typed: an account, if nothing is said."""
    return who if not who or ":" in who else f"account:{who}"


def _midnight(text: str, zone: ZoneInfo, days: int = 0) -> datetime | None:
    """Return the beginning of a local day, or of one so many days later; None for no day."""
    try:
        day = date.fromisoformat(text) + timedelta(days=days)
        return datetime.combine(day, time(), zone) if text else None
    except (ValueError, OverflowError):
        return None


def _line(visit: Visit, one: Step | Attempt, seen: frozenset[str]) -> Line:
    """Return a line; of a recording out of scope no more is said than that, and no link leads."""
    if isinstance(one, Attempt):
        return _attempt(one)
    is_hidden = _is_of_recording(one) and one.subject not in seen
    about, link = (one.subject, None) if is_hidden else _about(visit, one)
    is_bad = one.act is Act.EXPORT_FAILED
    kind = "bad" if is_bad else "busy" if one.act in _OF_RECORDINGS else "quiet"
    details = () if is_hidden else tuple(text for text in _details(one) if text)
    by = origins.who(one.actor)
    return Line(one.at, by, kind, _what(one), about, link, details, one.custody_seq)


def _is_of_recording(one: Step) -> bool:
    if one.act in _GROUPS["holds"]:
        return ":" not in one.subject  # a case is held as well
    return one.act in _OF_RECORDINGS and one.subject != FILE_NAME  # a backup is exported as well


def _attempt(one: Attempt) -> Line:
    kind = {Outcome.SIGNED_IN: "good", Outcome.REFUSED: "warn", Outcome.LOCKED: "bad"}[one.outcome]
    details = (T("from {address}", address=one.address).shown,) if one.address else ()
    what = {
        Outcome.SIGNED_IN: tr("signed in"),
        Outcome.REFUSED: tr("sign-in refused"),
        Outcome.LOCKED: tr("sign-in locked"),
    }[one.outcome]
    return Line(one.at, origins.who(one.name), kind, what, "", None, details, None)


def _what(one: Step) -> str:
    what = one.facts.get("what")
    act = tr(one.act.value)
    if one.act in (Act.ACCOUNT, Act.DEVICE_EVENT) and isinstance(what, str):
        return tr(what)
    return f"{act} · {tr(what)}" if isinstance(what, str) else act


def _about(visit: Visit, one: Step) -> tuple[str, str | None]:
    """Return what an entry is about, and where more of it is."""
    kind, colon, name = one.subject.partition(":")
    if _is_of_recording(one):
        where = "documents" if is_document(one.subject) else "recordings"
        return one.subject, f"/{where}/{quote(one.subject, safe='')}"
    if not colon:
        return one.subject, None
    if kind in _PAGES and visit.may(_PAGES[kind][1]):
        return name, f"{_PAGES[kind][0]}/{quote(name)}"
    return name, None


def _details(one: Step) -> Iterator[str]:
    facts = one.facts
    if one.act is Act.TAG:
        yield from _changed(facts)
    elif one.act is Act.DOCUMENT_CORRECTED:
        yield from corrected_in_words(facts)
    elif one.act is Act.ACCOUNT:
        yield from _standing(facts)
    elif one.act is Act.LEDGER:
        values = [facts.get(name) for name in ("name", "unit", "kind", "maker", "model")]
        yield " · ".join(str(value) for value in values if value)
    for name, said in (
        ("officer", T("officer {value}", value=facts.get("officer"))),
        ("text", _said(facts.get("text"))),
        ("note", _said(facts.get("note"))),
        ("reason", T("reason: {why}", why=_said(facts.get("reason")))),
        ("override", T("although not ready: {why}", why=facts.get("override"))),
        ("to", T("to {where}", where=facts.get("to"))),
        ("by", _by(facts.get("by"))),
        ("why", _said(facts.get("why"))),
    ):
        if facts.get(name) and not (one.act is Act.ACCOUNT and name == "officer"):
            yield said.shown


def _said(words: object) -> Text:
    return as_said(tr(words)) if isinstance(words, str) else as_said("")


def _by(by: object) -> Text:
    if by == ResolvedBy.CAUSE_GONE:
        return T("cause-gone")
    return T("by {who}", who=by)


def _changed(facts: Mapping[str, object]) -> Iterator[str]:
    before, after = facts.get("before"), facts.get("after")
    if not isinstance(before, dict) or not isinstance(after, dict):
        return
    for name, word in (("device", tr("device")), ("officer", tr("officer")), ("case", tr("case"))):
        old, new = _value(before.get(name)), _value(after.get(name))
        if old != new:
            yield T("{what}: {before} → {after}", what=word, before=old, after=new).shown


def _value(value: object) -> str:
    if isinstance(value, dict):
        return str(value.get("name") or value.get("cert_no") or "—")
    return str(value) if value else "—"


def _standing(facts: Mapping[str, object]) -> Iterator[str]:
    before = facts.get("before")
    if isinstance(before, dict) and before.get("role") != facts.get("role"):
        yield f"{tr(str(before.get('role')))} → {tr(str(facts.get('role')))}"
    elif facts.get("role"):
        yield tr(str(facts["role"]))
    if facts.get("officer"):
        yield T("officer {value}", value=facts["officer"]).shown
    if facts.get("unit"):
        yield T("unit {value}", value=facts["unit"]).shown
    cleared = facts.get("cleared")
    if isinstance(cleared, list) and len(cleared) > 1:
        listed = ", ".join(tr(str(one)) for one in cleared if one != "none")
        yield T("cleared for {classes}", classes=listed).shown
