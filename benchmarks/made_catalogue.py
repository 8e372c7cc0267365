"""A catalogue of made-up recordings, as a busy station has after three years.

The tables, indexes and triggers are the product's own, made by its migrations; only the
rows are inserted in bulk. The same number of recordings always gives the same catalogue.
Inventories are left out: no search of recordings reads them.
"""

import json
import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any

from sqlite_utils.db import Database

from recorder_sync.catalogue.database import open_catalogue
from recorder_sync.catalogue.time_line import free_places
from recorder_sync.catalogue.words import words
from recorder_sync.description import as_json
from recorder_sync.model import (
    CardPath,
    Digests,
    Kind,
    Media,
    RecordedTime,
    Recording,
    Source,
    Tag,
    Tags,
    TimeSource,
)
from recorder_sync.rules.identity import recording_id
from recorder_sync.timestamps import iso, iso_ns, moment

END = datetime(2026, 11, 23, tzinfo=UTC)
DAYS = 3 * 365
DEVICES = 300
OFFICERS = 200
UNITS = 10
CASES = 40_000
PER_DOCKING = 10
LATE = 0.02
WITH_CASE = 0.8

_SURNAMES = "李王张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "伟芳娜敏静秀丽强磊军洋勇艳杰娟涛明超兰霞平刚桂英华玉萍红鹏辉建国文志海波宁欣雨晨"
_FIRMS = ("餐饮有限公司", "建筑工程有限公司", "物业服务有限公司", "商贸有限公司")
RARE_PARTY = "上官婉儿"
RARE_CAUSE = "涉嫌擅自砍伐古树名木"
EARLY_CAUSE = "涉嫌违规投放共享单车"
"""A cause of the first months only: common, and nothing of it is new."""
_CAUSES = (
    ("涉嫌无照经营", 24),
    ("涉嫌占道经营", 22),
    ("涉嫌违法建设", 14),
    ("涉嫌擅自倾倒建筑垃圾", 9),
    ("涉嫌油烟超标排放", 8),
    ("涉嫌夜间施工噪声扰民", 7),
    ("违反停车管理规定", 9),
    ("未按规定设置户外广告", 7),
)
_SCHEMES = {
    2: ("DCIM/", "DCAM_{device}_{officer}_{at:%Y%m%d_%H%M%S}.jpg", Kind.PHOTO),
    8: ("DCIM/", "DCAM_{device}_{officer}_{at:%Y%m%d_%H%M%S}.mp4", Kind.VIDEO),
    9: ("DCIM/", "DCAM_{device}_{officer}_{at:%Y%m%d_%H%M%S}_IMP.mp4", Kind.VIDEO),
    10: ("RECORD/", "REC{number:07d}.WAV", Kind.AUDIO),
    11: ("VIDEO/", "现场勘验笔录{number:07d}.mp4", Kind.VIDEO),
    14: ("DCIM/100MEDIA/", "MAH{number:07d}.MP4", Kind.VIDEO),
    20: ("VIDEO/", "{officer}_0_{at:%Y%m%d_%H%M%S}.mp4", Kind.VIDEO),
}
"""Of twenty recordings, those up to the number are named so: folder, name and kind."""
_SAMPLE = Recording(
    id="",
    docking="",
    kind=Kind.VIDEO,
    original_path=CardPath(b""),
    mtime_ns=0,
    path="",
    size=0,
    digests=Digests("", ""),
    recorded=RecordedTime(END, END, TimeSource.CONTAINER, {"container": "", "name": ""}),
    media=Media(
        Kind.VIDEO,
        *("mov,mp4,m4a,3gp,3g2,mj2", "h264", "aac", 1920, 1080, 25.0),
        tags={"major_brand": "isom", "encoder": "Lavf59.27.100", "handler_name": "VideoHandler"},
    ),
    tags=Tags(*(Tag("", Source.NAME, "") for _ in range(3))),
    officer_name="",
    flags=frozenset(),
    sealed_at=END,
    deadline=END,
    on_time=True,
    read_back="direct",
)


@dataclass(frozen=True, slots=True)
class _Docking:
    number: int
    device: str
    officer: int
    at: datetime
    """Local time, written as if it were UTC: only its digits matter here."""
    cases: tuple[int, ...]

    @property
    def id(self) -> str:
        return f"{self.at:%Y%m%d-%H%M%S}-{self.number:06x}"


