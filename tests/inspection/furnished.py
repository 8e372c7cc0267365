"""A station with rows in every table, and what somebody with root could do to it."""

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

from recorder_sync.alerts.raising import raise_alert
from recorder_sync.catalogue import alerts
from recorder_sync.catalogue.gap_explanations import facts_of
from recorder_sync.custody.log import Act
from recorder_sync.inspection.findings import Finding
from recorder_sync.inspection.verification import Scope, verify
from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.on_record import enter, turn
from recorder_sync.rules.continuity import GapExplanation
from tests.conftest import Card, Dock, MediaFiles

_QUIET = timedelta(minutes=2)
_calls = count(1)


def furnish(dock: Dock, card: Card, media_files: MediaFiles) -> None:
    """Give the station recordings, a ledger, corrections, alerts and a checkpoint."""

    def done(*arguments: str) -> None:
        result = dock.run(*arguments)
        assert result.code == 0, result.err

    done("officers", "add", "000001", "--name", "李明", "--unit", "一中队")
    done("cases", "add", "2026-7", "--party", "李明建筑", "--cause", "涉嫌占道经营")
    done("devices", "add", "CAM001", "--kind", "body camera", "--maker", "海康",
         "--usb", "0781:5581:4C530001", "--fs-uuid", "12AB-34CD")  # fmt: skip
    done("devices", "fault", "CAM001", "--what", "lens broken")
    card.put("DCIM/DCAM_CAM001_000001_20261122_160000.mp4", media_files.other_video)
    card.put("DCIM/DCAM_CAM001_000001_20261123_100000_IMP.wav", media_files.audio)
    card.put("DCIM/DCAM_CAM001_000001_20261123_110000.jpg", media_files.photo)
    card.put("DCIM/DCAM_CAM001_000001_20261123_120000.mp4", media_files.video)
    card.put("notes.txt", b"no recording")
    assert dock.ingest(card).json["sealed"] == 4
    (corrected, *_) = dock.run("recordings", "list", "--json").json["recordings"]
    why = ("--by", "王队", "--reason", "案号")
    done("recordings", "tag", corrected["id"], *why, "--case", "2026-7")
    station = dock.station()
    try:
        raise_alert(station, AlertKind.STATION, T("The disk is full."), T("Make room."))
        raise_alert(station, AlertKind.STATION, T("The lamp is out."), T("Change it."))
        (first, second) = alerts.live(station.catalogue)
    finally:
        station.catalogue.close()
    done("alerts", "ack", str(first.number), "--by", "王队", "--note", "在腾空间")
    done("alerts", "resolve", str(second.number), "--by", "王队", "--note", "换了灯")
    done("deferrals", "add", "--reason", "water", "--device", "CAM001", "--officer", "000001",
         "--begins", "2026-11-23T08:00", "--expected", "2026-11-25T12:00",
         "--approver", "刘局", "--note", "巡江", "--by", "王队")  # fmt: skip
    calendar = dock.state.with_name("calendar.csv")
    calendar.write_text(CALENDAR, encoding="utf-8")
    done("calendar", "import", str(calendar))
    done("calendar", "explain", "检查-1", "--reason", "other", "--note", "停电", "--by", "王队")
    explain_gap(dock)
    done("recordings", "mark", corrected["id"], "--important", "--notified", "--item", "7.3",
         "--secrecy", "personal privacy", "--by", "王队")  # fmt: skip
    done("recordings", "bookmark", corrected["id"], "0.5", "--kind", "scene", "--by", "王队")
    done("verify", "--all")
    done("custody", "checkpoint")


CALENDAR = (
    "id,kind,begins,ends,officer,device,case,in_full\n"
    "检查-1,执法活动,2026/11/23 9:00,2026/11/23 10:00,000001,CAM001,2026-7,是\n"
)


def explain_gap(dock: Dock) -> None:
    """Put an explanation on record; the recordings of this station have no gap of their own."""
    at = datetime(2026, 11, 23, 4, tzinfo=UTC)
    explanation = GapExplanation("CAM001", at, at + _QUIET, "x", 5.0, frozenset({"000001"}))
    station = dock.station()
    try:
        with turn(station):
            facts = {"who": "王队", **facts_of(explanation, "换电池")}
            enter(station, [station.deed(Act.GAP_EXPLAINED, "device:CAM001", facts)])
    finally:
        station.catalogue.close()


def verify_here(dock: Dock, *, bodies: bool = True) -> list[Finding]:
    """Verify everything in this process, long after anybody wrote anything.

    A difference in the records is looked at again for 3 s while somebody may be writing, and
    a verification writes an entry itself: so each of them is later than the one before.
    """
    opened = dock.station()
    since = next(_calls) * _QUIET
    try:
        later = replace(opened, now=lambda: opened.now() + since)
        return verify(later, Scope(), bodies=bodies).findings
    finally:
        opened.catalogue.close()


def log_file(dock: Dock) -> Path:
    (segment,) = (dock.state / "custody").glob("*.jsonl")
    return segment


def log_lines(dock: Dock) -> list[bytes]:
    return log_file(dock).read_bytes().splitlines(keepends=True)


def description_of(file: Path) -> Any:
    return json.loads(Path(f"{file}.json").read_bytes())


def second_connection(dock: Dock) -> sqlite3.Connection:
    """Open the catalogue as its administrator would, who need not keep its rules."""
    db = sqlite3.connect(dock.state / "catalogue.db", isolation_level=None)
    db.execute("pragma foreign_keys=off")
    return db
