"""The statistics: what was recorded, on time or late, and what went wrong, with charts and files.

Every chart has its table under it, and every figure its meaning (Art. 28).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from recorder_sync.catalogue import day_figures
from recorder_sync.custodian.sheets import as_csv, as_xlsx
from recorder_sync.custodian.statistics import Named, Question, Report, report
from recorder_sync.errors import NotFound, RecorderSyncError, UsageProblem
from recorder_sync.language import T, tr
from recorder_sync.rules.access import Permission, Reach
from recorder_sync.rules.figures import MEANING, Figure, Step, Sum, day_of, stretches, total
from recorder_sync.shown import amount
from recorder_sync.web.charts import WIDE, Columns, Curve, Part, columns, curve
from recorder_sync.web.rendering import page
from recorder_sync.web.statistics_tables import (
    kinds_in_words,
    tables,
    tables_by_name,
    word_of,
)
from recorder_sync.web.visits import Visit, visitor

router = APIRouter()

_Reader = Annotated[Visit, Depends(visitor(Permission.SEE_STATISTICS), scope="function")]

_MOST_COLUMNS = 62
_SHOWN = 12
"""Rows of a ranking on the page; the files have all."""
_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the address asks for, as it stands there."""

    first: str = ""
    last: str = ""
    step: str = ""
    unit: str = ""


def wish(
    first: str = "",
    last: str = "",
    step: str = "",
    unit: Annotated[str, Query(max_length=200)] = "",
) -> Wish:
    return Wish(first, last, step, unit)


_Wished = Annotated[Wish, Depends(wish)]


@router.get("/statistics")
def statistics(request: Request, visit: _Reader, wished: _Wished) -> Response:
    problem: RecorderSyncError | None = None
    question = _question(visit, wished)
    try:
        found = report(visit.station, question)
    except UsageProblem as refused:
        problem = refused
        question = _question(visit, Wish())
        found = report(visit.station, question)
    given = urlencode(_given(question))
    values = {
        "problem": problem,
        "question": question,
        "found": found,
        "charts_of": _charts(found),
        "disk": _disk_chart(visit, found),
        "rankings": _rankings(found),
        "tables": {one.title: one for one in tables(found)},
        "meaning": {one.value: text.shown for one, text in MEANING.items()},
        "presets": _presets(visit),
        "units": day_figures.units(visit.station.catalogue) if _sees_all(visit) else [],
        "csv": lambda name: f"/statistics/table.csv?{urlencode({'table': name})}&{given}",
        "xlsx": f"/statistics/tables.xlsx?{given}",
        "steps": [(one.value, tr(one.value)) for one in Step],
    }
    return page(request, "statistics.html", values, code=400 if problem else 200)


@router.get("/statistics/table.csv")
def as_csv_file(visit: _Reader, wished: _Wished, table: str) -> Response:
    question = _question(visit, wished)
    for name, one in tables_by_name(report(visit.station, question)).items():
        if name == table:
            return _file(as_csv(one), "text/csv; charset=utf-8", f"{name}-{_period(question)}.csv")
    raise NotFound(T("There is no such page."))


@router.get("/statistics/tables.xlsx")
def as_xlsx_file(visit: _Reader, wished: _Wished) -> Response:
    question = _question(visit, wished)
    found = as_xlsx(tables(report(visit.station, question)))
    return _file(found, _XLSX, f"statistics-{_period(question)}.xlsx")


