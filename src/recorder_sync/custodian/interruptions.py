"""Interruptions within an action, and why they were (Art. 20).

An interruption is known by the recording with which the action was resumed. It is explained
by voice in the recording, or in writing by two officers; what does not explain it as the
Measures ask for is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from recorder_sync.catalogue import gap_explanations, recordings
from recorder_sync.catalogue.gap_explanations import facts_of
from recorder_sync.catalogue.ledger_facts import device_subject
from recorder_sync.catalogue.pieces import pieces
from recorder_sync.custodian.deferring import refuse_unknown
from recorder_sync.custody.log import Act
from recorder_sync.errors import NotFound, UsageProblem
from recorder_sync.language import T
from recorder_sync.on_record import enter, turn
from recorder_sync.rules.continuity import (
    Action,
    Gap,
    GapExplanation,
    actions,
    unexplained_gaps,
)
from recorder_sync.station import Station

_AROUND = timedelta(days=1)
"""An action hardly lasts longer."""


@dataclass(frozen=True, slots=True)
class Interruption:
    action: Action
    gap: Gap
    is_explained: bool


def interruptions(
    station: Station, device: str | None, since: datetime, until: datetime | None = None
) -> list[Interruption]:
    """Return the gaps of the actions in that time, by device and time."""
    db, limits = station.catalogue, station.settings.watch_limits
    given = gap_explanations.by_device(gap_explanations.explanations(db, device, since, until))
    found = []
    for action in actions(pieces(db, device, since, until), limits):
        unexplained = unexplained_gaps(action, given.get(action.device, ()))
        found += [Interruption(action, gap, gap not in unexplained) for gap in action.gaps]
    return found


def explain_by_voice(
    station: Station, after: str, second: float, in_recording: str | None, who: str
) -> GapExplanation:
    """Put on record that a gap is explained at `second` of a recording of the same action.

    `after` is the id, or its start, of the recording with which it was resumed, and the one
    in which it is explained where no other is named. Raises NotFound or UsageProblem.
    """
    found = interruption(station, after)
    said_in = found.gap.after
    if in_recording is not None:
        said_in = recordings.recording(station.catalogue, in_recording).recording.id
    gap = found.gap
    explanation = GapExplanation(
        found.action.device, gap.begins, gap.ends, recording=said_in, at_second=second
    )
    if not explanation.explains(gap, found.action):
        raise UsageProblem(
            T("That is not a second of a recording of this action after the interruption."),
            T("See: recorder-sync gaps list --device {device}", device=found.action.device),
        )
    _enter(station, explanation, None, who)
    return explanation


def explain_in_writing(
    station: Station, after: str, officers: Sequence[str], text: str, who: str
) -> GapExplanation:
    """Put on record what at least two officers wrote and signed of a gap.

    `after` is the id, or its start, of the recording with which it was resumed. Raises
    NotFound or UsageProblem.
    """
    found = interruption(station, after)
    signed_by = frozenset(officers)
    if len(signed_by) < 2:
        raise UsageProblem(
            T("A written explanation is signed by two different officers."),
            T("Give --officer twice, or --second for one by voice."),
        )
    for officer in sorted(signed_by):
        refuse_unknown(station, None, officer)
    if not text.strip():
        raise UsageProblem(T("The text is empty."), T("Say in a few words what happened."))
    gap = found.gap
    explanation = GapExplanation(found.action.device, gap.begins, gap.ends, officers=signed_by)
    _enter(station, explanation, text.strip(), who)
    return explanation


def interruption(station: Station, after: str) -> Interruption:
    """Return the gap that ends with this recording: its id, or its start. Raises NotFound."""
    resumed = recordings.recording(station.catalogue, after).recording
    begins = resumed.recorded.start
    around = interruptions(
        station, resumed.device, begins - _AROUND, (resumed.recorded.end or begins) + _AROUND
    )
    for one in around:
        if one.gap.after == resumed.id:
            return one
    raise NotFound(
        T("No interruption ends with recording {id}.", id=resumed.id),
        T("See: recorder-sync gaps list --device {device}", device=resumed.device),
    )


def _enter(station: Station, explanation: GapExplanation, text: str | None, who: str) -> None:
    with turn(station):
        if explanation in gap_explanations.explanations(station.catalogue, explanation.device):
            return
        facts = {"who": who, **facts_of(explanation, text)}
        subject = device_subject(explanation.device)
        enter(station, [station.deed(Act.GAP_EXPLAINED, subject, facts)])
