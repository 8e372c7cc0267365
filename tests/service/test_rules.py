"""What the udev rules say of a disk; that it hangs on USB is taken for granted here."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.service.conftest import RULES, Apart, Attach

_FILE = RULES / "71-recorder-sync.rules"
_ON_USB = 'SUBSYSTEMS=="usb", KERNEL!="sr*"'


@pytest.fixture
def said_of(apart: Apart, tmp_path: Path) -> "SaidOf":
    if shutil.which("udevadm") is None:
        pytest.skip("udevadm is not installed")
    return SaidOf(apart, tmp_path)


class SaidOf:
    """Asks udev what the rules make of a disk, without doing it."""

    def __init__(self, apart: Apart, folder: Path) -> None:
        self._apart = apart
        self._rules = folder / "71-recorder-sync.rules"

    def __call__(self, name: str, before: str = "", fstab: str = "") -> str:
        """Return the log of `udevadm test`; `before` is a rule of a lower number."""
        rules = _FILE.read_text().replace("/opt/recorder-sync/libexec", str(RULES))
        assert _ON_USB in rules
        self._rules.write_text(rules.replace(_ON_USB, f'KERNEL=="{name}"'))
        done = self._apart.run(
            f"cp {self._rules} /run/udev/rules.d",
            f"echo '{before}' > /run/udev/rules.d/70-ours.rules",
            f"echo '{fstab}' > /run/fstab; touch /etc/fstab; mount --bind /run/fstab /etc/fstab",
            f"udevadm test --action=add /sys/class/block/{name} 2>&1",
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert "71-recorder-sync.rules:" not in _complaints(done.stdout), done.stdout
        return done.stdout


def _complaints(log: str) -> str:
    return "\n".join(line for line in log.splitlines() if "nvalid" in line or "nknown" in line)


def _card(path: Path) -> Path:
    with path.open("wb") as image:
        image.truncate(8 << 20)
    subprocess.run(["mkfs.ext4", "-q", "-U", _UUID, str(path)], check=True)
    return path


_UUID = "6c6f9a1e-52f0-4a6e-9d35-0c1a1b1f7a10"


def test_a_card_is_marked_and_kept_from_the_desktop_and_has_a_unit_mount_it(
    said_of: SaidOf, tmp_path: Path, attached: Attach
) -> None:
    name = attached(_card(tmp_path / "card"))
    said = said_of(name).splitlines()
    assert "RECORDER_SYNC=1" in said
    assert {"UDISKS_IGNORE=1", "UDISKS_AUTO=0"} <= set(said)
    assert f"SYSTEMD_WANTS=recorder-sync-mount@{name}.service" in said


def test_an_administrator_can_exempt_a_device(
    said_of: SaidOf, tmp_path: Path, attached: Attach
) -> None:
    name = attached(_card(tmp_path / "card"))
    said = said_of(name, before='SUBSYSTEM=="block", ENV{RECORDER_SYNC_IGNORE}="1"')
    assert "RECORDER_SYNC=1" not in said.splitlines()
    assert "recorder-sync-mount@" not in said


@pytest.mark.parametrize("source", [f"UUID={_UUID}", f'UUID="{_UUID}"', "/dev/NAME"])
def test_a_disk_that_fstab_names_is_left_alone_before_it_is_mounted(
    said_of: SaidOf, tmp_path: Path, attached: Attach, source: str
) -> None:
    name = attached(_card(tmp_path / "evidence-disk"))
    said = said_of(name, fstab=f"{source.replace('NAME', name)} /srv/evidence ext4 nofail 0 2")
    assert "RECORDER_SYNC=1" not in said.splitlines()


def test_a_disk_that_the_system_has_mounted_is_left_alone(
    apart: Apart, tmp_path: Path, attached: Attach
) -> None:
    name = attached(_card(tmp_path / "card"))
    asking = f"DEVNAME=/dev/{name} DEVTYPE=disk DEVPATH=/block/{name} {RULES}/recorder-sync-foreign"
    done = apart.run(
        f"{asking} || echo own before",
        f"mkdir /run/elsewhere; mount /dev/{name} /run/elsewhere",
        f"{asking} || echo own",
        "umount /run/elsewhere; mkdir /run/media",
        f"mkdir /run/media/someone; mount /dev/{name} /run/media/someone",
        f"{asking} || echo own after",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n") == ["own", ""]


def test_a_reader_without_a_card_ends_its_mounts(said_of: SaidOf) -> None:
    name = _loop_without_medium()
    said = said_of(name)
    assert "SYSTEMD_READY=0" in said.splitlines()
    assert f"stop recorder-sync-mount@{name}.service recorder-sync-mount@{name}[0-9]*" in said


def _loop_without_medium() -> str:
    for folder in sorted(Path("/sys/class/block").glob("loop*"), reverse=True):
        if re.fullmatch(r"loop\d+", folder.name) and (folder / "size").read_text() == "0\n":
            return folder.name
    pytest.skip("every loop device is in use")


def test_the_rules_are_well_formed() -> None:
    done = subprocess.run(["udevadm", "verify", _FILE], capture_output=True, text=True, check=False)
    if "nknown command verb" in done.stderr:
        pytest.skip("this udevadm cannot verify rules (systemd 254 can)")
    problems = [x for x in done.stderr.splitlines() if ".rules" in x and "nknown user" not in x]
    assert problems == []
