"""Why a device did not record for a while within an action (Art. 20), as people explained it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.database import insert
from recorder_sync.custody.log import Entry
from recorder_sync.rules.continuity import Gap, GapExplanation
from recorder_sync.timestamps import iso, moment


def explanations(db: Database, device: str | None = None) -> list[GapExplanation]:
    """Return the explanations of one device or of all, in the order of the custody log."""
    where, values = ("device = ?", [device]) if device else ("1", [])
    rows = db.query(f"select * from gap_explanations where {where} order by custody_seq", values)
    return [_explanation(row) for row in rows]


@dataclass(frozen=True, slots=True)
class RecordedExplanation:
    """An explanation as it is on record."""

    explanation: GapExplanation
    text: str | None
    """What the officers wrote."""
    who: str
    """Who put it on record."""
    entered_at: datetime
    custody_seq: int


def recorded(db: Database, device: str, gap: Gap) -> list[RecordedExplanation]:
    """Return what was put on record of one gap of a device, in the order of the custody log."""
    rows = db.query(
        "select * from gap_explanations where device = ? and begins <= ? and ends >= ?"
        " order by custody_seq",
        [device, iso(gap.begins), iso(gap.ends)],
    )
    return [
        RecordedExplanation(
            _explanation(row),
            row["text"],
            row["who"],
            moment(row["entered_at"]),
            row["custody_seq"],
        )
        for row in rows
    ]


def facts_of(one: GapExplanation, text: str | None) -> dict[str, object]:
    """Return an explanation as the custody log holds it; `text` is what the officers wrote."""
    return {
        "device": one.device,
        "begins": iso(one.begins),
        "ends": iso(one.ends),
        "recording": one.recording,
        "at_second": one.at_second,
        "officers": sorted(one.officers),
        "text": text,
    }


def take_up(db: Database, entry: Entry) -> None:
    """Enter what an entry of the custody log says."""
    facts = entry.deed.facts
    select = "select 1 from gap_explanations where custody_seq = ?"
    if db.execute(select, [entry.seq]).fetchone() is not None:
        return
    insert(
        db,
        "gap_explanations",
        [
            {
                "custody_seq": entry.seq,
                "device": facts["device"],
                "begins": facts["begins"],
                "ends": facts["ends"],
                "recording": facts["recording"],
                "at_second": facts["at_second"],
                "officers": json.dumps(facts["officers"], ensure_ascii=False),
                "text": facts["text"],
                "who": facts["who"],
                "entered_at": iso(entry.deed.time),
            }
        ],
    )


def _explanation(row: Mapping[str, Any]) -> GapExplanation:
    return GapExplanation(
        device=row["device"],
        begins=moment(row["begins"]),
        ends=moment(row["ends"]),
        recording=row["recording"],
        at_second=row["at_second"],
        officers=frozenset(json.loads(row["officers"])),
    )
