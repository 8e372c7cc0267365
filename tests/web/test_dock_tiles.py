"""What a tile says of a port: one state, and what to do."""

from pathlib import Path
from typing import Any

import pytest

from recorder_sync.dock.live_status import read_status
from recorder_sync.language import Language, T, use_language
from recorder_sync.rules.docking import Stay
from recorder_sync.web.dock_sessions import IDLE_S, OfficerSessions
from recorder_sync.web.dock_tiles import Known, PulledEarly, Tile, summary, tiles
from tests.web.made_dock import copying, full_dock, health, row, shown_by

KINDS = {
    Stay.GREETED: "busy",
    Stay.COPYING: "busy",
    Stay.VERIFYING: "busy",
    Stay.INTERRUPTED: "busy",
    Stay.SAFE: "good",
    Stay.SAFE_WITH_PROBLEMS: "good",
    Stay.HELD: "unknown",
    Stay.NEEDS_CUSTODIAN: "bad",
}


@pytest.fixture(autouse=True)
def _language() -> None:
    use_language(Language.ENGLISH)


def ports(folder: Path, *rows: Any) -> list[dict[str, Any]]:
    """Return ports as the daemon writes them."""
    with shown_by(folder, list(rows)):
        status = read_status(folder)
    assert status is not None
    found: list[dict[str, Any]] = status["ports"]
    return found


def only(folder: Path, *rows: Any, known: Known | None = None) -> Tile:
    ((one,), _) = tiles(ports(folder, *rows), (), known or Known())
    return one


@pytest.mark.parametrize("state", KINDS)
def test_only_what_is_sealed_is_shown_as_safe(tmp_path: Path, state: Stay) -> None:
    one = only(tmp_path, row("1-1", state, "0031"))
    assert one.kind == KINDS[state]
    assert ("Safe" in one.word) == (one.kind == "good")
    assert one.word


def test_a_device_whose_other_card_is_still_being_read_is_not_safe(tmp_path: Path) -> None:
    both = (
        row("1-1", Stay.SAFE, "0031", volume="sda1"),
        row("1-1", Stay.GREETED, "0031", volume="sdb1"),
    )
    one = only(tmp_path, *both)
    assert one.kind == "busy"
    assert one.says is not None
    assert "Another card" in one.says


def test_a_hint_that_tells_to_type_a_command_is_not_for_an_officer(tmp_path: Path) -> None:
    hint = T("See: recorder-sync dockings show {docking}", docking="D1")
    one = only(tmp_path, row("1-1", Stay.NEEDS_CUSTODIAN, "0031", hint=hint))
    assert one.do == "Leave it plugged in and call the custodian."


def test_waiting_battery_space_and_names_are_shown_and_the_unknown_is_left_out(
    tmp_path: Path,
) -> None:
    waiting = row(
        "1-1", Stay.COPYING, "0031", officer="000001", health=health(12, 60),
        progress=copying(0, waits=True),
    )  # fmt: skip
    one = only(tmp_path, waiting, known=Known({"000001": "王芳"}))
    assert (one.kind, one.officer) == ("wait", "王芳")
    assert one.battery is not None
    assert (one.battery.text, one.battery.is_low) == ("12 %", True)
    assert one.free is not None
    assert not one.free.is_low
    bare = only(tmp_path, row("1-1", Stay.COPYING))
    assert (bare.battery, bare.free, bare.officer, bare.moving) == (None, None, None, None)


def test_ports_stand_as_they_are_placed_and_others_after_them(tmp_path: Path) -> None:
    grid = (("1-1", "", "1-2"), ("1-3",))
    found, columns = tiles(ports(tmp_path, row("2-9", Stay.SAFE, "0031")), grid, Known())
    assert columns == 3
    assert [one.port for one in found] == ["1-1", "", "1-2", "1-3", "", "", "2-9"]
    assert [one.kind for one in found] == ["free", "gap", "free", "free", "gap", "gap", "good"]


def test_a_device_pulled_out_early_is_called_back_until_it_is_plugged_in_anywhere(
    tmp_path: Path,
) -> None:
    known = Known(pulled_early=(PulledEarly("1-1", "0031", None),))
    (early,), _ = tiles([], (("1-1",),), known)
    assert (early.kind, early.word) == ("bad", "Removed too early")
    back = ports(tmp_path, row("1-2", Stay.COPYING, "0031"))
    first, second = tiles(back, (("1-1", "1-2"),), known)[0]
    assert (first.kind, second.kind) == ("free", "busy")


def test_the_summary_counts_every_device_once(tmp_path: Path) -> None:
    found, _ = tiles(ports(tmp_path, *full_dock()), (), Known())
    said = summary(found)
    assert said is not None
    assert said.shown == "5 safe to take, 7 not yet, 2 for the custodian"
    assert summary([]) is None


def test_an_officer_is_at_a_tile_for_a_minute_after_the_last_touch() -> None:
    at = [100.0]
    sessions = OfficerSessions(lambda: at[0])
    token = sessions.begin("000001", "D1")
    assert sessions.resume(token, "D2") is None
    for _ in range(5):
        at[0] += IDLE_S - 1
        assert sessions.resume(token, "D1") is not None
    at[0] += IDLE_S + 10
    assert sessions.resume(token, "D1") is None
    assert sessions.resume("invented") is None


def test_what_the_screen_asks_by_itself_keeps_nobody_at_a_tile() -> None:
    at = [0.0]
    sessions = OfficerSessions(lambda: at[0])
    token = sessions.begin("000001", "D1")
    for _ in range(16):
        assert sessions.resume(token, "D1", is_touched=False) is not None
        at[0] += 4
    at[0] += 4
    assert sessions.resume(token, "D1", is_touched=False) is None


def test_nobody_stays_at_a_tile_for_ever() -> None:
    at = [0.0]
    sessions = OfficerSessions(lambda: at[0])
    token = sessions.begin("000001", "D1")
    while at[0] <= 900:
        assert sessions.resume(token, "D1") is not None
        at[0] += 30
    assert sessions.resume(token, "D1") is None
