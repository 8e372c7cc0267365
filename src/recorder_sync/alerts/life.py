"""The life of one alert, as the custody log tells it, in words."""

from collections.abc import Mapping
from typing import Any

from recorder_sync.catalogue.alert_facts import text_of
from recorder_sync.catalogue.alerts import RecordedAlert
from recorder_sync.custody.log import Act, CustodyLog, Entry
from recorder_sync.language import tr
from recorder_sync.rules.reconcile import ResolvedBy
from recorder_sync.timestamps import iso

_LIFE = (
    Act.ALERT,
    Act.ALERT_UPDATED,
    Act.ALERT_ACKNOWLEDGED,
    Act.ALERT_RESOLVED,
    Act.ALERT_ENDED,
)


def life_of(one: RecordedAlert, custody: CustodyLog) -> list[Entry]:
    """Return the entries of the custody log about one alert. Raises CustodyProblem or OSError.

    An alert's number is that of its opening, so nothing before it is read, and nothing after
    the last entry that was taken up; one of an older version is looked for in the whole log.
    """
    first = one.number if one.digest else 0
    found: list[Entry] = []
    for entry in custody.entries_of(_LIFE, first):
        if _is_about(entry, one):
            found.append(entry)
        if one.last_entry is not None and entry.seq >= one.last_entry:
            break
    return found


def _is_about(entry: Entry, one: RecordedAlert) -> bool:
    facts = entry.deed.facts
    if entry.deed.act is not Act.ALERT:
        about = facts["alert"]
        return bool(about["key"] == one.key and about["raised_at"] == iso(one.raised_at))
    if "key" in facts:
        return entry.seq == one.number
    return (facts["kind"], facts["device"], facts["docking"], entry.deed.time) == (
        *(one.kind.value, one.device, one.docking),
        one.raised_at,
    )


def life_words(entry: Entry) -> tuple[str, str]:
    """Say what happened to an alert, and the details."""
    facts = entry.deed.facts
    match entry.deed.act:
        case Act.ALERT:
            return tr("opened"), _said(facts)
        case Act.ALERT_UPDATED:
            return tr("worse") if facts["is_worse"] else tr("updated"), _said(facts)
        case Act.ALERT_ACKNOWLEDGED:
            return tr("acknowledged"), _noted(facts)
        case Act.ALERT_RESOLVED if facts["by"] == ResolvedBy.PERSON:
            return tr("resolved"), _noted(facts)
        case Act.ALERT_RESOLVED:
            return tr("resolved"), tr("The cause is gone.")
    return tr("ended"), tr("The cause is gone.")


def _said(facts: Mapping[str, Any]) -> str:
    text = text_of(facts["text"]).shown
    return f"{tr(facts['severity'])}: {text}" if "severity" in facts else text


def _noted(facts: Mapping[str, Any]) -> str:
    return tr(": ").join(part for part in (facts["who"], facts["note"]) if part)
