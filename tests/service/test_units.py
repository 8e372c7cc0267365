"""The units: well formed, closed as far as they can be, and open where the program needs it."""

import ctypes
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import Card, Dock, MediaFiles
from tests.service.conftest import UNITS
from tests.system_calls import system_calls

_MOST_EXPOSED = 2.0
_CLOSED = ("dock", "clear", "forward", "web", "witness")
_MAKING_MOUNTS = ("recorder-sync-mount@", "recorder-sync-writable", "recorder-sync-mtp@")


@pytest.fixture
def systemd() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed")


@pytest.mark.usefixtures("systemd")
def test_systemd_finds_no_fault_in_the_units(tmp_path: Path) -> None:
    """The programs are those of an installed system: a stand-in takes their place."""
    for unit in UNITS.glob("recorder-sync*.*"):
        text = unit.read_text()
        for program in (
            "/opt/recorder-sync/libexec/recorder-sync-volume",
            "/usr/local/bin/recorder-sync",
        ):
            text = text.replace(f"{program} ", "/bin/true ")
        tmp_path.joinpath(unit.name).write_text(text)
    names = [
        unit.name.replace("@.", "@001-004." if "mtp" in unit.name else "@sda1.")
        for unit in UNITS.iterdir()
        if unit.suffix in {".service", ".path", ".target"}
    ]
    assert len(names) >= 9
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", *names],
        cwd=tmp_path,
        env={**os.environ, "SYSTEMD_UNIT_PATH": f"{tmp_path}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.usefixtures("systemd")
@pytest.mark.parametrize("name", _CLOSED)
def test_a_service_is_exposed_to_little(name: str) -> None:
    unit = UNITS / f"recorder-sync-{name}.service"
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    level = re.search(r"exposure level for \S+: ([\d.]+)", done.stdout)
    assert level, done.stdout + done.stderr
    assert float(level[1]) < _MOST_EXPOSED


@pytest.mark.parametrize("name", _MAKING_MOUNTS)
def test_what_mounts_does_so_for_everyone(name: str) -> None:
    """Any of these options would put the mount in a namespace that only the unit sees."""
    makes_a_namespace = {
        *("ProtectSystem", "ProtectHome", "ProtectKernelTunables", "ProtectKernelModules"),
        *("ProtectKernelLogs", "ProtectControlGroups", "ProtectHostname", "ProtectProc"),
        *("ProtectClock", "PrivateTmp", "PrivateDevices", "PrivateMounts", "PrivateUsers"),
        *("ReadWritePaths", "ReadOnlyPaths", "InaccessiblePaths", "BindPaths", "MountFlags"),
        *("TemporaryFileSystem", "RootDirectory", "StateDirectory", "RuntimeDirectory"),
    }
    assert makes_a_namespace.isdisjoint(_options(f"{name}.service"))


def test_art_27_only_the_dock_service_has_the_right_to_the_immutable_flag() -> None:
    """What may set it may take it away: no other unit, a bounding set left open included."""
    services = sorted(unit.name for unit in UNITS.glob("*.service"))
    assert len(services) >= 7
    with_the_right = []
    for name in services:
        options = _options(name)
        allowed = " ".join(
            options["CapabilityBoundingSet"] + options.get("AmbientCapabilities", [])
        )
        assert "~" not in allowed, f"{name} names what it may not have instead of what it may"
        if "CAP_LINUX_IMMUTABLE" in allowed:
            with_the_right.append(name)
    assert with_the_right == ["recorder-sync-dock.service"]


def test_mounts_of_later_reach_the_dock_service() -> None:
    cuts_off = {"MountFlags", "RootDirectory", "RootImage", "TemporaryFileSystem", "PrivateUsers"}
    assert cuts_off.isdisjoint(_options("recorder-sync-dock.service"))


def test_the_dock_service_hears_udev_and_nothing_else() -> None:
    options = _options("recorder-sync-dock.service")
    assert options["RestrictAddressFamilies"] == ["AF_UNIX AF_NETLINK"]
    assert "PrivateNetwork" not in options


def test_what_has_the_network_may_only_read_evidence() -> None:
    for unit in ("recorder-sync-forward.service", "recorder-sync-web.service"):
        options = _options(unit)
        assert options["ReadOnlyPaths"] == ["-/srv/evidence"]
        assert options["ReadWritePaths"] == ["/run/recorder-sync"]
        assert options["StateDirectory"] == ["recorder-sync"]
        assert "AF_INET" in options["RestrictAddressFamilies"][0]
        assert unit in _options("recorder-sync.target")["Wants"][0]


@pytest.mark.parametrize(
    ("configuration", "first"),
    [
        (UNITS / "recorder-sync-tls.cnf", "TLS_AES_128_GCM_SHA256"),
        (UNITS / "not-there.cnf", "TLS_AES_256_GCM_SHA384"),
    ],
    ids=["ours", "lost: OpenSSL's own"],
)
def test_the_forward_service_prefers_the_cheaper_of_equally_good_ciphers(
    configuration: Path, first: str
) -> None:
    (path,) = (
        value.removeprefix("OPENSSL_CONF=")
        for value in _options("recorder-sync-forward.service")["Environment"]
        if value.startswith("OPENSSL_CONF=")
    )
    assert path == "/opt/recorder-sync/share/recorder-sync/tls.cnf"  # test_install.py puts it there
    code = (
        "import ssl; context = ssl.create_default_context();"
        "print(*(one['name'] for one in context.get_ciphers()), context.minimum_version.name)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "OPENSSL_CONF": str(configuration)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert told[0] == first
    assert told[-1] == "TLSv1_2"
    assert {"TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"} <= set(told)


def _options(unit: str) -> dict[str, list[str]]:
    options: dict[str, list[str]] = {}
    for line in (UNITS / unit).read_text().splitlines():
        key, given, value = line.partition("=")
        if given and not key.startswith("#"):
            options.setdefault(key, []).append(value)
    return options


@pytest.mark.usefixtures("systemd")
def test_an_intake_needs_no_system_call_that_the_service_refuses(
    dock: Dock, card: Card, media_files: MediaFiles, tmp_path: Path
) -> None:
    _stock(card, media_files)
    calls = system_calls(dock.command("ingest", card.path), tmp_path / "calls")
    used = set(re.findall(r"^\d+\s+(\w+)\(", calls, re.MULTILINE))
    assert {"openat", "ioctl", "ioprio_set", "execve", "fsync", "prctl"} <= used
    # SQLite gives a new file to the owner of the database, and only when root runs it.
    assert used - _allowed() <= ({"fchown"} if os.geteuid() == 0 else set())


def _allowed() -> set[str]:
    """Return what the filters of the dock service let through."""
    assert _options("recorder-sync-dock.service")["SystemCallFilter"] == [
        "@system-service",
        "~@privileged",
    ]
    sets = _system_call_sets()
    return _members(sets, "@system-service") - _members(sets, "@privileged")


def _system_call_sets() -> dict[str, list[str]]:
    printed = subprocess.run(
        ["systemd-analyze", "--no-pager", "syscall-filter"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    sets: dict[str, list[str]] = {}
    for line in printed.splitlines():
        name = line.strip()
        if line.startswith("@"):
            members = sets.setdefault(name, [])
        elif name and not name.startswith("#"):
            members.append(name)
    return sets


def _members(sets: dict[str, list[str]], name: str) -> set[str]:
    if not name.startswith("@"):
        return {name}
    return {call for member in sets[name] for call in _members(sets, member)}


def test_an_intake_lives_without_memory_that_is_written_and_executed(
    dock: Dock, card: Card, media_files: MediaFiles
) -> None:
    """MemoryDenyWriteExecute=, by the same switch of the kernel."""
    _stock(card, media_files)
    done = dock.run("ingest", card.path, "--json", preexec_fn=_deny_write_execute)
    if "PR_SET_MDWE" in done.err:
        pytest.skip("this kernel cannot deny it by prctl (6.3 can)")
    assert done.code == 0, done.err + done.out
    assert {one["media"]["codec"] for one in done.json["recordings"]} >= {"mpeg4", "pcm_s16le"}


def _deny_write_execute() -> None:
    set_mdwe, refuse_exec_gain = 65, 1
    if ctypes.CDLL(None).prctl(set_mdwe, refuse_exec_gain, 0, 0, 0):
        os.write(2, b"PR_SET_MDWE refused\n")


def _stock(card: Card, media: MediaFiles) -> None:
    card.put("DCIM/100MEDIA/MAH00001.MP4", media.video)
    card.put("DCIM/100MEDIA/MAH00002.WAV", media.audio)
    card.put("DCIM/100MEDIA/MAH00003.JPG", media.photo)
