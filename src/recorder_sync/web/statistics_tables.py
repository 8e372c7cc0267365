"""The statistics as tables: under the charts of the page, and in its files (Art. 28)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from recorder_sync.custodian.sheets import Cell, Table
from recorder_sync.custodian.statistics import Named, Report
from recorder_sync.language import tr
from recorder_sync.rules.figures import MEANING, Figure, Step, Sum, total


def word_of(at: date, step: Step) -> str:
    return f"{at:%Y-%m}" if step is Step.MONTH else f"{at:%m-%d}"


def kinds_in_words(kinds: Sequence[Named]) -> tuple[Named, ...]:
    return tuple(replace(one, name=tr(one.key)) for one in kinds)


def tables(found: Report) -> list[Table]:
    """Return everything as tables: for the page under its charts, and for the files."""
    return list(tables_by_name(found).values())


def tables_by_name(found: Report) -> dict[str, Table]:
    step = found.question.step
    heads = [
        *(tr("Recordings"), tr("On time"), tr("Late"), tr("On-time rate, %")),
        *(tr("Hours"), tr("Size, GiB")),
    ]
    by_stretch: list[list[Cell]] = [
        [word_of(at, step) if step is Step.MONTH else str(at), *_cells(total(sums.values()))]
        for at, sums in found.stretches
    ]
    by_kind: list[list[Cell]] = [
        [str(at), *(round(sums.get(kind, Sum()).hours, 2) for kind in ("video", "audio"))]
        for at, sums in found.stretches
    ]
    first = {Step.DAY: tr("Day"), Step.WEEK: tr("Week from"), Step.MONTH: tr("Month")}[step]

    def ranked(title: str, head: str, rows: Sequence[Named], *, numbered: bool = False) -> Table:
        lines: list[list[Cell]] = [
            [
                one.name or tr("not known"),
                *([one.key] if numbered else []),
                *_cells(one.sum),
            ]
            for one in rows
        ]
        numbers = [tr("Certificate number")] if numbered else []
        return Table(title, [head, *numbers, *heads], lines, MEANING[Figure.ON_TIME].shown)

    trouble: list[list[Cell]] = [
        [
            *(one.device or tr("not known"), one.gaps, one.unexplained),
            *(round(one.gap_seconds / 60, 1), one.missing, one.faults),
        ]
        for one in found.trouble
    ]
    return {
        "on-time": Table(
            tr("Over time"), [first, *heads], by_stretch, MEANING[Figure.ON_TIME].shown
        ),
        "hours": Table(
            tr("Hours over time"),
            [first, tr("Video, hours"), tr("Audio, hours")],
            by_kind,
            MEANING[Figure.HOURS].shown,
        ),
        "devices": ranked(tr("By device"), tr("Device"), found.devices),
        "officers": ranked(tr("By officer"), tr("Officer"), found.officers, numbered=True),
        "units": ranked(tr("By unit"), tr("Unit"), found.units),
        "causes": ranked(tr("By cause"), tr("Cause"), found.causes),
        "kinds": ranked(tr("By kind"), tr("Kind"), kinds_in_words(found.by_kind)),
        "trouble": Table(
            tr("Interruptions, missing files, faults"),
            [
                *(tr("Device"), tr("Interruptions"), tr("Unexplained")),
                *(tr("Interrupted, minutes"), tr("Missing files"), tr("Faults")),
            ],
            trouble,
            " ".join(MEANING[one].shown for one in (Figure.GAPS, Figure.MISSING, Figure.FAULTS)),
        ),
        "stored": Table(
            tr("Storage"),
            [first, tr("Stored, GiB")],
            [[str(at), round(size / 2**30, 3)] for at, size in found.stored],
            MEANING[Figure.STORED].shown,
        ),
    }


def _cells(one: Sum) -> list[Cell]:
    rate = one.on_time_rate
    return [
        *(one.recordings, one.on_time, one.late),
        None if rate is None else round(rate * 100, 1),
        *(round(one.hours, 2), round(one.size / 2**30, 3)),
    ]
