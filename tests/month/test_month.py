"""The alerts of a month are those of the naive model: none missing, none twice.

Compared at every look are what is opened, updated and resolved, and at the end everything
that is on record: since when, until when, how bad, with which list, resolved when and how.
"""

import ast
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from recorder_sync.catalogue import alerts
from recorder_sync.station import Station
from tests.conftest import Dock
from tests.month.living import Living
from tests.month.story import Plan, story

_SHORT = Plan(1, days=6, devices=10, officers=7, every=timedelta(minutes=30), sharp=1)
_MONTHS = 20


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "plan" not in metafunc.fixturenames:
        return
    if metafunc.config.getoption("--months"):
        zones = ("Asia/Shanghai", "Europe/Berlin", "America/New_York")
        plans = [Plan(seed, zone=zones[seed % 3]) for seed in range(1, _MONTHS + 1)]
    else:
        # In Berlin the clocks change on the second day.
        plans = [_SHORT, replace(_SHORT, seed=2, zone="Europe/Berlin")]
    metafunc.parametrize("plan", plans, ids=lambda plan: f"seed {plan.seed}")


@pytest.fixture
def living(dock: Dock, plan: Plan) -> Living:
    dock.configure(station={"timezone": plan.zone}, backup={"keep": 0})
    return _living(dock, plan)


def _living(dock: Dock, plan: Plan) -> Living:
    return Living(dock.station, [f"1301{n:04d}" for n in range(1, plan.officers + 1)])


def test_art_20_to_24_the_alerts_of_a_month_are_those_of_the_model(
    living: Living, plan: Plan
) -> None:
    living.through(story(plan))
    assert living.alerts.every


def test_promise_6_one_look_after_everything_finds_the_same_with_its_true_times(
    tmp_path: Path,
) -> None:
    """Whether the daemon looked all the time, or was off until the end."""
    plan = Plan(4, days=4, devices=8, officers=6)
    looked, off = (_of(tmp_path / name, plan) for name in ("looked", "off"))
    looked[0].through(story(plan))
    off[0].through(story(plan), looks=False)
    found_late = set(_standing(off[1].station()))
    assert found_late
    assert set(_standing(looked[1].station())) == found_late


def _of(folder: Path, plan: Plan) -> tuple[Living, Dock]:
    folder.mkdir()
    dock = Dock(folder)
    dock.configure(backup={"keep": 0})
    return _living(dock, plan), dock


def _standing(station: Station) -> Iterator[tuple[object, ...]]:
    """Yield what is so, whether a person has answered it or not."""
    for one in alerts.standing(station.catalogue):
        yield one.kind, one.device, one.severity, one.since, one.due


def test_the_model_shares_no_code_with_the_program() -> None:
    for path in Path(__file__).parent.glob("*.py"):
        if path.name.startswith(("naive", "story", "cameras", "paperwork", "happenings")):
            assert not [name for name in _imported(path) if name.startswith("recorder_sync")]


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