def make_catalogue(path: Path, recordings: int, end: datetime = END) -> None:
    """Make a catalogue of so many recordings at `path`, the newest of them docked at `end`."""
    open_catalogue(path).close()
    db = sqlite3.connect(path, isolation_level=None)
    for pragma in ("journal_mode=off", "synchronous=off", "cache_size=-500000"):
        db.execute(f"pragma {pragma}")
    choose = random.Random(recordings)
    names = [_person(choose) for _ in range(OFFICERS)]
    places = Database(db)
    with _indexes_made_at_the_end(db):
        db.execute("begin")
        _insert(db, "devices", ({"number": _device(i)} for i in range(DEVICES)))
        _insert(db, "officers", (_officer(i, name) for i, name in enumerate(names)))
        _insert(db, "cases", (_case(choose, i) for i in range(CASES)))
        made = _recordings(choose, recordings, names, end)
        while batch := list(islice(made, 20_000)):
            _insert(db, "dockings", (docking for docking, _, _ in batch if docking))
            _insert(db, "recordings", (_placed(places, recording) for _, recording, _ in batch))
            _insert(db, "descriptions", (description for _, _, description in batch))
        db.execute("commit")
    db.execute("pragma journal_mode=wal")
    db.close()


def sealed_recordings(count: int) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yield each docking's row with the descriptions of its recordings, in their order."""
    choose = random.Random(count)
    names = [_person(choose) for _ in range(OFFICERS)]
    opened: dict[str, Any] = {}
    described: list[dict[str, Any]] = []
    for docking, _, description in _recordings(choose, count, names):
        if docking:
            if described:
                yield opened, described
            opened, described = docking, []
        described.append(json.loads(description["json"]))
    if described:
        yield opened, described


def make_descriptions(count: int) -> Iterator[dict[str, Any]]:
    """Yield the descriptions of so many recordings, those of a docking together."""
    for _, described in sealed_recordings(count):
        yield from described


@contextmanager
def _indexes_made_at_the_end(db: sqlite3.Connection) -> Iterator[None]:
    """Take the product's indexes away and make them again, by the product's statements."""
    indexes = db.execute("select name, sql from sqlite_schema where type = 'index' and sql <> ''")
    found = indexes.fetchall()
    for name, _ in found:
        db.execute(f"drop index {name}")
    yield
    for _, statement in found:
        db.execute(statement)


def _insert(db: sqlite3.Connection, into: str, rows: Iterator[dict[str, Any]]) -> None:
    first = next(rows, None)
    if first is None:
        return
    statement = f"insert into {into} ({', '.join(first)}) values ({', '.join('?' for _ in first)})"
    db.executemany(statement, (tuple(row.values()) for row in chain((first,), rows)))


