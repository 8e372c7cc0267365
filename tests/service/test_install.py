"""`make install` puts a whole station in place, and `make uninstall` takes no evidence away."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from recorder_sync.config import load
from tests.service.conftest import UNITS
from tests.service.installing import EMPTY_ENVIRONMENTS, ROOT, make, mode_of

pytestmark = pytest.mark.long

_LIBRARIES = Path("usr/local/lib")


def test_everything_is_in_its_place(system: Path) -> None:
    units = system / _LIBRARIES / "systemd/system"
    suffixes = {".service", ".path", ".target"}
    assert {p.name for p in units.iterdir()} == {
        p.name for p in UNITS.iterdir() if p.suffix in suffixes
    }
    for file in (*units.iterdir(), system / _LIBRARIES / "udev/rules.d/71-recorder-sync.rules"):
        assert mode_of(file) == 0o644
    for script in ("recorder-sync-volume", "recorder-sync-foreign"):
        assert mode_of(system / "opt/recorder-sync/libexec" / script) == 0o755
    for folder in ("srv/evidence", "var/lib/recorder-sync"):
        assert mode_of(system / folder) == 0o750


def test_another_prefix_goes_into_units_and_rules(tmp_path: Path, quick_python: Path) -> None:
    done = subprocess.run(
        [ROOT / "tools/install.sh", "install"],
        env={**os.environ, "DESTDIR": str(tmp_path), "PREFIX": "/x", "PYTHON": str(quick_python)},
        check=False,
    )
    assert done.returncode == 0
    assert (tmp_path / "x/libexec/recorder-sync-volume").is_file()
    for file in (tmp_path / _LIBRARIES).rglob("*"):
        assert file.is_dir() or "/opt/recorder-sync" not in file.read_text()


def test_the_station_is_named_as_the_computer(system: Path) -> None:
    settings = load(system / "etc/recorder-sync/config.toml")
    assert settings.station.id == re.sub(r"[^A-Za-z0-9._-]", "-", os.uname().nodename)[:64]


def test_what_is_there_outlives_an_upgrade_and_a_removal(system: Path, quick_python: Path) -> None:
    configuration = system / "etc/recorder-sync/config.toml"
    kept = {
        configuration: b"[station]\nid = 'ours'\n",
        system / "srv/evidence/0031/recording.mp4": b"footage",
        system / "var/lib/recorder-sync/catalogue.db": b"catalogue",
    }
    for file, content in kept.items():
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(content)
    make("install", system, quick_python)
    assert configuration.read_bytes() == kept[configuration]

    said = make("uninstall", system, quick_python)
    assert {file: file.read_bytes() for file in kept} == kept
    assert {path for path in system.rglob("*") if not path.is_dir()} == set(kept)
    for folder in ("srv/evidence", "var/lib/recorder-sync", "etc/recorder-sync"):
        assert f"  {system}/{folder}" in said


def test_a_failed_upgrade_leaves_the_old_program(system: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text(EMPTY_ENVIRONMENTS.replace("#!/bin/sh\\n", "#!/bin/sh\\nexit 1\\n"))
    broken.chmod(0o755)
    before = (system / "opt/recorder-sync").stat().st_ino
    with pytest.raises(AssertionError):
        make("install", system, broken)
    assert (system / "opt/recorder-sync").stat().st_ino == before


@pytest.mark.timeout(300)
def test_the_installed_program_runs_without_the_sources(tmp_path: Path) -> None:
    """Slow, 20 s of processor time: a virtual environment is made and filled for real."""
    make("install", tmp_path, Path(sys.executable))
    python = tmp_path / "opt/recorder-sync/bin/python"
    code = "import recorder_sync; print(recorder_sync.__file__)"
    where = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert where.stdout.startswith(str(tmp_path))
    said = subprocess.run(
        [python, "-I", "-m", "recorder_sync", "--version"],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.startswith("recorder-sync ")
    check = tmp_path / "opt/recorder-sync/share/recorder-sync/verify_evidence.py"
    assert check.read_bytes() == (ROOT / "tools/verify_evidence.py").read_bytes()
    order = tmp_path / "opt/recorder-sync/share/recorder-sync/tls.cnf"
    assert order.read_bytes() == (ROOT / "systemd/recorder-sync-tls.cnf").read_bytes()
    script = tmp_path / "opt/recorder-sync/bin/recorder-sync"
    assert script.read_text().startswith("#!/opt/recorder-sync/bin/python")
    link = tmp_path / "usr/local/bin/recorder-sync"
    assert link.readlink() == Path("/opt/recorder-sync/bin/recorder-sync")
