"""Which ffprobe describes recordings, and when somebody is told to build it again.

Real programs that say a version; the small one's usual place is laid over this computer's in a
mount namespace where a real command looks for it.
"""

import json
import os
import subprocess
from pathlib import Path

import pytest

from recorder_sync.config import Media
from recorder_sync.errors import MissingPart
from recorder_sync.media import ffprobe as chosen_by
from recorder_sync.media.demuxers import DEMUXERS
from recorder_sync.media.ffprobe import SMALL, choose, notice_of
from tests.conftest import Card, Dock, MediaFiles
from tests.media.ffprobes import NEW, OLD, ffprobe, program


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Where the small one is looked for; it is not there yet."""
    return tmp_path / "small" / "ffprobe"


@pytest.fixture
def distribution(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The distribution's, the only one on PATH beside the shell's own programs."""
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return ffprobe(tmp_path / "bin" / "ffprobe", NEW)


def test_the_one_that_the_configuration_names_is_used_whatever_else_is_there(
    small: Path, distribution: Path, tmp_path: Path
) -> None:
    ffprobe(small, NEW)
    ours = ffprobe(tmp_path / "ours", OLD)
    assert choose(Media(ffprobe=str(ours)), small).path == str(ours)
    assert choose(Media(ffprobe="ffprobe"), small).path == str(distribution)


def test_the_small_one_is_used_where_none_is_named(small: Path, distribution: Path) -> None:
    assert choose(Media(), small).path == str(distribution)
    ffprobe(small, NEW)
    assert choose(Media(), small).path == str(small)
    assert notice_of(Media(), small) is None


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("exit 1", "ended with code 1"),
        ("echo 'no such library: libz.so.1' >&2; exit 127", "libz.so.1"),
        ("exec sleep 60", "says nothing for 0.3 s"),
        ("exit 0", "cannot read: mov, mp4"),
    ],
)
def test_a_small_one_that_does_not_work_is_passed_over_and_that_is_told(
    small: Path,
    distribution: Path,
    script: str,
    why: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chosen_by, "_LIMIT_S", 0.3)
    monkeypatch.setenv("PATH", f"{distribution.parent}:/usr/bin:/bin")
    program(small, script)
    assert choose(Media(), small).path == str(distribution)
    told = notice_of(Media(), small)
    assert told is not None
    assert why in told.text.english
    assert str(distribution) in told.text.english


def test_a_small_one_that_may_not_be_run_is_passed_over(small: Path, distribution: Path) -> None:
    ffprobe(small, NEW).chmod(0o644)
    assert choose(Media(), small).path == str(distribution)


def test_a_small_one_of_before_we_read_a_container_is_passed_over(
    small: Path, distribution: Path
) -> None:
    ffprobe(small, NEW, ",".join(name for name in DEMUXERS.split(",") if name != "gsm"))
    assert choose(Media(), small).path == str(distribution)
    told = notice_of(Media(), small)
    assert told is not None
    assert "cannot read: gsm" in told.text.english


@pytest.mark.parametrize(
    ("ours", "theirs"), [(OLD, NEW), ("5.1.9", NEW), (NEW, "5.1.9-0+deb12u2"), (NEW, "7.1.1-1")]
)
def test_an_older_one_is_used_on_and_somebody_is_told_to_build_it_again(
    small: Path, distribution: Path, ours: str, theirs: str
) -> None:
    ffprobe(small, ours)
    ffprobe(distribution, theirs)
    assert choose(Media(), small).path == str(small)
    told = notice_of(Media(), small)
    assert told is not None
    assert told.text.english == (
        f"{small} was built from FFmpeg {ours}; this computer has {theirs} by now."
    )
    assert "docs/dock.md" in told.hint.english
    assert notice_of(Media(ffprobe=str(small)), small) == told


@pytest.mark.parametrize(
    ("ours", "theirs"), [(NEW, NEW), (NEW, OLD), (NEW, f"{NEW}+b1"), (OLD, "N-12345-gabcdef")]
)
def test_nobody_is_told_of_one_that_is_as_new_or_cannot_be_compared(
    small: Path, distribution: Path, ours: str, theirs: str
) -> None:
    ffprobe(small, ours)
    ffprobe(distribution, theirs)
    assert notice_of(Media(), small) is None


