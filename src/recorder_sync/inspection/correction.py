"""Corrects a recording's tags. The description as sealed stays; the log keeps both.

The evidence file and its description are never touched: the correction lives in the
custody log, with the values before and after, and in the catalogue.
"""

from dataclasses import dataclass, replace

from recorder_sync.catalogue import holds, ledger, recordings
from recorder_sync.catalogue.database import transaction
from recorder_sync.custody.log import Act
from recorder_sync.description import as_json
from recorder_sync.errors import UsageProblem
from recorder_sync.language import T
from recorder_sync.model import Flag, Recording, Source, Tag, Tags
from recorder_sync.on_record import append
from recorder_sync.rules.tagging import conflicts
from recorder_sync.station import Station

_CONFLICTS = frozenset({Flag.DEVICE_CONFLICT, Flag.OFFICER_CONFLICT, Flag.CASE_CONFLICT})


@dataclass(frozen=True, slots=True)
class Correction:
    """What a person says is right; None leaves a tag as it is."""

    by: str
    reason: str
    device: str | None = None
    officer: str | None = None
    case: str | None = None


def correct(station: Station, recording: Recording, wanted: Correction) -> Recording:
    """Enter the correction in the custody log, then in the catalogue.

    A person's word settles a conflict. Raises UsageProblem when nothing is to be
    corrected, or when nobody or no reason is named.
    """
    if not wanted.by.strip() or not wanted.reason.strip():
        raise UsageProblem(
            T("A correction needs a person and a reason."), T("Give --by and --reason.")
        )
    given = [value for value in (wanted.device, wanted.officer, wanted.case) if value is not None]
    if not given or not all(value.strip() for value in given):
        raise UsageProblem(
            T("There is nothing to correct."), T("Give --device, --officer or --case.")
        )
    if wanted.case is not None:
        _refuse_to_leave_a_held_case(station, recording)
    detail = f"{wanted.by}: {wanted.reason}"
    tags = Tags(
        device=_said(recording.tags.device, wanted.device, detail),
        officer=_said(recording.tags.officer, wanted.officer, detail),
        case=_said(recording.tags.case, wanted.case, detail),
    )
    officer = ledger.officer(station.catalogue, tags.officer.value) if tags.officer else None
    registered = officer.name if officer else None
    name = recording.officer_name if wanted.officer is None else registered
    changed = replace(
        recording,
        tags=tags,
        officer_name=name,
        flags=(recording.flags - _CONFLICTS) | conflicts(tags),
    )
    facts = {
        "by": wanted.by,
        "reason": wanted.reason,
        "before": _tagged(recording),
        "after": _tagged(changed),
    }
    with transaction(station.catalogue):
        append(station, [station.deed(Act.TAG, recording.id, facts)])
        recordings.retag(station.catalogue, changed)
    return changed


def _refuse_to_leave_a_held_case(station: Station, recording: Recording) -> None:
    """Raise UsageProblem where a recording would not be held any more by its new case."""
    found = holds.holds_of(station.catalogue, [recording.id]).get(recording.id, [])
    if found and all(one.case is not None for one in found):
        raise UsageProblem(
            T("Recording {id} is held with its case {case}.", id=recording.id, case=found[0].case),
            T(
                "Hold it by itself first: recorder-sync recordings hold {id} --reason WORDS",
                id=recording.id,
            ),
        )


def _said(before: Tag | None, value: str | None, detail: str) -> Tag | None:
    return before if value is None else Tag(value.strip(), Source.PERSON, detail)


def _tagged(recording: Recording) -> dict[str, object]:
    described = as_json(recording)
    return {key: described[key] for key in ("device", "officer", "case", "tags", "flags")}
