"""The small ffprobe is made and put in place; where it cannot be made, nothing is worse for it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.service.installing import ROOT, SMALL, make, mode_of, on_a_computer, source_of_ffmpeg

pytestmark = pytest.mark.long


def test_a_small_ffprobe_is_built_by_nobody_with_the_version_of_its_source(
    system: Path, quick_python: Path, tmp_path: Path
) -> None:
    source = source_of_ffmpeg(tmp_path)
    before = sorted(path for path in source.rglob("*"))
    make("install", system, quick_python, f"SMALL_FFPROBE={source.parent}/ffmpeg-*/")
    assert mode_of(system / SMALL) == 0o755
    assert (system / SMALL).stat().st_uid == os.geteuid()
    said = subprocess.run([system / SMALL], capture_output=True, text=True, check=True).stdout
    who, *options = said.split()
    assert who == "nobody" or os.geteuid() != 0
    assert "--extra-version=0+deb12u1" in options
    assert sorted(path for path in source.rglob("*")) == before

    make("install", system, quick_python)
    assert (system / SMALL).exists(), "an upgrade without a source leaves it"
    make("uninstall", system, quick_python)
    assert not (system / SMALL).parent.exists()


@pytest.mark.parametrize("configure", ["#!/bin/sh\nexit 1\n", "#!/bin/sh\n"])
def test_a_small_ffprobe_that_cannot_be_built_changes_nothing(
    system: Path, quick_python: Path, tmp_path: Path, configure: str
) -> None:
    source = source_of_ffmpeg(tmp_path, configure)
    before = {path: path.lstat().st_mtime_ns for path in system.rglob("*")}
    with pytest.raises(AssertionError):
        make("install", system, quick_python, f"SMALL_FFPROBE={source}")
    assert {path: path.lstat().st_mtime_ns for path in system.rglob("*")} == before


def test_what_is_no_source_of_ffmpeg_is_refused(system: Path, quick_python: Path) -> None:
    with pytest.raises(AssertionError, match="apt-get source ffmpeg"):
        make("install", system, quick_python, f"SMALL_FFPROBE={system}")


def test_a_small_ffprobe_is_put_in_place_by_itself_and_nothing_else(
    quick_python: Path, tmp_path: Path
) -> None:
    system = tmp_path / "system"
    make("small-ffprobe", system, quick_python, f"SMALL_FFPROBE={source_of_ffmpeg(tmp_path)}")
    assert [path for path in system.rglob("*") if path.is_file()] == [system / SMALL]
    assert mode_of(system / SMALL) == 0o755


_APT_GET = """#!/bin/sh
case "$*" in
    *"source ffmpeg") cp -R "{source}" . ;;
    *) exit 100 ;;
esac
"""
_NO_NETWORK = "#!/bin/sh\necho 'Temporary failure resolving' >&2\nexit 100\n"


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A folder whose programs come first on a computer of its own."""
    if os.geteuid() != 0:
        pytest.skip("only root may make a mount namespace")
    folder = tmp_path / "programs"
    folder.mkdir()
    tried = on_a_computer("true", path=folder)
    if tried.returncode:
        pytest.skip(f"no mount namespace can be made here: {tried.stderr.strip()}")
    return folder


def _put(program: Path, script: str) -> None:
    program.write_text(script)
    program.chmod(0o755)


def test_the_installation_of_a_station_makes_it_and_an_upgrade_leaves_it(
    programs: Path, quick_python: Path, tmp_path: Path
) -> None:
    _put(programs / "apt-get", _APT_GET.format(source=source_of_ffmpeg(tmp_path)))
    done = on_a_computer(
        f"make install PYTHON={quick_python}",
        f"/{SMALL} > {tmp_path}/said",
        f"touch -d 2020-01-01 /{SMALL}",
        f"make install PYTHON={quick_python}",
        f"stat -c %y /{SMALL}",
        path=programs,
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "said").read_text().startswith("nobody ")
    assert done.stdout.splitlines()[-1].startswith("2020-01-01")


def test_a_station_is_installed_where_none_can_be_made(programs: Path, quick_python: Path) -> None:
    _put(programs / "apt-get", _NO_NETWORK)
    done = on_a_computer(
        f"make install PYTHON={quick_python}",
        f"test ! -e /{SMALL} -a -e /opt/recorder-sync/bin -a -e /etc/recorder-sync/config.toml",
        path=programs,
    )
    assert done.returncode == 0, done.stderr
    assert "Later: make small-ffprobe" in done.stderr


def test_whoever_wants_none_gets_none(programs: Path, quick_python: Path) -> None:
    _put(programs / "apt-get", "#!/bin/sh\necho asked >&2\nexit 100\n")
    done = on_a_computer(
        f"make install SMALL_FFPROBE=none PYTHON={quick_python}",
        f"test ! -e /{SMALL} -a -e /opt/recorder-sync/bin",
        path=programs,
    )
    assert done.returncode == 0, done.stderr
    assert "asked" not in done.stderr
    assert "small-ffprobe" not in done.stderr


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


def test_where_there_is_no_apt_get_it_says_how_to_give_thesource_of_ffmpeg(tmp_path: Path) -> None:
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