def test_the_distributions_is_found_behind_a_name_for_the_small_one(
    small: Path, distribution: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ffprobe(small, OLD)
    local = tmp_path / "local"
    local.mkdir()
    (local / "ffprobe").symlink_to(small)
    monkeypatch.setenv("PATH", f"{local}:{distribution.parent}")
    assert notice_of(Media(), small) is not None


def test_without_the_distributions_it_is_said_that_nothing_tells(
    small: Path, distribution: Path
) -> None:
    ffprobe(small, NEW)
    distribution.unlink()
    told = notice_of(Media(), small)
    assert told is not None
    assert "Nothing here can tell" in told.text.english
    assert "apt-get install ffmpeg" in told.hint.english


def test_with_neither_it_is_a_missing_part(small: Path, distribution: Path) -> None:
    distribution.unlink()
    program(small, "exit 1")
    with pytest.raises(MissingPart) as caught:
        choose(Media(), small)
    assert "apt-get install ffmpeg" in caught.value.hint.english  # type: ignore[union-attr]


@pytest.mark.parametrize("there", [False, True], ids=["nothing there", "no program"])
def test_a_wrong_path_in_the_configuration_is_what_is_to_be_corrected(
    small: Path, distribution: Path, tmp_path: Path, there: bool
) -> None:
    wrong = tmp_path / "wrong"
    if there:
        wrong.write_text("no program")
    with pytest.raises(MissingPart) as caught:
        choose(Media(ffprobe=str(wrong)), small)
    assert f"media.ffprobe names {wrong}" in caught.value.text.english
    assert "Correct it in the configuration" in caught.value.hint.english  # type: ignore[union-attr]


# The real command.


def test_config_check_says_which_is_used_and_that_it_is_older(dock: Dock, tmp_path: Path) -> None:
    ours = ffprobe(tmp_path / "ffprobe", "0.1-1")
    dock.configure(media={"ffprobe": str(ours)})
    done = dock.run("config", "check", "--json")
    assert (done.code, done.json["problems"]) == (0, [])
    assert done.json["ffprobe"] == {"path": str(ours), "version": "0.1-1"}
    (notice,) = done.json["notices"]
    assert f"{ours} was built from FFmpeg 0.1-1" in notice
    assert notice in done.err
    assert "docs/dock.md" in done.err


def test_config_check_ends_with_3_where_the_named_one_does_not_run(
    dock: Dock, tmp_path: Path
) -> None:
    ours = program(tmp_path / "ffprobe", "echo 'no such library' >&2; exit 127")
    dock.configure(media={"ffprobe": str(ours)})
    done = dock.run("config", "check", "--json")
    assert done.code == 3
    assert f"{ours} does not work: it ended with code 127: no such library" in done.json["error"]


def with_small(folder: Path, command: list[str]) -> subprocess.CompletedProcess[str]:
    """Run a command where `folder` has been laid over the folder of the small one's folder."""
    over = SMALL.parent.parent
    lay = f'mount -t overlay overlay -o lowerdir="$1":{over} {over} || exit 99; shift; exec "$@"'
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", lay, "sh", folder, *command],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )


@pytest.fixture
def usual_place(tmp_path: Path) -> Path:
    """A folder that `with_small` lays over /usr/local/lib."""
    folder = tmp_path / "over"
    (folder / SMALL.parent.name).mkdir(parents=True)
    if os.geteuid() != 0 or with_small(folder, ["true"]).returncode:
        pytest.skip("folders cannot be laid over others here")
    return folder


def test_one_in_the_usual_place_describes_recordings(
    dock: Dock, card: Card, media_files: MediaFiles, usual_place: Path
) -> None:
    said = {
        "format": {"format_name": "avi"},
        "streams": [{"codec_type": "video", "codec_name": "as-the-small-one-says"}],
    }
    ffprobe(
        usual_place / "recorder-sync/ffprobe", NEW, otherwise=f"printf '%s' '{json.dumps(said)}'"
    )
    card.put("a.mp4", media_files.video)
    done = with_small(usual_place, dock.command("ingest", card.path, "--json"))
    assert done.returncode == 0, done.stderr
    (recording,) = json.loads(done.stdout)["recordings"]
    assert recording["media"]["codec"] == "as-the-small-one-says"


def test_a_broken_one_in_the_usual_place_keeps_no_recording_from_being_described(
    dock: Dock, card: Card, media_files: MediaFiles, usual_place: Path
) -> None:
    program(usual_place / "recorder-sync/ffprobe", "exit 127")
    card.put("a.mp4", media_files.video)
    done = with_small(usual_place, dock.command("ingest", card.path, "--json"))
    assert done.returncode == 0, done.stderr
    (recording,) = json.loads(done.stdout)["recordings"]
    assert recording["media"]["codec"] is not None
    checked = with_small(usual_place, dock.command("config", "check"))
    assert checked.returncode == 0
    assert f"{SMALL} does not work: it ended with code 127" in checked.stderr
