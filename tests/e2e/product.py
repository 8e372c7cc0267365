"""The product as somebody would get it, and the guest it is installed in by `make install`.

The guest has no network, so what pip needs is brought along: the locked requirements,
for the guest's Python, with their hashes checked. Everything comes on a USB stick that
holds a tar and no file system.
"""

import sys
import tarfile
from pathlib import Path

from tests.e2e.agent import GuestFailed
from tests.e2e.base_image import base_image
from tests.e2e.camera import node_of
from tests.e2e.kept import digest, digest_of_files, kept
from tests.e2e.machine import Disks, Machine, run_folder
from tests.e2e.running import run
from tests.e2e.usb import Ports
from tests.e2e.warm import Guest, at, bare

_CHECKOUT = Path(__file__).parents[2]
_NO_PART_OF_IT = (".ci", "benchmarks", "docs", "tests", ".gitignore", "CHANGELOG.md")
_LOCK = _CHECKOUT / "requirements" / "runtime.lock"
_GUEST_PYTHON = "3.11"
_PLATFORMS = (
    "manylinux_2_34_x86_64",
    "manylinux_2_28_x86_64",
    "manylinux_2_17_x86_64",
    "manylinux2014_x86_64",
    "any",
)
_INSTALL_LIMIT_S = 900.0
_CONFIGURATION = """
[station]
id = "virtual-dock"
language = "en"

[paths]
state = "/var/lib/recorder-sync"
evidence = "/srv/evidence"

[ingest]
reserve_mib = 8
"""
SERVICE = "recorder-sync-dock.service"


def installed() -> Guest:
    """Return the guest in which the product runs. The first call takes some minutes."""
    guest = bare(base_image())
    files = _files()
    made_from = digest(
        str(guest.place).encode(), digest_of_files(files).encode(), Path(__file__).read_bytes()
    )

    def make(place: Path) -> None:
        disks = Disks.over(guest.disks, place)
        with (
            run_folder() as folder,
            Machine(guest.base, disks, folder, guest.accelerator, guest.memory) as machine,
        ):
            supply = _supply(files, folder / "supply.tar")
            machine.wait_for_agent()
            machine.set_clock()
            _install(machine, supply)
            guest.saved_from(machine, place, disks)

    return at(kept("installed", made_from, make), guest.base, guest.accelerator)


def _install(machine: Machine, supply: Path) -> None:
    ports = Ports(machine.control)
    plug = ports.plug(supply, "SUPPLY", "1")
    node, source = node_of("SUPPLY"), "/usr/local/src/recorder-sync"
    machine.agent.sh(f"""
        udevadm wait --timeout 60 {node}
        mkdir -p {source} /etc/recorder-sync
        tar -xf {node} -C {source}
    """)
    ports.pull(plug)
    machine.agent.run("tee", "/etc/recorder-sync/config.toml", input_=_CONFIGURATION)
    try:
        machine.agent.sh(
            f"cd {source}; PIP_NO_INDEX=1 PIP_FIND_LINKS={source}/wheels make install",
            limit_s=_INSTALL_LIMIT_S,
        )
        machine.agent.sh(f"systemctl is-active {SERVICE}")
    except GuestFailed as error:
        said = machine.agent.run("journalctl", "--no-pager", "--lines=60", f"--unit={SERVICE}").out
        raise GuestFailed(f"{error}\n{said}") from error


def _files() -> list[Path]:
    """Return the files of the working tree that are installed, or needed for it."""
    listed = run(
        *("git", "-C", _CHECKOUT, "ls-files", "-coz", "--exclude-standard", "--deduplicate")
    )
    names = (name for name in listed.split("\0") if name)
    wanted = (name for name in names if name.split("/")[0] not in _NO_PART_OF_IT)
    return sorted(path for name in wanted if (path := _CHECKOUT / name).is_file())


def _supply(files: list[Path], path: Path) -> Path:
    with tarfile.open(path, "w") as tar:
        for file in files:
            tar.add(file, file.relative_to(_CHECKOUT))
        tar.add(_wheels(), "wheels")
    return path


def _wheels() -> Path:
    """Return a folder with every locked requirement as a wheel for the guest's Python."""

    def make(folder: Path) -> None:
        run(
            *(sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check"),
            *("--no-deps", "--require-hashes", "--only-binary=:all:", "--implementation=cp"),
            f"--python-version={_GUEST_PYTHON}",
            *(f"--platform={name}" for name in _PLATFORMS),
            *("-r", _LOCK, "-d", folder),
        )

    return kept("wheels", digest_of_files([_LOCK, Path(__file__)]), make)
