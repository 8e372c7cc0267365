"""What is wrong with a device, by what its dockings measured (Art. 22, 24)."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.model import (
    AlertKind,
    Battery,
    ClockOffset,
    FileSystemState,
    Health,
    IdentityState,
    Storage,
)
from recorder_sync.rules.device_matters import Checked, device_matters
from recorder_sync.rules.matter import Matter, Severity
from recorder_sync.rules.watch_limits import WatchLimits

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)
DAY = timedelta(days=1)

GOOD = Health(
    battery=Battery(80, "sysfs"),
    storage=Storage(1000, 900, 100),
    clock=ClockOffset(60.0, "gphoto2"),
    file_system=FileSystemState.CLEAN,
)
BAD = {
    AlertKind.BATTERY_FAILING: replace(GOOD, battery=Battery(79, "sysfs")),
    AlertKind.STORAGE_NEARLY_FULL: replace(GOOD, storage=Storage(1000, 901, 99)),
    AlertKind.CLOCK_OFF: replace(GOOD, clock=ClockOffset(-60.5, "gphoto2")),
    AlertKind.READ_ERRORS: replace(GOOD, read_errors=1),
    AlertKind.FILE_SYSTEM_DAMAGE: replace(GOOD, file_system=FileSystemState.DIRTY),
}
UNKNOWN = Health()


def dockings(*found: Health) -> list[Checked]:
    return [Checked("0031", f"D{n}", AT + n * DAY, health) for n, health in enumerate(found)]


def kinds(found: list[Checked]) -> list[AlertKind]:
    return [matter.kind for matter in device_matters(found)]


def test_a_device_exactly_at_every_limit_has_nothing_wrong() -> None:
    assert kinds(dockings(GOOD, GOOD)) == []


@pytest.mark.parametrize("kind", BAD)
def test_each_fault_alone_is_a_matter_and_gone_with_the_next_good_docking(kind: AlertKind) -> None:
    assert kinds(dockings(BAD[kind], BAD[kind])) == [kind]
    assert kinds(dockings(BAD[kind], BAD[kind], GOOD)) == []


def test_art_22_a_battery_is_a_matter_when_it_failed_twice_in_a_row() -> None:
    low = BAD[AlertKind.BATTERY_FAILING]
    assert kinds(dockings(GOOD, low)) == []
    assert kinds(dockings(low, GOOD, low)) == []
    (matter,) = device_matters(dockings(GOOD, low, low, low))
    assert (matter.since, matter.count) == (AT + 2 * DAY, 3)
    assert matter.text.english == "The battery of device 0031 failed 2 checks in a row."


@pytest.mark.parametrize("kind", sorted(set(BAD) - {AlertKind.READ_ERRORS}))
def test_promise_7_what_was_not_measured_is_neither_good_nor_bad(kind: AlertKind) -> None:
    bad = BAD[kind]
    assert kinds(dockings(UNKNOWN, UNKNOWN)) == []
    (matter,) = device_matters(dockings(bad, bad, UNKNOWN))
    assert (matter.kind, matter.docking) == (kind, "D1")


@pytest.mark.parametrize("seconds", [float("nan"), float("inf")])
def test_promise_7_a_clock_that_gives_no_number_is_unknown(seconds: float) -> None:
    assert kinds(dockings(replace(GOOD, clock=ClockOffset(seconds, "gphoto2")))) == []
    assert kinds(dockings(replace(GOOD, storage=Storage(0, 0, 0)))) == []


def test_a_matter_began_with_the_first_bad_docking_in_a_row() -> None:
    dirty = BAD[AlertKind.FILE_SYSTEM_DAMAGE]
    (matter,) = device_matters(dockings(dirty, GOOD, dirty, dirty))
    assert (matter.since, matter.docking) == (AT + 2 * DAY, "D3")
    assert (matter.key, matter.severity) == ("file-system-damage/0031", Severity.WARNING)


def test_an_identity_conflict_is_a_matter_until_the_identity_is_clear() -> None:
    first, second = dockings(GOOD, GOOD)
    conflict = replace(first, identity=IdentityState.CONFLICT)
    assert kinds([conflict]) == [AlertKind.IDENTITY_CONFLICT]
    assert kinds([conflict, second]) == []


def test_the_limits_are_settings() -> None:
    limits = WatchLimits(battery_failures=1, least_battery_percent=81)
    (matter,) = device_matters(dockings(GOOD), limits)
    assert matter.kind is AlertKind.BATTERY_FAILING


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["0031", "0032"]), st.sampled_from([GOOD, UNKNOWN, *BAD.values()])
        ),
        max_size=10,
    ),
    st.randoms(use_true_random=False),
)
def test_each_device_is_judged_by_its_own_dockings_in_any_order(
    found: list[tuple[str, Health]], shuffle: random.Random
) -> None:
    checks = [
        Checked(device, f"D{n}", AT + n * DAY, health) for n, (device, health) in enumerate(found)
    ]
    matters = list(device_matters(checks))
    assert matters == list(device_matters(shuffle.sample(checks, len(checks))))
    alone: list[Matter] = []
    for device in ("0031", "0032"):
        alone += device_matters([one for one in checks if one.device == device])
    assert matters == alone
