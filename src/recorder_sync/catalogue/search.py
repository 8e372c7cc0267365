"""Searches the recordings by the fields of Art. 25, newest first.

What is asked for can match a few recordings or nearly all. A search goes along the index
of one thing asked for and tests each recording for the rest: along one that offers few
recordings where there is one, and else along any, because what is common everywhere soon
fills a page.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unicodedata import combining, normalize

from sqlite_utils.db import Database

from recorder_sync.catalogue import time_line
from recorder_sync.catalogue.words import phrase, words
from recorder_sync.description import from_json
from recorder_sync.errors import UsageProblem
from recorder_sync.language import T
from recorder_sync.model import Recording
from recorder_sync.rules.lifecycle import State

_FEW = 5_000
"""Recordings, or cases, that can be gone through in a few milliseconds."""


@dataclass(frozen=True, slots=True)
class Search:
    device: str | None = None
    officer: str | None = None
    """Certificate number or name."""
    case: str | None = None
    party: str | None = None
    cause: str | None = None
    name: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    state: State | None = None
    on_time: bool | None = None
    limit: int = 50
    after: str | None = None
    """The cursor of an earlier page."""


@dataclass(frozen=True, slots=True)
class Page:
    found: list[Recording]
    next: str | None
    """Cursor of the next page, None on the last."""


def search(db: Database, wanted: Search) -> Page:
    """Return one page of the recordings that match: sealed ones, if no state is asked for.

    Raises UsageProblem for a cursor that is none.
    """
    texts = [text for text in (wanted.party, wanted.cause, wanted.name) if text is not None]
    if not all(words(text) for text in texts):
        return Page([], None)
    query = _Query(db, wanted)
    rows = list(
        db.query(
            "select r.number, d.json from recordings r join descriptions d on d.recording = r.id"
            f" where r.number in ({query.numbers()}) order by r.number desc",
            query.values,
        )
    )
    shown = rows[: wanted.limit]
    return Page(
        [from_json(json.loads(row["json"])) for row in shown],
        str(shown[-1]["number"]) if len(rows) > wanted.limit else None,
    )


@dataclass(frozen=True, slots=True)
class _Filter:
    """One thing asked for: an index that offers what has it, and the test of one recording."""

    test: str
    offer: str | None = None
    """Tables and condition; None where no index helps."""
    number: str = "r.number"
    """The offer's own column of the recordings' numbers."""


class _Query:
    """The query for the numbers of the recordings that match."""

    def __init__(self, db: Database, wanted: Search) -> None:
        self._db = db
        self.values: dict[str, Any] = {"limit": wanted.limit + 1, "state": wanted.state}
        self.values["first"], self.values["last"] = _stretch(wanted)
        sealed = wanted.state in (None, State.SEALED)
        state = "r.state = 'sealed'" if sealed else "r.state <> 'sealed' and r.state = :state"
        self._state = _Filter(state, f"recordings r where {state}")
        self._asked = list(self._filters(wanted))
        self._source = self._choose() if sealed else self._state

    def numbers(self) -> str:
        source = self._source
        tests = [one.test for one in (*self._asked, self._state) if one is not source]
        conditions = " and ".join([f"{source.number} between :first and :last", *tests])
        return (
            f"select r.number from {source.offer} and {conditions}"
            f" order by {source.number} desc limit :limit"
        )

    def _filters(self, wanted: Search) -> Iterable[_Filter]:
        """Yield what is asked for; offers in the order of time come first."""
        if wanted.name is not None:
            yield self._by_name(wanted.name)
        if wanted.device is not None:
            yield self._by_value("device", [wanted.device])
        if wanted.officer is not None:
            yield self._by_value("officer", _officers(self._db, wanted.officer))
        if wanted.case is not None:
            yield self._by_value("case_no", [wanted.case])
        if wanted.on_time is not None:
            yield _Filter("+r.on_time = 1") if wanted.on_time else _indexed("r.on_time = 0")
        if wanted.party is not None or wanted.cause is not None:
            yield self._by_case(party_words=wanted.party, cause_words=wanted.cause)

    def _by_value(self, column: str, allowed: list[str]) -> _Filter:
        named = {f"{column}{number}": value for number, value in enumerate(allowed)}
        self.values.update(named)
        return _indexed(f"r.{column} in ({', '.join(':' + name for name in named)})")

    def _by_name(self, text: str) -> _Filter:
        self.values["name"] = phrase(text)
        self._db.conn.create_function("is_named", 1, _is_named(text), deterministic=True)
        return _Filter(
            "is_named(r.name_words)",
            "recordings_fts f cross join recordings r on r.number = f.rowid"
            " where recordings_fts match :name",
            "f.rowid",
        )

    def _by_case(self, **texts: str | None) -> _Filter:
        asked = (f"{column} : {phrase(text)}" for column, text in texts.items() if text is not None)
        self.values["words"] = " AND ".join(asked)
        cases = (
            "select c.number from cases_fts w cross join cases c on c.key = w.rowid"
            " where cases_fts match :words"
        )
        condition = f"r.case_no in ({cases})"
        return _indexed(condition) if self._is_small(cases) else _Filter(f"+{condition}")

    def _choose(self) -> _Filter:
        """Return the filter whose offer to go through."""
        offering = [one for one in self._asked if one.offer is not None]
        for one in offering if len(offering) > 1 else ():
            if one.number == "r.number" and self._is_small(f"select 1 from {one.offer}"):
                return one
        return offering[0] if offering else self._state

    def _is_small(self, query: str) -> bool:
        counted = f"select count(*) from ({query} limit {_FEW + 1})"
        return int(self._db.execute(counted, self.values).fetchone()[0]) <= _FEW


def _indexed(condition: str) -> _Filter:
    """Return a filter by an indexed column; the plus sign keeps its test off the index."""
    return _Filter(f"+{condition}", f"recordings r where r.state = 'sealed' and {condition}")


def _officers(db: Database, wanted: str) -> list[str]:
    rows = db.query("select cert_no from officers where cert_no = ? or name = ?", [wanted, wanted])
    return [row["cert_no"] for row in rows]


def _is_named(text: str) -> Callable[[str], bool]:
    """Return what tells of one name whether it has these words, as the full-text index does."""
    sought = " " + _plain(words(text))
    return lambda name_words: sought in " " + _plain(name_words)


def _plain(text: str) -> str:
    """Return words as the full-text index compares them: without capitals and accents."""
    if not text.isascii():
        text = "".join(c for c in normalize("NFD", text) if not combining(c))
    return text.lower()


def _stretch(wanted: Search) -> tuple[int, int]:
    """Return the first and the last place in time that may be shown."""
    first = time_line.FIRST if wanted.since is None else time_line.place(wanted.since)
    last = time_line.LAST if wanted.until is None else time_line.place(wanted.until) - 1
    if wanted.after is not None:
        last = min(last, _read_cursor(wanted.after) - 1)
    return first, last


def _read_cursor(text: str) -> int:
    try:
        number = int(text)
        if not time_line.FIRST < number <= time_line.LAST:
            raise ValueError(text)
    except ValueError as error:
        raise UsageProblem(
            T("{text} is no cursor.", text=text),
            T("Give --after what the page before printed as its cursor."),
        ) from error
    return number
