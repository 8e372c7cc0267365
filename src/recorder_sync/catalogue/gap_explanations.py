"""Why a device did not record for a while within an action (Art. 20), as people explained it."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from sqlite_utils.db import Database

from recorder_sync.catalogue.database import insert
from recorder_sync.custody.log import Entry
from recorder_sync.rules.continuity import Gap, GapExplanation
from recorder_sync.rules.deadline import after
from recorder_sync.timestamps import iso, moment

LONGEST = timedelta(days=1)
"""What is explained is within one action, which hardly lasts longer."""

_EXPLANATION = "device, begins, ends, recording, at_second, officers"


def explanations(
    db: Database,
    device: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> list[GapExplanation]:
    """Return the explanations of one device or of all, in the order of the custody log: all
    there are, or those of gaps that last at any moment of a time.
    """
    conditions, values = ["1"], []
    if device:
        conditions.append("device = ?")
        values.append(device)
    if since is not None:
        conditions.append("begins >= ? and ends >= ?")
        values += [iso(after(since, -LONGEST)), iso(since)]
    if until is not None:
        conditions.append("begins <= ?")
        values.append(iso(until))
    where = " and ".join(conditions)
    rows = db.execute(
        f"select {_EXPLANATION} from gap_explanations where {where} order by custody_seq", values
    )
    return [_explanation(*row) for row in rows]


def by_device(found: Iterable[GapExplanation]) -> Mapping[str, Sequence[GapExplanation]]:
    """Return explanations by the device that they are of."""
    of: dict[str, list[GapExplanation]] = {}
    for one in found:
        of.setdefault(one.device, []).append(one)
    return of


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
            _explanation(*(row[name] for name in _EXPLANATION.split(", "))),
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


def _explanation(
    device: str,
    begins: str,
    ends: str,
    recording: str | None,
    at_second: float | None,
    officers: str,
) -> GapExplanation:
    return GapExplanation(
        device, moment(begins), moment(ends), recording, at_second, _officers(officers)
    )


@lru_cache(maxsize=512)  # the same few sign again and again
def _officers(text: str) -> frozenset[str]:
    return frozenset(json.loads(text))