def _file(data: bytes, kind: str, name: str) -> Response:
    return Response(
        data,
        media_type=kind,
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


def _period(question: Question) -> str:
    return f"{question.first}-{question.last}"


def _sees_all(visit: Visit) -> bool:
    return visit.account.scope.reach is Reach.ALL


def _question(visit: Visit, wished: Wish) -> Question:
    today = day_of(visit.station.now(), visit.settings.station.zone)
    last = _day(wished.last) or today
    first = _day(wished.first) or last - timedelta(days=29)
    step = Step(wished.step) if wished.step in set(Step) else _step_for(first, last)
    while len(stretches(first, last, step)) > _MOST_COLUMNS and step is not Step.MONTH:
        step = Step.WEEK if step is Step.DAY else Step.MONTH
    unit = wished.unit or None if _sees_all(visit) else None
    return Question(first, last, step, visit.account.scope, unit)


def _step_for(first: date, last: date) -> Step:
    days = (last - first).days
    return Step.DAY if days <= 45 else Step.WEEK if days <= 200 else Step.MONTH


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 <= found.year < 2200 else None


def _given(question: Question) -> dict[str, str]:
    found = {
        "first": str(question.first),
        "last": str(question.last),
        "step": question.step.value,
        "unit": question.unit or "",
    }
    return {name: value for name, value in found.items() if value}


def _presets(visit: Visit) -> list[tuple[str, str]]:
    """Return times that are often asked for, with their addresses."""
    today = day_of(visit.station.now(), visit.settings.station.zone)
    month = today.replace(day=1)
    before = (month - timedelta(days=1)).replace(day=1)
    year = today.replace(month=1, day=1)
    wanted = (
        (tr("30 days"), today - timedelta(days=29), today),
        (tr("This month"), month, today),
        (tr("Last month"), before, month - timedelta(days=1)),
        (tr("This year"), year, today),
    )
    return [(word, f"first={first}&last={last}") for word, first, last in wanted]


@dataclass(frozen=True, slots=True)
class Shown:
    """A chart with what it says, and the table under it."""

    id: str
    title: str
    says: str
    drawn: Columns
    table: str
    """The name of its table."""
    legend: tuple[tuple[str, str], ...]
    """Class and word of each kind of part."""


def _charts(found: Report) -> list[Shown]:
    step = found.question.step
    on_time = [
        (
            word_of(at, step),
            _on_time_parts(word_of(at, step), total(sums.values())),
        )
        for at, sums in found.stretches
    ]
    hours = [
        (
            word_of(at, step),
            [
                Part(
                    sums[kind].hours,
                    kind,
                    f"{word_of(at, step)} {tr(kind)}: {sums[kind].hours:.1f} h",
                )
                for kind in ("video", "audio")
                if kind in sums
            ],
        )
        for at, sums in found.stretches
    ]
    stored = [
        (word_of(at, step), [Part(size / 2**30, "size", f"{word_of(at, step)}: {amount(size)}")])
        for at, size in found.stored
    ]
    wanted = (
        (
            "on-time",
            tr("Recordings, on time and late"),
            MEANING[Figure.ON_TIME].shown,
            columns(on_time, _count),
            (("on-time", tr("on time")), ("late", tr("late"))),
        ),
        (
            "hours",
            tr("Hours recorded"),
            MEANING[Figure.HOURS].shown,
            columns(hours, lambda value: f"{value:g} h"),
            (("video", tr("video")), ("audio", tr("audio"))),
        ),
        (
            "stored",
            tr("Stored"),
            MEANING[Figure.STORED].shown,
            columns(stored, lambda value: f"{value:g} GiB"),
            (),
        ),
    )
    return [
        Shown(name, title, says, drawn, name, legend)
        for name, title, says, drawn, legend in wanted
        if drawn is not None
    ]


def _count(value: float) -> str:
    return f"{value:g}"


def _on_time_parts(word: str, whole: Sum) -> list[Part]:
    return [
        Part(whole.on_time, "on-time", f"{word}: {whole.on_time} {tr('on time')}"),
        Part(whole.late, "late", f"{word}: {whole.late} {tr('late')}"),
    ]


@dataclass(frozen=True, slots=True)
class DiskShown:
    drawn: Curve | None
    used: str
    capacity: str
    share: int
    full_at: datetime | None


def _disk_chart(visit: Visit, found: Report) -> DiskShown | None:
    disk = found.disk
    if disk is None:
        return None
    gib = [(one.at, one.used / 2**30) for one in disk.samples]
    more: list[tuple[datetime, float]] = []
    if disk.full_at is not None and gib:
        last_at, last = gib[-1]
        horizon = min(disk.full_at, last_at + timedelta(days=90))
        whole = (disk.full_at - last_at).total_seconds() or 1.0
        share = (horizon - last_at).total_seconds() / whole
        more = [(last_at, last), (horizon, last + share * (disk.capacity / 2**30 - last))]
    drawn = None
    if len(gib) > 1:
        thinned = gib[:: max(1, len(gib) // 120)]
        drawn = curve(
            thinned,
            visit.settings.station.zone,
            lambda value: f"{value:g} GiB",
            WIDE,
            least=0.0,
            more=more,
        )
    percent = min(100, disk.used * 100 // disk.capacity)
    return DiskShown(drawn, amount(disk.used), amount(disk.capacity), percent, disk.full_at)


@dataclass(frozen=True, slots=True)
class Ranking:
    name: str
    title: str
    heading: str
    rows: tuple[tuple[Named, int], ...]
    """Each with the length of its bar, in thousandths of the longest."""
    more: int
    """Rows that only the files have."""


def _rankings(found: Report) -> list[Ranking]:
    wanted = (
        ("devices", tr("By device"), tr("Device"), found.devices),
        ("officers", tr("By officer"), tr("Officer"), found.officers),
        ("units", tr("By unit"), tr("Unit"), found.units),
        ("causes", tr("By cause"), tr("Cause"), found.causes),
        ("kinds", tr("By kind"), tr("Kind"), kinds_in_words(found.by_kind)),
    )
    return [_ranking(name, title, heading, rows) for name, title, heading, rows in wanted]


def _ranking(name: str, title: str, heading: str, rows: Sequence[Named]) -> Ranking:
    longest = max((one.sum.seconds for one in rows), default=0) or 1
    shown = tuple((one, round(one.sum.seconds * 1000 / longest)) for one in rows[:_SHOWN])
    return Ranking(name, title, heading, shown, max(0, len(rows) - _SHOWN))
