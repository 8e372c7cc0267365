"""The audit trail as people read it: what is in the custody log, and who signed in, by time.

Both are kept apart, as attempts to sign in are no deeds; here they are one list, the newest
first, of which each page names where the next begins.
"""

from dataclasses import dataclass, replace

from sqlite_utils.db import Database

from recorder_sync.access import sign_ins
from recorder_sync.access.sign_ins import Attempt
from recorder_sync.catalogue import trail
from recorder_sync.catalogue.trail import Step, Wanted
from recorder_sync.errors import UsageProblem
from recorder_sync.language import T
from recorder_sync.timestamps import iso, moment

_LAST = (1 << 63) - 1


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for, and which of the two."""

    wanted: Wanted
    with_steps: bool = True
    with_attempts: bool = True
    cursor: str | None = None

    @property
    def sign_in_name(self) -> str | None:
        """The name somebody signs in by, of the actor asked for."""
        actor = self.wanted.actor
        return None if actor is None else actor.removeprefix("account:")


@dataclass(frozen=True, slots=True)
class Page:
    lines: list[Step | Attempt]
    next: str | None


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    at: str
    is_step: int
    number: int


def page(catalogue: Database, accounts: Database, asked: Asked) -> Page:
    """Return one page. Raises UsageProblem for a cursor that is none."""
    begins = _read(asked.cursor) if asked.cursor else None
    limit = asked.wanted.limit
    found: list[Step | Attempt] = []
    if asked.with_steps:
        after = None
        if begins is not None:
            after = (begins.at, begins.number if begins.is_step else -1)
        found += trail.steps(catalogue, replace(asked.wanted, after=after, limit=limit + 1))
    if asked.with_attempts:
        after = None
        if begins is not None:
            after = (begins.at, _LAST if begins.is_step else begins.number)
        found += sign_ins.attempts(
            accounts, asked.sign_in_name, asked.wanted.since, asked.wanted.until, after, limit + 1
        )
    found.sort(key=_place, reverse=True)
    shown = found[:limit]
    return Page(shown, _written(_place(shown[-1])) if len(found) > limit else None)


def _place(line: Step | Attempt) -> _Place:
    if isinstance(line, Step):
        return _Place(iso(line.at), 1, line.custody_seq)
    return _Place(iso(line.at), 0, line.number)


def _written(place: _Place) -> str:
    return f"{place.at}~{place.is_step}~{place.number}"


def _read(text: str) -> _Place:
    try:
        at, is_step, number = text.split("~")
        return _Place(iso(moment(at)), int(is_step), int(number))
    except (ValueError, OverflowError):
        raise UsageProblem(
            T("{text} is no cursor.", text=text), T("Begin with the first page.")
        ) from None
