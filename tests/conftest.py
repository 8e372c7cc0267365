"""A station in a temporary folder, cards with real media files, and the real command."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from hypothesis import settings

from recorder_sync.config import load
from recorder_sync.language import Language, use_language
from recorder_sync.station import Station, open_station
from tests import alert_kinds
from tests.on_the_day import shift_the_clock, today
from tests.warm_start import Running, WarmStart

shift_the_clock()  # before the tests import what binds it

settings.register_profile("recorder-sync", deadline=None)  # a busy machine is no failure
settings.load_profile("recorder-sync")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--torture", action="store_true", help="all rounds of the fault suite")
    parser.addoption("--cold", action="store_true", help="start each command as a new process")
    parser.addoption("--months", action="store_true", help="twenty whole months of a station")
    parser.addoption("--browser", action="store_true", help="pages in Debian's chromium")
    parser.addoption("--e2e", action="store_true", help="the virtual dock, which needs QEMU")


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> int:
    """How often a random attack is made: a few times every day, many times by `make torture`."""
    return 200 if request.config.getoption("--torture") else 5


@pytest.fixture(autouse=True)
def _english() -> None:
    use_language(Language.ENGLISH)


@pytest.fixture
def tmp_path(tmp_path: Path) -> Iterator[Path]:
    """A temporary folder whose sealed files can be removed afterwards."""
    yield tmp_path
    if os.geteuid() == 0 and shutil.which("chattr"):
        subprocess.run(["chattr", "-R", "-f", "-i", str(tmp_path)], check=False)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A temporary folder that every user may enter.

    Not below pytest's own, which each of its sessions closes to others as it starts.
    """
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


_COMMAND = Path(__file__).with_name("on_the_day.py")
_warm = WarmStart()


def pytest_configure(config: pytest.Config) -> None:
    _warm.allowed = not (config.getoption("--cold") or config.getoption("--torture"))
    config.addinivalue_line("markers", "long: takes long, and runs by `make long`")
    config.addinivalue_line(
        "markers", f"{alert_kinds.MARK}(*kinds): an alert of each kind is raised and resolved"
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    yield
    alert_kinds.check(item)


def run_command(
    command: list[str], env: dict[str, str], say: str = "", *, anew: bool = False, **options: Any
) -> "Done":
    """Run a command line to its end, forked from a warm process where that is the same."""
    is_ours = command[:2] == [sys.executable, str(_COMMAND)]
    if is_ours and not anew and not options and _warm.can_run(env):
        done = _warm.run(command[2:], env, say)
    else:
        done = subprocess.run(
            command,
            input=say,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
            env=env,
            **options,
        )
    return Done(done.returncode, done.stdout, done.stderr)


def start_command(
    command: list[str], env: dict[str, str], out: int, err: int
) -> "Running | subprocess.Popen[bytes]":
    """Start a command line that goes on, forked from a warm process where that is the same."""
    if command[:2] == [sys.executable, str(_COMMAND)] and _warm.can_run(env):
        return _warm.start(command[2:], env, out, err)
    return subprocess.Popen(command, env=env, stdout=out, stderr=err)


def _media_file(folder: Path, name: str, *arguments: str) -> Path:
    path = folder / name
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *arguments, str(path)], check=True)
    return path


@dataclass(frozen=True)
class MediaFiles:
    """Small real files, made once; copy them onto cards."""

    video: Path
    """2 s MP4, 320x240, creation_time 2026-11-23T08:00:00Z."""
    other_video: Path
    """3 s MP4 with another picture, without creation_time."""
    audio: Path
    """2 s WAV."""
    photo: Path
    """JPEG with EXIF time 2026:11:23 16:30:00 and a position."""


@pytest.fixture(scope="session")
def media_files(tmp_path_factory: pytest.TempPathFactory) -> MediaFiles:
    from PIL import ExifTags, Image

    folder = tmp_path_factory.mktemp("media")
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SIMULATED"
    exif[ExifTags.Base.DateTime] = "2026:11:23 16:30:00"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {1: "N", 2: (38.0, 2.0, 32.3), 3: "E", 4: (114.0, 30.0, 53.6)}
    )
    photo = folder / "photo.jpg"
    Image.linear_gradient("L").resize((320, 240)).save(photo, exif=exif)
    return MediaFiles(
        video=_media_file(
            folder,
            "video.mp4",
            *("-f", "lavfi", "-i", "testsrc2=size=320x240:rate=10:duration=2"),
            *("-f", "lavfi", "-i", "sine=duration=2", "-c:v", "mpeg4", "-c:a", "aac"),
            *("-metadata", "creation_time=2026-11-23T08:00:00Z"),
            *("-metadata", "location=+38.0423+114.5149/"),
        ),
        other_video=_media_file(
            folder,
            "other.mp4",
            *("-f", "lavfi", "-i", "testsrc=size=320x240:rate=10:duration=3", "-c:v", "mpeg4"),
            *("-fflags", "+bitexact"),
        ),
        audio=_media_file(folder, "audio.wav", "-f", "lavfi", "-i", "sine=duration=2"),
        photo=photo,
    )


