"""An alert's matter as the custody log holds it, and read back.

An entry holds the whole matter, so that each can be read by itself. Entries of versions
before alerts had a life know only kind, device, docking, text and hint.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from recorder_sync.language import Text
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import Item, Matter, Severity, event_key
from recorder_sync.timestamps import iso, iso_or_none, moment

Facts = Mapping[str, Any]


def matter_facts(matter: Matter) -> dict[str, object]:
    return {
        "kind": matter.kind.value,
        "key": matter.key,
        "severity": matter.severity.value,
        "since": iso(matter.since),
        "due": iso_or_none(matter.due),
        "text": text_facts(matter.text),
        "hint": text_facts(matter.hint),
        "device": matter.device,
        "docking": matter.docking,
        "recording": matter.recording,
        "officer": matter.officer,
        "case": matter.case,
        "count": matter.count,
        "items": item_facts(matter.items),
        "digest": matter.digest,
    }


def event_matter(
    kind: AlertKind,
    text: Text,
    hint: Text,
    at: datetime,
    *,
    device: str | None,
    docking: str | None,
) -> Matter:
    """Return something that happened at `at` as a matter, known by what it says."""
    key = event_key(kind, docking or device, text_json(text))
    return Matter(kind, key, Severity.WARNING, at, text, hint, device=device, docking=docking)


def item_facts(items: Iterable[Item]) -> list[dict[str, object]]:
    return [
        {"name": one.name, "since": iso_or_none(one.since), "until": iso_or_none(one.until)}
        for one in items
    ]


def items_of(found: Iterable[Facts]) -> tuple[Item, ...]:
    return tuple(Item(one["name"], _moment(one["since"]), _moment(one["until"])) for one in found)


def _moment(text: str | None) -> datetime | None:
    return moment(text) if text else None


def text_of(found: Facts) -> Text:
    """Return a sentence that can still be shown in any language."""
    values = {
        name: text_of(value) if isinstance(value, dict) else value
        for name, value in found["values"].items()
    }
    return Text(found["template"], values)


def text_or_none(stored: str | None) -> Text | None:
    """Return a sentence as `text_json` wrote it."""
    return text_of(json.loads(stored)) if stored else None


def text_json(text: Text) -> str:
    # Sorted, as the custody log has it: a rebuild gives the very same text.
    return as_json(text_facts(text))


def as_json(facts: object) -> str:
    return json.dumps(facts, ensure_ascii=False, sort_keys=True)


def text_facts(text: Text) -> dict[str, object]:
    return {
        "template": text.template,
        "values": {name: _value(value) for name, value in text.values.items()},
    }


def _value(value: object) -> object:
    if isinstance(value, Text):
        return text_facts(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)  # as the custody log's canonical JSON has it
    return value if isinstance(value, int | float | str) else str(value)
