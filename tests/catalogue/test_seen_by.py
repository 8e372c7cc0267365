"""Nobody is shown what is out of their scope, whichever query asks (Art. 21, 25)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlite_utils.db import Database

from recorder_sync.catalogue import cases, ledger, seen_by, today, trail
from recorder_sync.catalogue.database import FILE_NAME, insert, open_catalogue
from recorder_sync.catalogue.time_line import free_places
from recorder_sync.custody.log import Act
from recorder_sync.errors import NotFound
from recorder_sync.model import Case, Officer
from recorder_sync.rules.access import Reach, Scope, Secrecy
from recorder_sync.timestamps import iso

BEGIN = datetime(2026, 11, 1, tzinfo=UTC)
OFFICERS = [
    Officer("000010", "李明", "一中队"),
    Officer("000011", "王芳", "一中队"),
    Officer("000012", "张强", "二中队"),
    Officer("000013", "刘洋", None),
]
CLASSES = [None, *(one for one in Secrecy if one is not Secrecy.NONE)]
CASES = [None, *(f"2026-{number}" for number in range(len(CLASSES)))]
"""Each case is of the secrecy class at its place."""


@dataclass(frozen=True, slots=True)
class Made:
    id: str
    device: str
    officer: str | None
    unit: str | None
    classes: tuple[Secrecy, ...]
    """The recording's own, and its case's if it has one."""
    case: str | None

    def is_within(self, scope: Scope) -> bool:
        return all(scope.holds(self.officer, self.unit, one) for one in self.classes)


@pytest.fixture(scope="module")
def made() -> list[Made]:
    """One recording of each officer, class and case."""
    found: list[Made] = []
    everybody = [None, *OFFICERS]
    for officer, own, case in product(everybody, CLASSES, CASES):
        number = len(found)
        of_case = [CLASSES[CASES.index(case) - 1]] if case else []
        found.append(
            Made(
                f"{number + 1:013d}".translate(str.maketrans("0189", "wxyz")),
                f"device-{number}",
                officer.cert_no if officer else None,
                officer.unit if officer else None,
                tuple(one or Secrecy.NONE for one in (own, *of_case)),
                case,
            )
        )
    return found


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory, made: list[Made]) -> Iterator[Database]:
    path: Path = tmp_path_factory.mktemp("state") / FILE_NAME
    db = open_catalogue(path)
    with db.conn:
        for officer in OFFICERS:
            ledger.register_officer(db, officer, iso(BEGIN))
        for case, secrecy in zip(CASES[1:], CLASSES, strict=True):
            assert case is not None
            ledger.register_case(db, Case(case, secrecy=secrecy or Secrecy.NONE), iso(BEGIN))
        insert(
            db,
            "dockings",
            [
                {
                    "id": "20261101-000000-000001",
                    "source": "/media/card",
                    "started_at": iso(BEGIN),
                    "identity_state": "known",
                }
            ],
        )
        for one in made:
            ledger.see_device(db, one.device)
            _insert_recordings(db, one)
    yield db
    db.close()


def _insert_recordings(db: Database, one: Made) -> None:
    """Insert it, and before it one that nobody knows the officer of."""
    before = {"id": f"b{one.id[1:]}", "officer": None, "case_no": None, "secrecy": None}
    secrecy = None if one.classes[0] is Secrecy.NONE else one.classes[0].value
    itself = {"id": one.id, "officer": one.officer, "case_no": one.case, "secrecy": secrecy}
    for place, row in enumerate((before, itself)):
        begins = BEGIN + timedelta(minutes=20 * place)
        (number,) = free_places(db, [(begins, str(row["id"]))])
        insert(
            db,
            "recordings",
            [
                {
                    **row,
                    "number": number,
                    "docking": "20261101-000000-000001",
                    "state": "sealed",
                    "device": one.device,
                    "kind": "video",
                    "name": "A.MP4",
                    "path": str(row["id"]),
                    "size": 1,
                    "blake3": str(row["id"]),
                    "sha256": str(row["id"]),
                    "fingerprint": b"",
                    "recorded_start": iso(begins),
                    "recorded_end": iso(begins + timedelta(minutes=10)),
                    # what nobody knows the officer of was sealed long ago, and counts nowhere
                    "sealed_at": iso(BEGIN + timedelta(days=place)),
                    "on_time": 1,
                    "flags": "[]",
                }
            ],
        )
    db.execute(
        "insert into trail (custody_seq, at, act, actor, subject, facts) values"
        " ((select count(*) from trail), ?, ?, 'account:wang', ?, '{}')",
        [iso(BEGIN), Act.TAG.value, one.id],
    )


_scopes = st.builds(
    Scope,
    reach=st.sampled_from(list(Reach)),
    officer=st.sampled_from([None, "000010", "000012", "000013", "000099"]),
    unit=st.sampled_from([None, "一中队", "二中队", "三中队"]),
    cleared=st.frozensets(st.sampled_from(list(Secrecy))),
)


@settings(max_examples=120)
@given(scope=_scopes)
def test_art_25_every_query_shows_what_the_rule_holds_and_nothing_else(
    db: Database, made: list[Made], scope: Scope
) -> None:
    within = {one.id for one in made if one.is_within(scope)}
    ids = [one.id for one in made]
    assert seen_by.seen_recordings(db, ids, scope) == within
    assert seen_by.visible_of(db, ids, scope) == [one for one in ids if one in within]
    assert today.came_in(db, scope, BEGIN + timedelta(days=1)).sealed == len(within)
    for case in CASES[1:]:
        assert case is not None
        of_case = {one.id for one in made if one.case == case and one.id in within}
        assert {one.id for one in cases.recordings_of(db, case, scope)} == of_case


@settings(max_examples=30)
@given(scope=_scopes, at=st.integers(0, 99))
def test_art_25_one_recording_is_there_or_is_as_one_that_never_was(
    db: Database, made: list[Made], scope: Scope, at: int
) -> None:
    one = made[at]
    corrected = trail.about_device(db, one.device, scope, None, 10)
    assert [step.subject for step in corrected] == ([one.id] if one.is_within(scope) else [])
    if not one.is_within(scope):
        with pytest.raises(NotFound):
            seen_by.visible(db, one.id, scope)


def test_art_25_a_case_that_is_too_secret_is_not_listed(db: Database) -> None:
    for secrecy in Secrecy:
        cleared = frozenset({Secrecy.NONE, secrecy})
        scope = Scope(Reach.ALL, cleared=cleared)
        page = cases.page(db, cases.CaseSearch(), scope, BEGIN.date())
        shown = {one.case.number for one in page.found}
        assert shown == {
            case
            for case, of_case in zip(CASES[1:], CLASSES, strict=True)
            if (of_case or Secrecy.NONE) in cleared
        }
