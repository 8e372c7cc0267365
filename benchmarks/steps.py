"""When each step of an intake began and ended, seen from outside.

The evidence itself tells: a copy's time of birth is when its copying began, its time of
modification when the copying ended, and its time of change when it was moved to its place
and protected; a description's times say when it was written; the catalogue says when
dockings began and ended. Steps run beside each other, so their spans overlap, and their
sum is not the time of the intake.

Not to be concluded: processor time of a step; what a step waited for. Reading back and
describing lie between the end of a copy and its move and cannot be told apart from outside.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import mean

from measured_process import Measured
from ways import Station


@dataclass(frozen=True, slots=True)
class Step:
    name: str
    begin_s: float
    """Seconds since the command was started."""
    end_s: float
    each_ms: float | None = None
    """Mean of one recording, where it can be told."""


@dataclass(frozen=True, slots=True)
class _Times:
    born: float
    modified: float
    changed: float


def steps(station: Station, run: Measured) -> list[Step]:
    """Return the steps of a run, the product's own account of them first if there is one."""
    return told_by_product(station, run) or _seen_from_outside(station, run)


def told_by_product(station: Station, run: Measured) -> list[Step]:  # noqa: ARG001
    """Return what the product says of its steps: nothing yet.

    The place for a step log or an environment variable of the product: read it here.
    """
    return []


def _seen_from_outside(station: Station, run: Measured) -> list[Step]:
    began = run.began_at
    sealed = [station.evidence / path for path in station.sealed()]
    copies = _times(sealed)
    described = _times([path.with_name(path.name + ".json") for path in sealed])
    (opened, closed) = station.dockings()[0]
    placed = [c.changed - c.modified for c in copies]
    copying = [c.modified - c.born for c in copies]
    first, last = min(c.born for c in copies), max(c.modified for c in copies)
    found = (
        ("start of the program", began, _moment(opened), None),
        ("inventory, and its entry in log and catalogue", _moment(opened), first, None),
        ("copy and sync", first, last, mean(copying)),
        (
            "read back, describe, wait for the seal, move",
            min(c.modified for c in copies),
            max(c.changed for c in copies),
            mean(placed),
        ),
        (
            "descriptions written",
            min(d.born for d in described),
            max(d.changed for d in described),
            mean(d.modified - d.born for d in described),
        ),
        ("last custody entries and catalogue", _last(copies, described), _moment(closed), None),
        ("report and end", _moment(closed), began + run.wall_s, None),
    )
    return [
        Step(name, begin - began, end - began, None if each is None else each * 1000)
        for name, begin, end, each in found
    ]


def _times(paths: Sequence[Path]) -> list[_Times]:
    command: list[str | Path] = ["stat", "--format", "%.W %.Y %.Z", *paths]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [_Times(*map(float, line.split())) for line in listed.splitlines()]


def _last(copies: list[_Times], described: list[_Times]) -> float:
    return max(t.changed for t in (*copies, *described))


def _moment(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
