"""Puts recordings and cases under legal hold, and releases them (Art. 25).

Each is an entry of the custody log, with who asked for it and why. What evidence stores keep
of a held recording is brought up to it by the forward service (`forward/locking.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from recorder_sync.catalogue import holds, ledger, recordings
from recorder_sync.custodian.registration import no_such_case
from recorder_sync.custody.log import Act
from recorder_sync.errors import UsageProblem
from recorder_sync.language import T
from recorder_sync.on_record import enter, turn
from recorder_sync.station import Station


@dataclass(frozen=True, slots=True)
class Held:
    """What came of it: subjects as the custody log names them (`case:` before a number)."""

    changed: tuple[str, ...]
    as_before: tuple[str, ...]
    """Held already."""


def hold(station: Station, ids: Sequence[str], cases: Sequence[str], reason: str, by: str) -> Held:
    """Put recordings, by the beginnings of their ids, and whole cases under legal hold.

    All or none. Raises NotFound, or UsageProblem where no reason or nothing is named.
    """
    facts = _facts(ids, cases, reason, by)
    with turn(station):
        subjects = _subjects(station, ids, cases)
        known = {one.subject for one in holds.standing(station.catalogue)}
        new = [subject for subject in subjects if subject not in known]
        enter(station, [station.deed(Act.LEGAL_HOLD, subject, facts) for subject in new])
    return Held(tuple(new), tuple(one for one in subjects if one in known))


def release(
    station: Station, ids: Sequence[str], cases: Sequence[str], reason: str, by: str
) -> Held:
    """Release recordings and cases; what is held otherwise as well stays held.

    All or none. Raises NotFound, or UsageProblem for what is not held by itself.
    """
    facts = _facts(ids, cases, reason, by)
    with turn(station):
        subjects = _subjects(station, ids, cases)
        known = {one.subject for one in holds.standing(station.catalogue)}
        for subject in subjects:
            if subject not in known:
                raise _not_held(station, subject)
        enter(station, [station.deed(Act.HOLD_RELEASED, subject, facts) for subject in subjects])
    return Held(tuple(subjects), ())


def _facts(ids: Sequence[str], cases: Sequence[str], reason: str, by: str) -> dict[str, str]:
    if not reason.strip() or not by.strip():
        raise UsageProblem(
            T("A legal hold and its release need a person and a reason."),
            T("Give --by and --reason."),
        )
    if not ids and not cases:
        raise UsageProblem(T("No recording was named."), T("Give ids, or --case NO."))
    return {"by": by.strip(), "reason": reason.strip()}


def _subjects(station: Station, ids: Sequence[str], cases: Sequence[str]) -> list[str]:
    db = station.catalogue
    subjects = [recordings.recording(db, one).recording.id for one in ids]
    for case in cases:
        if ledger.case(db, case) is None:
            raise no_such_case(case)
        subjects.append(f"{holds.CASE}{case}")
    return list(dict.fromkeys(subjects))


def _not_held(station: Station, subject: str) -> UsageProblem:
    others = holds.holds_of(station.catalogue, [subject]).get(subject)
    if others:
        return UsageProblem(
            T("Recording {id} is held with its case {case}.", id=subject, case=others[0].case),
            T("Release the case: recorder-sync recordings release --case NO"),
        )
    return UsageProblem(
        T("{what} is not under legal hold.", what=subject.removeprefix(holds.CASE)),
        T("recorder-sync recordings holds shows what is."),
    )