class Card:
    """A folder as a camera's mounted card would be."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir()

    def put(self, name: str | bytes, source: Path | bytes, at: datetime | None = None) -> Path:
        """Put a file on the card, modified at `at`."""
        path = Path(os.fsdecode(os.fsencode(self.path) + b"/" + os.fsencode(name)))
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(source, bytes):
            path.write_bytes(source)
        else:
            shutil.copyfile(source, path)
        seconds = (at or today()).timestamp()
        os.utime(path, (seconds, seconds))
        return path


@pytest.fixture
def card(tmp_path: Path) -> Card:
    return Card(tmp_path / "card")


@dataclass(frozen=True)
class Done:
    """What the command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Dock:
    """A station, and the real command run against it in a child process."""

    anew = False
    """Whether each command is a process of its own from the start: tests/warm_start.py."""

    def __init__(self, folder: Path) -> None:
        self.evidence = folder / "evidence"
        self.state = folder / "state"
        self.config = folder / "config.toml"
        self.configure()

    def configure(self, **sections: dict[str, object] | list[dict[str, object]]) -> None:
        """Write the configuration; sections are merged over the smallest one, lists as given."""
        values: dict[str, Any] = {
            "station": {"id": "test", "language": "en"},
            "paths": {"state": str(self.state), "evidence": str(self.evidence)},
            "ingest": {"reserve_mib": 0},
            "web": {"enabled": False},  # tests run beside each other, and the port is one
        }
        for name, section in sections.items():
            values[name] = (
                section if isinstance(section, list) else {**values.get(name, {}), **section}
            )
        self.config.write_text(tomli_w.dumps(values), encoding="utf-8")

    def take_over(self, prepared: Path) -> None:
        """Take a copy of the folders of a station that was made once for several tests."""
        for folder in (self.evidence, self.state):
            shutil.copytree(prepared / folder.name, folder)

    def command(self, *arguments: str | bytes | Path) -> list[str]:
        """Return the whole command line."""
        return [
            *(sys.executable, str(_COMMAND), "--config", str(self.config)),
            *(os.fsdecode(a) for a in arguments),
        ]

    def run(
        self, *arguments: str | bytes | Path, env: dict[str, str] | None = None, **options: Any
    ) -> Done:
        """Run one command to its end."""
        environment = {**os.environ, "COLUMNS": "200", **(env or {})}
        return run_command(self.command(*arguments), environment, anew=self.anew, **options)

    def start(
        self, *arguments: str, journal: Path, env: dict[str, str] | None = None
    ) -> "Running | subprocess.Popen[bytes]":
        """Start a service; what it prints is added to `journal`."""
        environment = {**os.environ, **(env or {})}
        with journal.open("ab") as log:
            return start_command(self.command(*arguments), environment, log.fileno(), log.fileno())

    def ingest(self, card: Card, *arguments: str) -> Done:
        return self.run("ingest", card.path, "--json", *arguments)

    def station(self) -> Station:
        """Open the station in this process."""
        return open_station(load(self.config))

    def sealed_files(self) -> list[Path]:
        """Return the sealed recordings on disk, without descriptions and lists."""
        return sorted(
            path
            for path in self.evidence.rglob("*")
            if path.is_file()
            and not {".incoming", ".checkpoints"} & set(path.parts)
            and path.suffix != ".json"
            and path.name not in ("B3SUMS", "SHA256SUMS")
        )


@pytest.fixture
def dock(tmp_path: Path) -> Dock:
    return Dock(tmp_path)


@pytest.fixture
def unlock() -> Callable[[Path], None]:
    """Make a sealed file writable, as somebody with root would."""

    def unlock(path: Path) -> None:
        if shutil.which("chattr"):
            subprocess.run(["chattr", "-f", "-i", str(path)], check=False)
        path.chmod(0o640)

    return unlock
