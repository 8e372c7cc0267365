"""Which recordings an account may see, as a condition that SQLite tests (Art. 21, 25).

What is out of scope is not there, for a page as for a search: it is never read and left out
afterwards. The same as `rules/access.Scope.holds`, for the row of a recording and its case.
"""

from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.recordings import Sealed, recording
from recorder_sync.errors import NotFound
from recorder_sync.language import T
from recorder_sync.rules.access import Reach, Scope, Secrecy

Values = dict[str, Any]


def narrowing(scope: Scope, row: str = "r") -> tuple[str, Values]:
    """Return the condition that a row of `recordings` is within, and its named values."""
    values: Values = {}
    tests = [_reach(scope, row, values)]
    if scope.cleared != frozenset(Secrecy):
        names = []
        for number, one in enumerate(sorted(scope.cleared - {Secrecy.NONE})):
            values[f"cleared{number}"] = one.value
            names.append(f":cleared{number}")
        cleared = ", ".join(names)
        marked = f"{row}.secrecy in ({cleared})"
        if Secrecy.NONE in scope.cleared:
            marked = f"({row}.secrecy is null or {marked})"
            secret = f"secrecy is not null and secrecy not in ({cleared})"
        else:
            secret = f"secrecy is null or secrecy not in ({cleared})"
        cases = f"select number from cases where {secret}"
        tests += [marked, f"({row}.case_no is null or {row}.case_no not in ({cases}))"]
    return " and ".join(tests), values


def _reach(scope: Scope, row: str, values: Values) -> str:
    match scope.reach:
        case Reach.ALL:
            return "1"
        case Reach.UNIT if scope.unit is not None:
            values["scope_unit"] = scope.unit
            return f"+{row}.officer in (select cert_no from officers where unit = :scope_unit)"
        case Reach.OWN if scope.officer is not None:
            values["scope_officer"] = scope.officer
            return f"+{row}.officer = :scope_officer"
    return "0"


def visible(db: Database, prefix: str, scope: Scope) -> Sealed:
    """Return the sealed recording whose id starts with `prefix`, where it is within the scope.

    Raises NotFound; one that is not within is as one that never was.
    """
    condition, values = narrowing(scope)
    rows = db.execute(
        "select r.id from recordings r where r.state = 'sealed' and r.id >= :prefix"
        f" and r.id < :end and {condition} limit 2",
        {"prefix": prefix, "end": prefix + "\U0010ffff", **values},
    ).fetchall()
    if not prefix or len(rows) != 1:
        raise NotFound(
            T("There is no sealed recording {id}.", id=prefix),
            T("recorder-sync recordings list shows them."),
        )
    return recording(db, rows[0][0])


def visible_of(db: Database, recordings: list[str], scope: Scope) -> list[str]:
    """Return those of these recordings that are within the scope, in their order."""
    condition, values = narrowing(scope)
    named = {f"id{number}": one for number, one in enumerate(recordings)}
    marks = ", ".join(f":{name}" for name in named)
    rows = db.execute(
        f"select r.id from recordings r where r.id in ({marks}) and r.state = 'sealed'"
        f" and {condition}",
        {**named, **values},
    )
    found = {row[0] for row in rows}
    return [one for one in recordings if one in found]
