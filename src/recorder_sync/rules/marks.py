"""What people mark a recording with: stage and item of the enforcement (Art. 6 to 9), bookmarks
by what a recording should show above all (Art. 19), that the person was told of the recorder
(Art. 23), how secret it is (Art. 25), and whether it is important. Pure.

The items are those of the Measures; a configuration may add its own.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from recorder_sync.errors import UsageProblem
from recorder_sync.language import T, Text
from recorder_sync.rules.access import Secrecy
from recorder_sync.rules.stage import Stage


class BookmarkKind(StrEnum):
    """What a moment of a recording shows (Art. 19)."""

    SCENE = "scene"
    """The place, and how officers inspect and take evidence."""
    PERSONS = "persons"
    OBJECTS = "objects and evidence"
    COERCION = "coercive measures"
    DOCUMENTS = "service of documents"
    OTHER = "other moment"


class Markable(StrEnum):
    """A mark that may be taken back."""

    NOTIFIED = "notified"
    STAGE = "stage"
    ITEM = "item"


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a stage is to be recorded for."""

    id: str
    """Article and number, such as `7.3`; those of a configuration are its own."""
    stage: Stage
    text: Text


@dataclass(frozen=True, slots=True)
class Notified:
    """Somebody confirmed that the person was told of the recorder (Art. 23)."""

    by: str
    second: float | None = None
    """At which second of the recording it is heard, where that was said."""


@dataclass(frozen=True, slots=True)
class Marks:
    important: bool | None = None
    """None: nobody said so, and the device's own flag counts."""
    notified: Notified | None = None
    stage: Stage | None = None
    item: str | None = None
    secrecy: Secrecy = Secrecy.NONE


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be marked; None leaves a mark as it is."""

    important: bool | None = None
    notified: bool = False
    notified_second: float | None = None
    stage: Stage | None = None
    item: str | None = None
    """Its stage is marked with it."""
    secrecy: Secrecy | None = None
    cleared: frozenset[Markable] = frozenset()
    """What was marked and is taken back."""


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A moment of a recording."""

    number: int
    """That of its entry in the custody log."""
    recording: str
    second: float
    kind: BookmarkKind
    note: str | None
    by: str
    entered_at: datetime


def marked(
    before: Marks, change: Change, by: str, items: dict[str, Item], duration_s: float | None
) -> Marks:
    """Return the marks after a change. Raises UsageProblem where it makes no sense."""
    after = before
    for one in change.cleared:
        match one:
            case Markable.NOTIFIED:
                after = replace(after, notified=None)
            case Markable.STAGE:
                after = replace(after, stage=None, item=None)
            case Markable.ITEM:
                after = replace(after, item=None)
    if change.important is not None:
        after = replace(after, important=change.important)
    if change.notified:
        check_second(change.notified_second, duration_s)
        after = replace(after, notified=Notified(by, change.notified_second))
    if change.secrecy is not None:
        after = replace(after, secrecy=change.secrecy)
    return _staged(after, change, items)


def _staged(after: Marks, change: Change, items: dict[str, Item]) -> Marks:
    if change.item is not None:
        item = items.get(change.item)
        if item is None:
            raise UsageProblem(
                T("There is no item {item}.", item=change.item),
                T("recorder-sync recordings items lists them."),
            )
        if change.stage not in (None, item.stage):
            raise UsageProblem(
                T("Item {item} belongs to another stage.", item=item.id),
                T("Name the item alone: its stage is marked with it."),
            )
        return replace(after, stage=item.stage, item=item.id)
    if change.stage is not None and change.stage is not after.stage:
        return replace(after, stage=change.stage, item=None)
    return after


def asks_for_reason(before: Marks, after: Marks) -> bool:
    """Tell whether a change takes something back, which nobody may do without a reason."""
    order = list(Secrecy)
    return (
        (before.important is True and after.important is False)
        or (before.notified is not None and after.notified is None)
        or (before.stage is not None and after.stage is not before.stage)
        or (before.item is not None and after.item != before.item)
        or order.index(after.secrecy) < order.index(before.secrecy)
    )


def check_second(second: float | None, duration_s: float | None) -> None:
    """Raise UsageProblem for a moment outside a recording."""
    if second is None:
        return
    if not 0 <= second < float("inf") or (duration_s is not None and second > duration_s):
        raise UsageProblem(
            T("Second {second} is not within the recording.", second=f"{second:g}"),
            T("Give the seconds from its beginning."),
        )


ITEMS: tuple[Item, ...] = (
    Item("6.1", Stage.START, T("Started ex officio: source of the matter, reason")),
    Item("6.2", Stage.START, T("Started on application: application, completion, acceptance")),
    Item("7.1", Stage.INVESTIGATION, T("Officers' names and numbers, showing of certificates")),
    Item("7.2", Stage.INVESTIGATION, T("Questioning")),
    Item("7.3", Stage.INVESTIGATION, T("On-site inspection")),
    Item("7.4", Stage.INVESTIGATION, T("Taking of documents, objects and other evidence")),
    Item("7.5", Stage.INVESTIGATION, T("Sampling")),
    Item("7.6", Stage.INVESTIGATION, T("Tests, quarantine, expert opinions and reviews")),
    Item("7.7", Stage.INVESTIGATION, T("Preservation of evidence")),
    Item("7.8", Stage.INVESTIGATION, T("Coercive administrative measures")),
    Item("7.9", Stage.INVESTIGATION, T("Notice of rights, and what the party made of them")),
    Item("7.10", Stage.INVESTIGATION, T("Hearing, discussion of evidence")),
    Item("7.11", Stage.INVESTIGATION, T("Other matters of the investigation")),
    Item("8.1", Stage.DECISION, T("Proposal, with facts, evidence, grounds and discretion")),
    Item("8.2", Stage.DECISION, T("Decision that the responsible unit intends")),
    Item("8.3", Stage.DECISION, T("Legal review")),
    Item("8.4", Stage.DECISION, T("Decision by joint discussion")),
    Item("8.5", Stage.DECISION, T("Approval by the head of the office")),
    Item("8.6", Stage.DECISION, T("Other matters of the decision")),
    Item("9.1", Stage.EXECUTION, T("Service of documents")),
    Item("9.2", Stage.EXECUTION, T("Compliance of the party with the decision")),
    Item("9.3", Stage.EXECUTION, T("Compulsory execution")),
    Item("9.4", Stage.EXECUTION, T("Disposal of confiscated property")),
    Item("9.5", Stage.EXECUTION, T("Other matters of the execution")),
)
"""The items of the Measures, Art. 6 to 9, by article and number."""
