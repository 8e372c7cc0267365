"""Searches the recordings by the fields of Art. 25, newest first.

What is asked for can match a few recordings or nearly all. A search goes along the index
of one thing asked for and tests each recording for the rest: along one that offers few
recordings where there is one, and else along any, because what is common everywhere soon
fills a page. What somebody may see is one more test of each recording (`seen_by.py`).
"""

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from unicodedata import combining, normalize

from sqlite_utils.db import Database

from recorder_sync.catalogue import time_line
from recorder_sync.catalogue.holds import HELD_CASES, HELD_THEMSELVES
from recorder_sync.catalogue.seen_by import by_officer, recordings_in
from recorder_sync.catalogue.words import phrase, words
from recorder_sync.description import from_json
from recorder_sync.errors import UsageProblem
from recorder_sync.language import T
from recorder_sync.model import Flag, Kind, Recording
from recorder_sync.rules.access import Reach, Scope, Secrecy
from recorder_sync.rules.lifecycle import State
from recorder_sync.rules.stage import Stage

_FEW = 5_000
"""Recordings, or cases, that can be gone through in a few milliseconds."""

_MANY_CASES = 200
"""Cases with as many recordings as are worth a look at the newest ones first."""

_NEWEST = 20_000
"""Recordings that are looked through before an index is gone along that offers very many."""

_SOME = 8
"""Devices, officers or cases that a word may be a part of."""

_MOST_WORDS = 4
_ID = re.compile(r"[2-7a-z]{6,13}")


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
    kind: Kind | None = None
    stage: Stage | None = None
    item: str | None = None
    """Of a stage (Art. 6 to 9)."""
    important: bool = False
    """Only those that are important, as the device or a person says."""
    notified: bool | None = None
    secrecy: Secrecy | None = None
    flag: Flag | None = None
    without_case: bool = False
    held: bool = False
    """Only those under legal hold, by themselves or with their case."""
    q: str | None = None
    """Words that may be anything: device, officer, case, party, cause, file's name or id."""
    scope: Scope | None = None
    """What the one who asks may see; None: everything."""
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
    rows = _rows(db, query, query.numbers_of_newest()) if query.source.offers_many else []
    if len(rows) <= wanted.limit:
        rows = _rows(db, query, query.numbers())
    shown = rows[: wanted.limit]
    return Page(
        [from_json(json.loads(row["json"])) for row in shown],
        str(shown[-1]["number"]) if len(rows) > wanted.limit else None,
    )


def _rows(db: Database, query: "_Query", numbers: str) -> list[dict[str, Any]]:
    return list(
        db.query(
            "select r.number, d.json from recordings r join descriptions d on d.recording = r.id"
            f" where r.number in ({numbers}) order by r.number desc",
            query.values,
        )
    )


@dataclass(frozen=True, slots=True)
class _Offer:
    """An index that offers what has one thing asked for."""

    of: str
    """Tables and condition."""
    number: str = "r.number"
    """The offer's own column of the recordings' numbers."""


@dataclass(frozen=True, slots=True)
class _Filter:
    """One thing asked for: the test of one recording, and what offers those that have it."""

    test: str
    offers: tuple[_Offer, ...] = ()
    """Together they offer all; none where no index helps."""
    goes_through_all: bool = False
    """Whether one of the offers is all there is."""
    offers_many: bool = False
    """Whether its offers may be so many recordings that the newest of all fill a page sooner."""


