"""A maker's program unlocks its own cameras, and is never run for others."""

from pathlib import Path

import pytest

from recorder_sync.config import Profile as ProfileSettings
from recorder_sync.dock.unlock import unlock
from recorder_sync.errors import ProgramFailure
from recorder_sync.rules.naming import Profile
from tests.dock.plugged_camera import DISK, stand_in


def _profile(command: Path, usb: str = "4255:1000") -> Profile:
    return ProfileSettings(name="ours", usb=(usb,), unlock_command=(str(command), "on")).compiled()


def test_a_camera_is_unlocked_by_the_command_of_its_profile(tmp_path: Path) -> None:
    said = tmp_path / "said"
    command = stand_in(tmp_path, "unlock", f'echo "$1 $RECORDER_SYNC_SERIAL" > {said}')
    assert unlock(DISK, [_profile(command)])
    assert said.read_text() == "on C0031\n"


def test_no_other_device_is_given_to_the_command(tmp_path: Path) -> None:
    command = stand_in(tmp_path, "unlock", f"touch {tmp_path}/was-run")
    assert not unlock(DISK, [_profile(command, usb="4255:1001")])
    assert not (tmp_path / "was-run").exists()


def test_a_camera_that_stays_locked_is_an_error_with_what_to_do(tmp_path: Path) -> None:
    command = stand_in(tmp_path, "unlock", "echo wrong password >&2; exit 1")
    with pytest.raises(ProgramFailure) as caught:
        unlock(DISK, [_profile(command)])
    assert "wrong password" in caught.value.text.english
    assert caught.value.hint is not None


def test_a_command_needs_the_devices_that_it_is_for() -> None:
    with pytest.raises(ValueError, match="beside usb"):
        ProfileSettings(name="ours", unlock_command=("unlock",))
