"""Programs that ask a device end in time, with all that they started, and say no more than fits."""

import os
import select
from pathlib import Path

import pytest

from recorder_sync.dock import program
from recorder_sync.errors import ProgramFailure
from tests.dock.plugged_camera import DISK, stand_in

LONG_S = 60.0


def _failure(arguments: list[str], limit_s: float = LONG_S) -> str:
    with pytest.raises(ProgramFailure) as caught:
        program.run(arguments, limit_s)
    assert caught.value.hint is not None
    return caught.value.text.english


def _wait_for_end(pid: int) -> None:
    """Wait until a process is gone; fail when it lives on."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    assert select.select([handle], [], [], 10)[0], f"process {pid} lives on"
    os.close(handle)


def test_what_a_program_prints_comes_back_whole(tmp_path: Path) -> None:
    say = stand_in(tmp_path, "say", "head -c 60000 /dev/zero; echo noise >&2")
    assert program.run([str(say)], LONG_S) == bytes(60000)


def test_a_program_sees_the_device_and_nothing_of_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORE_PASSWORD", "secret")
    show = stand_in(tmp_path, "show", "env")
    said = program.run([str(show)], LONG_S, program.about(DISK)).decode().splitlines()
    assert "RECORDER_SYNC_PORT=1-1.2" in said
    assert "RECORDER_SYNC_NODE=/dev/no-such-node" in said
    assert "RECORDER_SYNC_SERIAL=C0031" in said
    assert "RECORDER_SYNC_USB=4255:1000" in said
    assert not [line for line in said if "secret" in line]


def test_arguments_are_not_read_by_a_shell(tmp_path: Path) -> None:
    show = stand_in(tmp_path, "show", 'printf "%s|" "$@"')
    assert program.run([str(show), "$(id)", "a b", ";"], LONG_S) == b"$(id)|a b|;|"


def test_a_program_that_hangs_is_ended_with_everything_it_started(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    hang = stand_in(tmp_path, "hang", f"sleep 1000 & echo $$ $! > {pids}; wait")
    assert "not done within 1" in _failure([str(hang)], limit_s=1.0)
    for pid in pids.read_text().split():
        _wait_for_end(int(pid))


def test_a_program_that_leaves_others_behind_does_not_hold_us_up(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    leave = stand_in(tmp_path, "leave", f"sleep 1000 & echo $! > {pids}; echo done")
    assert program.run([str(leave)], LONG_S) == b"done\n"
    _wait_for_end(int(pids.read_text()))


def test_a_program_that_never_stops_talking_is_ended(tmp_path: Path) -> None:
    assert "more than an answer" in _failure([str(stand_in(tmp_path, "talk", "yes"))])


def test_a_program_that_complains_without_end_is_heard_all_the_same(tmp_path: Path) -> None:
    complain = stand_in(tmp_path, "complain", "head -c 1000000 /dev/zero >&2; echo fine")
    assert program.run([str(complain)], LONG_S) == b"fine\n"


def test_a_failure_says_the_code_and_the_last_words(tmp_path: Path) -> None:
    fail = stand_in(tmp_path, "fail", "echo first >&2; echo the camera is locked >&2; exit 3")
    assert "code 3: the camera is locked" in _failure([str(fail)])


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "no-such-program" in _failure(["no-such-program"])
    not_executable = tmp_path / "text"
    not_executable.write_text("hello")
    assert "permission denied" in _failure([str(not_executable)])
