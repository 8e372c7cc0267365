"""Open matters that somebody must handle, as the catalogue keeps them."""

import json
from collections.abc import Mapping
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.schema import table
from recorder_sync.language import Text
from recorder_sync.model import Alert, AlertKind
from recorder_sync.timestamps import iso, moment


def is_open(db: Database, alert: Alert) -> bool:
    """Tell whether the same matter is open already."""
    rows = table(db, "alerts").rows_where(
        "kind = ? and docking is ? and device is ? and text = ? and resolved_at is null",
        [alert.kind.value, alert.docking, alert.device, _as_json(alert.text)],
        limit=1,
    )
    return any(True for _ in rows)


def is_entered(db: Database, alert: Alert) -> bool:
    """Tell whether this alert is there, raised at this time."""
    return bool(
        table(db, "alerts").count_where(
            "kind = ? and docking is ? and device is ? and text = ? and raised_at = ?",
            [
                *(alert.kind.value, alert.docking, alert.device, _as_json(alert.text)),
                iso(alert.raised_at),
            ],
        )
    )


def enter(db: Database, alert: Alert) -> None:
    table(db, "alerts").insert(
        {
            **alert_facts(alert),
            "text": _as_json(alert.text),
            "hint": _as_json(alert.hint),
            "raised_at": iso(alert.raised_at),
        }
    )


def open_alerts(db: Database) -> list[Alert]:
    """Return what is open, newest first."""
    rows = table(db, "alerts").rows_where("resolved_at is null", order_by="number desc")
    return [
        Alert(
            AlertKind(row["kind"]),
            text_of(json.loads(row["text"])),
            text_of(json.loads(row["hint"])),
            moment(row["raised_at"]),
            row["device"],
            row["docking"],
        )
        for row in rows
    ]


def alert_facts(alert: Alert) -> dict[str, object]:
    """Return an alert as the custody log holds it."""
    return {
        "kind": alert.kind.value,
        "device": alert.device,
        "docking": alert.docking,
        "text": _text(alert.text),
        "hint": _text(alert.hint),
    }


def text_of(found: Mapping[str, Any]) -> Text:
    """Return a sentence that can still be shown in any language."""
    values = {
        name: text_of(value) if isinstance(value, dict) else value
        for name, value in found["values"].items()
    }
    return Text(found["template"], values)


def _as_json(text: Text) -> str:
    # Sorted, as the custody log has it: a rebuild gives the very same text.
    return json.dumps(_text(text), ensure_ascii=False, sort_keys=True)


def _text(text: Text) -> dict[str, object]:
    return {
        "template": text.template,
        "values": {name: _value(value) for name, value in text.values.items()},
    }


def _value(value: object) -> object:
    if isinstance(value, Text):
        return _text(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)  # as the custody log's canonical JSON has it
    return value if isinstance(value, int | float | str) else str(value)