class _Query:
    """The query for the numbers of the recordings that match."""

    def __init__(self, db: Database, wanted: Search) -> None:
        self._db = db
        self.values: dict[str, Any] = {"limit": wanted.limit + 1, "state": wanted.state}
        self.values["first"], self.values["last"] = _stretch(wanted)
        sealed = wanted.state in (None, State.SEALED)
        state = "r.state = 'sealed'" if sealed else "r.state <> 'sealed' and r.state = :state"
        self._state = _Filter(state, (_Offer(f"recordings r where {state}"),))
        self._asked = [*self._filters(wanted), *self._marked(wanted), *self._typed(wanted.q)]
        self._scope = self._narrowed(wanted.scope)
        self.source = self._choose() if sealed else self._state

    def numbers(self) -> str:
        source = self.source
        others = (*self._asked, self._state)
        tests = [*(one.test for one in others if one is not source), self._scope]
        offers = [self._numbers(offer, tests) for offer in source.offers]
        if len(offers) == 1:
            return offers[0]
        together = " union ".join(f"select number from ({one})" for one in offers)
        return f"select number from ({together}) order by number desc limit :limit"

    def numbers_of_newest(self) -> str:
        """Return those among the newest recordings only: where they fill a page, that is it."""
        tests = [self._state.test, *(one.test for one in self._asked), self._scope]
        return (
            f"select number from (select r.number as number, {' and '.join(tests)} as fits"
            " from recordings r where r.number between :first and :last"
            f" order by r.number desc limit {_NEWEST}) where fits limit :limit"
        )

    def _numbers(self, offer: _Offer, tests: list[str]) -> str:
        conditions = " and ".join([f"{offer.number} between :first and :last", *tests])
        return (
            f"select r.number from {offer.of} and {conditions}"
            f" order by {offer.number} desc limit :limit"
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
        if wanted.kind is not None:
            self.values["kind"] = wanted.kind.value
            yield _Filter("r.kind = :kind")
        if wanted.without_case:
            yield _Filter("r.case_no is null")

    def _marked(self, wanted: Search) -> Iterable[_Filter]:
        """Yield what is asked for of flags and marks."""
        if wanted.item is not None:
            yield self._by_value("item", [wanted.item])
        if wanted.stage is not None:
            yield self._by_value("stage", [wanted.stage.value])
        if wanted.secrecy is Secrecy.NONE:
            yield _Filter("r.secrecy is null")
        elif wanted.secrecy is not None:
            yield self._by_value("secrecy", [wanted.secrecy.value])
        if wanted.notified is not None:
            told = "r.notified_by is not null"
            yield (
                _indexed(told, plus=False) if wanted.notified else _Filter("r.notified_by is null")
            )
        if wanted.important:
            flag = f"r.flags <> '[]' and instr(r.flags, '\"{Flag.IMPORTANT}\"') > 0"
            yield _Filter(
                f"(r.important is 1 or (r.important is null and {flag}))",
                (
                    _Offer("recordings r where r.state = 'sealed' and r.important = 1"),
                    _Offer(
                        f"recordings r where r.state = 'sealed' and {flag} and r.important is null"
                    ),
                ),
            )
        if wanted.flag is not None:
            self.values["flag"] = f'"{wanted.flag.value}"'
            yield _indexed("r.flags <> '[]' and instr(r.flags, :flag) > 0", plus=False)
        if wanted.held:
            yield self._under_hold()

    def _under_hold(self) -> _Filter:
        one, with_case = f"r.id in ({HELD_THEMSELVES})", f"r.case_no in ({HELD_CASES})"
        test = f"(+{one} or +{with_case})"
        offers = tuple(
            _Offer(f"recordings r where r.state = 'sealed' and {which}")
            for which in (one, with_case)
        )
        is_small = all(self._is_small(f"select 1 from {offer.of}") for offer in offers)
        return _Filter(test, offers if is_small else ())

    def _typed(self, q: str | None) -> Iterable[_Filter]:
        """Return what each word of the free field asks for, those that indexes offer first."""
        typed = [
            self._anywhere(f"q{number}_", word)
            for number, word in enumerate((q or "").split()[:_MOST_WORDS])
        ]
        return sorted(typed, key=lambda one: one.goes_through_all)

    def _anywhere(self, prefix: str, word: str) -> _Filter:
        anywhere = [
            *self._equal(prefix, "device", _like(self._db, "devices", "number", "number", word)),
            *self._equal(prefix, "officer", _like(self._db, "officers", "cert_no", "name", word)),
            *self._equal(prefix, "case_no", _like(self._db, "cases", "number", "number", word)),
        ]
        if words(word):
            self.values[f"{prefix}cases"] = f"{{party_words cause_words}} : {phrase(word)}"
            anywhere += [self._of_cases(f"{prefix}cases"), self._by_name(word, prefix)]
        if _ID.fullmatch(word):
            self.values[f"{prefix}id"], self.values[f"{prefix}end"] = word, word + "~"
            test = f"r.id >= :{prefix}id and r.id < :{prefix}end"
            anywhere.append(_Filter(test, (_Offer(f"recordings r where {test}"),)))
        # Where no index helps, all recordings are gone through: it soon fills a page.
        timeline = self._state.offers[0].of
        offers = [one.offers or (_Offer(f"{timeline} and {one.test}"),) for one in anywhere]
        return _Filter(
            "(" + " or ".join([one.test for one in anywhere] or ["0"]) + ")",
            tuple(offer for some in offers for offer in some) or (_Offer("recordings r where 0"),),
            goes_through_all=not all(one.offers for one in anywhere),
            offers_many=any(one.offers_many for one in anywhere),
        )

    def _equal(self, prefix: str, column: str, allowed: list[str]) -> Iterable[_Filter]:
        for number, value in enumerate(allowed):
            self.values[name := f"{prefix}{column}{number}"] = value
            yield _indexed(f"r.{column} = :{name}")

    def _by_value(self, column: str, allowed: list[str]) -> _Filter:
        named = {f"{column}{number}": value for number, value in enumerate(allowed)}
        self.values.update(named)
        return _indexed(f"r.{column} in ({', '.join(':' + name for name in named)})")

    def _by_name(self, text: str, prefix: str = "") -> _Filter:
        self.values[f"{prefix}name"] = phrase(text)
        is_named = f"{prefix}is_named"
        self._db.conn.create_function(is_named, 1, _is_named(text), deterministic=True)
        return _Filter(
            f"{is_named}(r.name_words)",
            (
                _Offer(
                    "recordings_fts f cross join recordings r on r.number = f.rowid"
                    f" where recordings_fts match :{prefix}name",
                    "f.rowid",
                ),
            ),
        )

    def _by_case(self, **texts: str | None) -> _Filter:
        asked = (f"{column} : {phrase(text)}" for column, text in texts.items() if text is not None)
        self.values["words"] = " AND ".join(asked)
        return self._of_cases("words")

    def _of_cases(self, matching: str) -> _Filter:
        cases = (
            "select c.number from cases_fts w cross join cases c on c.key = w.rowid"
            f" where cases_fts match :{matching}"
        )
        condition, count = f"r.case_no in ({cases})", self._counted(cases)
        if count > _FEW:
            return _Filter(f"+{condition}")
        return replace(_indexed(condition), offers_many=count > _MANY_CASES)

    def _narrowed(self, scope: Scope | None) -> str:
        """Return the test of the scope; an officer's own recordings are gone through as well."""
        if scope is None:
            return "1"
        condition, values = recordings_in(scope, "+r.officer").named("scope")
        self.values.update(values)
        mine, values = by_officer(scope, "r.officer").named("mine")
        self.values.update(values)
        if (scope.reach is Reach.OWN and scope.officer is not None) or (
            scope.reach is Reach.UNIT
            and scope.unit is not None
            and self._is_small(f"select 1 from recordings r where r.state = 'sealed' and {mine}")
        ):
            self._asked.insert(0, _indexed(mine))
        return condition

    def _choose(self) -> _Filter:
        """Return the filter whose offers to go through."""
        offering = [one for one in self._asked if one.offers]
        for one in offering if len(offering) > 1 else ():
            is_by_value = len(one.offers) == 1 and one.offers[0].number == "r.number"
            if is_by_value and self._is_small(f"select 1 from {one.offers[0].of}"):
                return one
        return offering[0] if offering else self._state

    def _is_small(self, query: str) -> bool:
        return self._counted(query) <= _FEW

    def _counted(self, query: str) -> int:
        """Count what a query finds, up to one more than a few."""
        counted = f"select count(*) from ({query} limit {_FEW + 1})"
        return int(self._db.execute(counted, self.values).fetchone()[0])


def _indexed(condition: str, *, plus: bool = True) -> _Filter:
    """Return a filter by an indexed column; the plus sign keeps its test off the index."""
    offer = _Offer(f"recordings r where r.state = 'sealed' and {condition}")
    return _Filter(f"+{condition}" if plus else condition, (offer,))


def _like(db: Database, table: str, key: str, column: str, word: str) -> list[str]:
    """Return the keys of what is called so, or, where nothing is, of a few that have it in them."""
    select = f"select {key} from {table} where {column} = :word or {key} = :word limit 5"
    rows = db.execute(select, {"word": word}).fetchall()
    if not rows:
        select = f"select {key} from {table} where instr({column}, :word) > 0 limit {_SOME + 1}"
        rows = db.execute(select, {"word": word}).fetchall()
    return [row[0] for row in rows] if len(rows) <= _SOME else []


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
