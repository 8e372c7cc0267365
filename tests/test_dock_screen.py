"""The ports on a terminal, in the language of the duty room."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from recorder_sync.cli.dock_screen import PortsTable
from recorder_sync.language import Language, T, chosen_language, tr, use_language
from recorder_sync.rules.docking import Stay


@pytest.fixture(autouse=True)
def _chinese() -> Iterator[None]:
    before = chosen_language()
    use_language(Language.CHINESE)
    yield
    use_language(before)


def port(name: str, state: Stay, **other: Any) -> dict[str, Any]:
    message = T("Everything is sealed.")
    return {
        "port": name,
        "state": state.value,
        "safe_to_take": state in {Stay.SAFE, Stay.SAFE_WITH_PROBLEMS},
        "device": "DSJ-A3-004521",
        "model": "A3",
        "usb": "0781:5581:4C53",
        "officer": "440106-0127",
        "health": {
            "battery": {"percent": 83},
            "storage": {"total": 100, "used": 55, "free": 45},
        },
        "not_ready": [],
        "recordings": {"total": 140, "done": 112, "failed": 0},
        "bytes": {"total": 3_600_000_000, "copied": 1_300_000_000, "read_back": 0},
        "rate": 31_000_000,
        "left_s": 74.2,
        "waits_for_turn": False,
        "message": {one.value: message.in_language(one) for one in Language},
        "hint": None,
        **other,
    }


def screen(ports: list[dict[str, Any]], width: int, height: int | None = None) -> list[str]:
    console = Console(width=width, file=io.StringIO(), highlight=False)
    with console.capture() as captured:
        console.print(PortsTable(ports, height))
    return captured.get().splitlines()


@pytest.mark.parametrize("width", [80, 100, 140])
def test_every_state_is_one_unbroken_word_in_its_port_s_line(width: int) -> None:
    ports = [port(f"1-1.{number}", state) for number, state in enumerate(Stay, 1)]
    lines = screen(ports, width)
    assert max(cell_len(line) for line in lines) <= width
    for one in ports:
        (line,) = [line for line in lines if line.startswith(f"{one['port']} ")]
        assert f" {tr(one['state'])} " in line
        assert "DSJ-A3-004521 440106-0127 112/140" in " ".join(line.split())


def test_a_card_is_not_shown_as_safe_while_another_of_its_device_is_read() -> None:
    shown = "\n".join(screen([port("1-1.1", Stay.SAFE, safe_to_take=False)], 80))
    assert "可以取走" not in shown
    assert "请勿取走" in shown


def test_a_device_that_waits_for_its_turn_shows_so_and_no_progress() -> None:
    lines = screen([port("1-1.1", Stay.COPYING, waits_for_turn=True, message=None)], 80)
    assert len(lines) == 2
    assert "正在排队等候" in lines[1]


def test_a_long_name_gives_way_and_the_state_does_not() -> None:
    long = port("interviews/room-2", Stay.NEEDS_CUSTODIAN, device="询问室固定录音录像设备二号")
    assert any("请联系设备管理员" in line for line in screen([long], 80))


def test_on_a_low_screen_the_lines_that_a_person_needs_stay() -> None:
    stuck = port("1-1.1", Stay.NEEDS_CUSTODIAN)
    ports = [stuck, *(port(f"1-1.{number}", Stay.COPYING) for number in range(2, 10))]
    lines = screen(ports, 100, height=14)
    assert len(lines) <= 14
    assert "已全部封存" in lines[lines.index(next(x for x in lines if "1-1.1 " in x)) + 1]
    assert all(any(one["port"] in line for line in lines) for one in ports)