def _recordings(
    choose: random.Random, count: int, names: list[str], end: datetime = END
) -> Iterator[tuple[dict[str, Any] | None, dict[str, Any], dict[str, Any]]]:
    """Yield the docking where one begins, the recording and its description."""
    sample = as_json(_SAMPLE)
    dockings = -(-count // PER_DOCKING)
    for number in range(dockings):
        docking = _docking(choose, number, dockings, end)
        for turn in range(min(PER_DOCKING, count - number * PER_DOCKING)):
            opened = _docking_row(docking) if turn == 0 else None
            described = _describe(choose, sample, docking, turn, names[docking.officer])
            row = _row(choose, described, number * PER_DOCKING + turn)
            text = json.dumps(described, ensure_ascii=False)
            yield opened, row, {"recording": described["id"], "json": text}


def _docking(choose: random.Random, number: int, of: int, end: datetime) -> _Docking:
    age = timedelta(days=DAYS) * (of - number) / of
    near = round(CASES * number / of)
    device = choose.randrange(DEVICES)
    return _Docking(
        number,
        _device(device),
        (device + (choose.random() < 0.2)) % OFFICERS,
        end - age,
        tuple(min(CASES - 1, max(0, near + choose.randint(-500, 500))) for _ in range(3)),
    )


def _describe(
    choose: random.Random, sample: dict[str, Any], docking: _Docking, turn: int, officer_name: str
) -> dict[str, Any]:
    on_time = choose.random() >= LATE
    start = docking.at - timedelta(
        hours=0 if on_time else 24, minutes=45 * (PER_DOCKING - turn), seconds=choose.randrange(900)
    )
    seconds = choose.randrange(20, 1200)
    device, officer = docking.device, _officer_number(docking.officer)
    case = _case_number(choose.choice(docking.cases)) if choose.random() < WITH_CASE else None
    folder, name, kind = _name(docking.number * PER_DOCKING + turn, device, officer, start)
    blake3 = choose.randbytes(32).hex()
    identifier = recording_id(device, blake3)
    tags = {key: _tag(v) for key, v in (("device", device), ("officer", officer), ("case", case))}
    return {
        **sample,
        "id": identifier,
        "docking": docking.id,
        "device": device,
        "officer": {"cert_no": officer, "name": officer_name},
        "case": case,
        "kind": kind.value,
        "original_name": name,
        "original_path": folder + name,
        "mtime": iso_ns(int(start.timestamp()) * 10**9),
        "path": f"{device}/{start:%Y/%m/%d}/{start:%H%M%S}_{identifier}_{name}",
        "size": seconds * 1_000_000 + choose.randrange(1_000_000),
        "blake3": blake3,
        "sha256": choose.randbytes(32).hex(),
        "recorded_start": iso(start),
        "recorded_end": iso(start + timedelta(seconds=seconds)),
        "duration_s": float(seconds),
        "sealed_at": iso(docking.at),
        "deadline": iso(start + timedelta(seconds=seconds, hours=24)),
        "on_time": on_time,
        "tags": tags,
    }


def _placed(db: Database, row: dict[str, Any]) -> dict[str, Any]:
    """Return the row with its number, as the product gives it."""
    (number,) = free_places(db, [(moment(row["recorded_start"]), row["id"])])
    return {"number": number, **row}


def _row(choose: random.Random, described: dict[str, Any], number: int) -> dict[str, Any]:
    """Return the row of the table `recordings`."""
    alike = ("id", "docking", "state", "device", "kind", "path", "size", "blake3", "sha256")
    times = ("recorded_start", "recorded_end", "duration_s", "sealed_at", "deadline")
    name = described["original_name"]
    return {
        **{column: described[column] for column in (*alike, *times)},
        "officer": described["officer"]["cert_no"],
        "case_no": described["case"],
        "device_as_sealed": described["device"],
        "name": name,
        "name_words": words(name),
        "fingerprint": choose.randbytes(16),
        "on_time": int(described["on_time"]),
        "flags": '["important"]' if "_IMP" in name else "[]",
        **_marks(number),
        "description_blake3": choose.randbytes(32).hex(),
        "description_sha256": choose.randbytes(32).hex(),
        "custody_seq": number,
    }


def _marks(number: int) -> dict[str, Any]:
    """Return what people marked: of a third, the stage; of a few, that they are secret."""
    item = ("7.2", "7.3", "7.9", "9.1")[number // 3 % 4] if number % 3 == 0 else None
    stages = {"7": "investigation", "9": "service and execution"}
    return {
        "important": 1 if number % 101 == 0 else None,
        "notified_by": "account:wang" if number % 5 == 0 else None,
        "notified_second": 3.0 if number % 5 == 0 else None,
        "stage": stages[item[0]] if item else None,
        "item": item,
        "secrecy": "personal privacy" if number % 97 == 0 else None,
    }


def _name(number: int, device: str, officer: str, start: datetime) -> tuple[str, str, Kind]:
    """Return folder, name and kind in one of the naming schemes that cards have."""
    turn = number % 20
    folder, form, kind = next(_SCHEMES[below] for below in _SCHEMES if turn < below)
    name = form.format(number=number, device=device.replace("-", ""), officer=officer, at=start)
    return folder, name, kind


def _docking_row(docking: _Docking) -> dict[str, Any]:
    return {
        "id": docking.id,
        "source": "/media/card",
        "device": docking.device,
        "identity_state": "known",
        "claims": "[]",
        "started_at": iso(docking.at),
        "ended_at": iso(docking.at + timedelta(minutes=5)),
        "outcome": "done",
    }


def _device(number: int) -> str:
    return f"ZFY-{number:04d}"


def _officer_number(number: int) -> str:
    return f"{13_010_000 + number:08d}"


def _officer(number: int, name: str) -> dict[str, Any]:
    unit = f"{number % UNITS + 1}中队"
    cert_no = _officer_number(number)
    return {"cert_no": cert_no, "name": name, "name_words": words(name), "unit": unit}


def _case_number(number: int) -> str:
    return f"冀石执〔2026〕{number:05d}号"


def _case(choose: random.Random, number: int) -> dict[str, Any]:
    party, cause = _party(choose), choose.choices(*zip(*_CAUSES, strict=True))[0]
    if number == CASES // 2:
        party, cause = RARE_PARTY, RARE_CAUSE
    elif number < CASES // 4 and number % 3 == 0:
        cause = EARLY_CAUSE
    return {
        "number": _case_number(number),
        "party": party,
        "party_words": words(party),
        "cause": cause,
        "cause_words": words(cause),
    }


def _party(choose: random.Random) -> str:
    if choose.random() < 0.25:
        return "石家庄" + "".join(choose.choices(_GIVEN, k=2)) + choose.choice(_FIRMS)
    return _person(choose)


def _person(choose: random.Random) -> str:
    weights = [1 / (2 + at) for at in range(len(_SURNAMES))]
    surname = choose.choices(_SURNAMES, weights)[0]
    return surname + "".join(choose.choices(_GIVEN, k=choose.choice((1, 2, 2))))


def _tag(value: str | None) -> dict[str, Any] | None:
    if value is None:
        return None
    return {"value": value, "source": "name", "detail": "the file's name", "others": []}
