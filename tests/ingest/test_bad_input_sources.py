"""What `recorder-sync ingest` is pointed at, and what lies on it that is no recording."""

import os
import shutil
import socket
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.conftest import Card, Dock, MediaFiles
from tests.ingest.aftermath import (
    check_done,
    check_evidence,
    check_refused,
    contents,
    finish,
    mounted,
    run_without_rights,
    skipped,
    under_way,
)

# -- the path itself


def test_a_path_that_is_not_there_is_refused(stocked: Dock, tmp_path: Path) -> None:
    evidence = contents(stocked.evidence)
    done = stocked.run("ingest", tmp_path / "nothing here", "--json")
    check_refused(done, 2, "There is no folder", "nothing here")
    assert contents(stocked.evidence) == evidence
    check_evidence(stocked, earlier=1)


def test_a_path_that_is_a_file_is_refused(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    file = card.put("clip.mp4", media_files.video)
    before, evidence = contents(card.path), contents(stocked.evidence)
    done = stocked.run("ingest", file, "--json")
    check_refused(done, 2, "is not a folder")
    assert contents(stocked.evidence) == evidence
    assert contents(card.path) == before
    check_evidence(stocked, earlier=1)


def test_a_path_whose_link_leads_nowhere_is_refused(stocked: Dock, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("gone")
    check_refused(stocked.run("ingest", tmp_path / "link", "--json"), 2, "There is no folder")
    check_evidence(stocked, earlier=1)


def test_a_path_that_is_no_text_and_not_there_is_refused(stocked: Dock, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/\xff\xfe\x1b]0;owned\x07"
    for arguments in ([], ["--json"]):
        done = stocked.run("ingest", path, *arguments)
        check_refused(done, 2)
        assert "\x1b" not in done.out + done.err
    check_evidence(stocked, earlier=1)


def test_a_path_that_links_to_itself_is_refused(stocked: Dock, tmp_path: Path) -> None:
    (tmp_path / "one").symlink_to("two")
    (tmp_path / "two").symlink_to("one")
    done = stocked.run("ingest", tmp_path / "one", "--json")
    assert done.code in (2, 3)
    check_refused(done, done.code)
    check_evidence(stocked, earlier=1)


@pytest.mark.parametrize("closed", ["the card", "the folder above"])
def test_a_path_that_may_not_be_read_is_refused(
    stocked: Dock, card: Card, media_files: MediaFiles, closed: str
) -> None:
    card.put("DCIM/clip.mp4", media_files.video)
    path, locked = (
        (card.path, card.path) if closed == "the card" else (card.path / "DCIM", card.path)
    )
    evidence = contents(stocked.evidence)
    locked.chmod(0)
    try:
        done = run_without_rights(stocked, "ingest", path, "--json")
    finally:
        locked.chmod(0o755)
    check_refused(done, 3, "cannot be read", "Permission denied")
    assert contents(stocked.evidence) == evidence
    assert stocked.ingest(card).json["sealed"] == 1
    check_evidence(stocked, "DCIM/clip.mp4", earlier=1)


# -- the station's own folders


@pytest.mark.parametrize("place", ["evidence", "in evidence", "around evidence", "state"])
def test_the_stations_own_folders_are_refused(stocked: Dock, tmp_path: Path, place: str) -> None:
    path = {
        "evidence": stocked.evidence,
        "in evidence": stocked.evidence / "unassigned",
        "around evidence": tmp_path,
        "state": stocked.state,
    }[place]
    link = tmp_path / "link"
    link.symlink_to(path)
    evidence = contents(stocked.evidence)
    for given in (path, link):
        check_refused(stocked.run("ingest", given, "--json"), 2, "overlap")
    assert contents(stocked.evidence) == evidence
    check_evidence(stocked, earlier=1)


def test_evidence_that_is_mounted_elsewhere_as_well_is_refused(
    stocked: Dock, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    with mounted("--bind", stocked.evidence, elsewhere):
        check_refused(stocked.run("ingest", elsewhere, "--json"), 2, "overlap")
    check_evidence(stocked, earlier=1)


# -- what is no recording


def test_what_is_neither_file_nor_folder_is_skipped_and_said(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video)
    inside = card.path / "DCIM"
    inside.mkdir()
    (inside / "passwd.mp4").symlink_to("/etc/passwd")
    (inside / "evidence").symlink_to(stocked.evidence)
    (inside / "evidence.jpg").symlink_to(stocked.sealed_files()[0])
    (inside / "dangling.jpg").symlink_to("nowhere")
    (inside / "ourselves.mp4").symlink_to("ourselves.mp4")
    (inside / "up").symlink_to("..")
    os.mkfifo(inside / "fifo.mp4")
    odd = dict.fromkeys(("fifo.mp4", "socket.mp4", *_device_nodes(inside)), "regular file")
    for link in ("passwd.mp4", "evidence", "evidence.jpg", "dangling.jpg", "ourselves.mp4", "up"):
        odd[link] = "symbolic link"
    with _socket(inside / "socket.mp4"):
        before = contents(card.path)
        done = stocked.ingest(card)
        assert contents(card.path) == before
    check_done(done, sealed=1, failed=0)
    reasons = skipped(done)
    assert set(reasons) == {f"DCIM/{name}" for name in odd}
    for name, why in odd.items():
        assert why in reasons[f"DCIM/{name}"]
    check_evidence(stocked, "clip.mp4", earlier=1)


def _device_nodes(folder: Path) -> list[str]:
    """Make a block and a character device, where this user may; return their names."""
    try:
        os.mknod(folder / "device.mp4", stat.S_IFBLK | 0o600, os.makedev(7, 0))
        os.mknod(folder / "zero.jpg", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:
        sys.stderr.write("this user may not make device nodes: not tested\n")
    found = folder.iterdir()
    return [path.name for path in found if path.is_block_device() or path.is_char_device()]


@contextmanager
def _socket(path: Path) -> Iterator[None]:
    """Leave a socket at a path, however long the path is."""
    with socket.socket(socket.AF_UNIX) as listening:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            listening.bind(f"/proc/self/fd/{folder}/{path.name}")
        finally:
            os.close(folder)
        yield


def test_another_mount_inside_a_card_is_not_entered(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video)
    (card.path / "inner").mkdir()
    with mounted("-t", "tmpfs", "-o", "size=4m", "tmpfs", card.path / "inner"):
        card.put("inner/foreign.jpg", media_files.photo)
        before = contents(card.path)
        done = stocked.ingest(card)
        assert contents(card.path) == before
    check_done(done, sealed=1)
    assert skipped(done) == {"inner": "on another mount"}
    check_evidence(stocked, "clip.mp4", earlier=1)


def test_a_card_mounted_inside_itself_is_taken_in_once(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video)
    (card.path / "again").mkdir()
    with mounted("--bind", card.path, card.path / "again"):
        before = contents(card.path)
        done = stocked.ingest(card)
        assert contents(card.path) == before
    check_done(done, sealed=1, already_sealed=0)
    assert set(skipped(done)) == {"again"}
    check_evidence(stocked, "clip.mp4", earlier=1)


def test_folders_as_deep_as_names_allow_cost_nothing_else(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video)
    at = os.open(card.path, os.O_RDONLY)
    for _ in range(400):
        os.mkdir("deep", dir_fd=at)
        inner = os.open("deep", os.O_RDONLY, dir_fd=at)
        os.close(at)
        at = inner
    os.close(at)
    done = stocked.ingest(card)
    check_done(done, 1, sealed=1, failed=1)
    assert "too deep" in done.json["failures"][0]["error"]
    check_evidence(stocked, "clip.mp4", earlier=1)
    shutil.rmtree(card.path)


def test_an_empty_file_is_skipped_and_said(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video)
    card.put("empty.mp4", b"")
    card.put("empty", b"")
    before = contents(card.path)
    done = stocked.ingest(card)
    assert contents(card.path) == before
    check_done(done, inventory=3, sealed=1)
    assert skipped(done) == {"empty.mp4": "empty: 0 bytes", "empty": "empty: 0 bytes"}
    check_evidence(stocked, "clip.mp4", earlier=1)


def test_promise_9_a_size_that_cannot_be_costs_only_its_own_file(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    """As a damaged entry of exFAT may say; the card would seem too large for the disk."""
    card.put("clip.mp4", media_files.video)
    claims = card.put("damaged.mp4", b"")
    size = shutil.disk_usage(card.path).total + 1
    os.truncate(claims, size)
    done = stocked.ingest(card)
    assert (done.code, done.json["sealed"], done.json["failed"]) == (1, 1, 1), done.err
    (failure,) = done.json["failures"]
    assert failure["path"] == "damaged.mp4"
    assert f"{size} bytes, more than the whole card" in failure["error"]
    check_evidence(stocked, "clip.mp4", earlier=1)


def test_an_empty_card_is_shown_to_a_person(stocked: Dock, card: Card) -> None:
    check_done(stocked.ingest(card), 1, inventory=0, sealed=0)
    done = stocked.run("ingest", card.path)
    assert done.code == 1
    assert "nothing" in done.out.casefold()
    check_evidence(stocked, earlier=1)


@pytest.mark.timeout(300)
def test_a_card_of_thousands_of_photos_goes_in_within_reason(
    dock: Dock, card: Card, pytestconfig: pytest.Config
) -> None:
    """3000 every day, 20 000 by `make torture`; 9 ms each would be too slow."""
    photos = 20_000 if pytestconfig.getoption("--torture") else 3000
    picture = BytesIO()
    Image.new("L", (8, 8)).save(picture, "JPEG")
    names = [f"DCIM/{100 + n // 1000}MEDIA/IMG{n:05}.JPG" for n in range(photos)]
    for n, name in enumerate(names):
        card.put(name, picture.getvalue() + n.to_bytes(4, "big"))
    before = contents(card.path)
    began = time.monotonic()
    with under_way(dock, "ingest", card.path) as child:
        done = finish(child, 240)
    took = time.monotonic() - began
    print(f"{photos} photos took {took:.1f} s")
    assert done.code == 0, done.err
    assert f"{photos} sealed" in done.out
    assert took < photos * 0.009
    assert contents(card.path) == before
    check_evidence(dock, *names)
