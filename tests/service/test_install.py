"""`make install` puts a whole station in place, and `make uninstall` takes no evidence away."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from recorder_sync.config import load
from tests.service.conftest import ROOT, UNITS

pytestmark = pytest.mark.long

_LIBRARIES = Path("usr/local/lib")
_EMPTY_ENVIRONMENTS = """#!/bin/sh
[ "$2" = venv ] || exec python3 "$@"
mkdir -p "$3/bin"
printf '#!/bin/sh\\n' > "$3/bin/pip"
chmod +x "$3/bin/pip"
"""
"""A Python that makes virtual environments without anything in them, at once."""


def _make(target: str, destination: Path, python: Path, *settings: str) -> str:
    done = subprocess.run(
        ["make", target, f"DESTDIR={destination}", f"PYTHON={python}", *settings],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if key != "MAKEFLAGS"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def quick_python(tmp_path: Path) -> Path:
    python = tmp_path / "python"
    python.write_text(_EMPTY_ENVIRONMENTS)
    python.chmod(0o755)
    return python


@pytest.fixture
def system(tmp_path: Path, quick_python: Path) -> Path:
    """A system with everything installed but the program's libraries."""
    folder = tmp_path / "system"
    _make("install", folder, quick_python)
    return folder


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_everything_is_in_its_place(system: Path) -> None:
    units = system / _LIBRARIES / "systemd/system"
    suffixes = {".service", ".path", ".target"}
    assert {p.name for p in units.iterdir()} == {
        p.name for p in UNITS.iterdir() if p.suffix in suffixes
    }
    for file in (*units.iterdir(), system / _LIBRARIES / "udev/rules.d/71-recorder-sync.rules"):
        assert _mode(file) == 0o644
    for script in ("recorder-sync-volume", "recorder-sync-foreign"):
        assert _mode(system / "opt/recorder-sync/libexec" / script) == 0o755
    for folder in ("srv/evidence", "var/lib/recorder-sync"):
        assert _mode(system / folder) == 0o750


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
    _make("install", system, quick_python)
    assert configuration.read_bytes() == kept[configuration]

    said = _make("uninstall", system, quick_python)
    assert {file: file.read_bytes() for file in kept} == kept
    assert {path for path in system.rglob("*") if not path.is_dir()} == set(kept)
    for folder in ("srv/evidence", "var/lib/recorder-sync", "etc/recorder-sync"):
        assert f"  {system}/{folder}" in said


def test_a_failed_upgrade_leaves_the_old_program(system: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.write_text(_EMPTY_ENVIRONMENTS.replace("#!/bin/sh\\n", "#!/bin/sh\\nexit 1\\n"))
    broken.chmod(0o755)
    before = (system / "opt/recorder-sync").stat().st_ino
    with pytest.raises(AssertionError):
        _make("install", system, broken)
    assert (system / "opt/recorder-sync").stat().st_ino == before


# A small ffprobe. FFmpeg itself takes three minutes: this source is built at once.

_SMALL = Path("usr/local/lib/recorder-sync/ffprobe")
_CONFIGURE = """#!/bin/sh
cat > Makefile <<MADE
ffprobe:
\tprintf '#!/bin/sh\\necho "%s" "%s"\\n' "\\$\\$(id -un)" '$*' > ffprobe
\tchmod +x ffprobe
MADE
"""
"""A configure whose ffprobe says who built it, and with which options."""


def _source(folder: Path, configure: str = _CONFIGURE) -> Path:
    source = folder / "of ffmpeg" / "ffmpeg-5.1.9"
    (source / "debian").mkdir(parents=True)
    (source / "configure").write_text(configure)
    (source / "configure").chmod(0o755)
    first = "ffmpeg (7:5.1.9-0+deb12u1) bookworm-security; urgency=medium\n"
    (source / "debian/changelog").write_text(f"{first}\n  * Corrected.\n\n{first}")
    return source


def test_a_small_ffprobe_is_built_by_nobody_with_the_version_of_its_source(
    system: Path, quick_python: Path, tmp_path: Path
) -> None:
    source = _source(tmp_path)
    before = sorted(path for path in source.rglob("*"))
    _make("install", system, quick_python, f"SMALL_FFPROBE={source.parent}/ffmpeg-*/")
    assert _mode(system / _SMALL) == 0o755
    assert (system / _SMALL).stat().st_uid == os.geteuid()
    said = subprocess.run([system / _SMALL], capture_output=True, text=True, check=True).stdout
    who, *options = said.split()
    assert who == "nobody" or os.geteuid() != 0
    assert "--extra-version=0+deb12u1" in options
    assert sorted(path for path in source.rglob("*")) == before

    _make("install", system, quick_python)
    assert (system / _SMALL).exists(), "an upgrade without a source leaves it"
    _make("uninstall", system, quick_python)
    assert not (system / _SMALL).parent.exists()


@pytest.mark.parametrize("configure", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\n"])
def test_a_small_ffprobe_that_cannot_be_built_changes_nothing(
    system: Path, quick_python: Path, tmp_path: Path, configure: str
) -> None:
    source = _source(tmp_path, configure)
    before = {path: path.lstat().st_mtime_ns for path in system.rglob("*")}
    with pytest.raises(AssertionError):
        _make("install", system, quick_python, f"SMALL_FFPROBE={source}")
    assert {path: path.lstat().st_mtime_ns for path in system.rglob("*")} == before


def test_what_is_no_source_of_ffmpeg_is_refused(system: Path, quick_python: Path) -> None:
    with pytest.raises(AssertionError, match="apt-get source ffmpeg"):
        _make("install", system, quick_python, f"SMALL_FFPROBE={system}")


def test_a_small_ffprobe_is_put_in_place_by_itself_and_nothing_else(
    quick_python: Path, tmp_path: Path
) -> None:
    system = tmp_path / "system"
    _make("small-ffprobe", system, quick_python, f"SMALL_FFPROBE={_source(tmp_path)}")
    assert [path for path in system.rglob("*") if path.is_file()] == [system / _SMALL]
    assert _mode(system / _SMALL) == 0o755


@pytest.mark.timeout(300)
def test_the_source_of_ffmpeg_is_fetched_and_the_lists_of_the_system_stay(tmp_path: Path) -> None:
    if not (shutil.which("apt-get") and shutil.which("dpkg-source")):
        pytest.skip("apt-get or dpkg-source is not installed")
    lists = Path("/etc/apt")
    before = {path: path.lstat().st_mtime_ns for path in lists.rglob("*")}
    try:
        done = _fetch(tmp_path)
    except subprocess.TimeoutExpired:
        pytest.skip("the distribution's server does not answer")
    if "Failed to fetch" not in done.stderr:  # or apt-get says so of a server that is away, too
        assert "deb-src" not in done.stderr, "no list of sources was made of those of the packages"
    if done.returncode == _NOT_FETCHED:
        pytest.skip(f"no source can be fetched here: {done.stderr.strip().splitlines()[-2:]}")
    assert done.returncode == 0, done.stderr
    (source,) = tmp_path.glob("ffmpeg-*/")
    assert (source / "configure").exists()
    assert (source / "debian/changelog").read_text().startswith("ffmpeg (")
    assert {path: path.lstat().st_mtime_ns for path in lists.rglob("*")} == before


def test_where_there_is_no_apt_get_it_says_how_to_give_the_source(tmp_path: Path) -> None:
    done = _fetch(tmp_path, PATH=str(tmp_path))
    assert done.returncode == _NOT_FETCHED
    assert "SMALL_FFPROBE=FOLDER" in done.stderr


_NOT_FETCHED = 3


def _fetch(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", ROOT / "tools/ffmpeg_source.sh", folder],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@pytest.mark.timeout(300)
def test_the_installed_program_runs_without_the_sources(tmp_path: Path) -> None:
    """Slow, 20 s of processor time: a virtual environment is made and filled for real."""
    _make("install", tmp_path, Path(sys.executable))
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
