"""What every store that is a tree of files promises: a directory, and an OpenSSH server."""

import os
import shutil
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recorder_sync.language import T
from recorder_sync.stores.directory import DirectoryStore
from recorder_sync.stores.key import partial_name
from recorder_sync.stores.marker import new_marker
from recorder_sync.stores.sftp import SftpStore
from recorder_sync.stores.store import (
    Interrupted,
    Lock,
    Outgoing,
    SourceChanged,
    Store,
    StoreProblem,
    Trouble,
    Verdict,
)
from recorder_sync.stores.store_settings import SftpPlace
from tests.stores.sending import Bytes, Noted, content, outgoing, send, stored
from tests.stores.ssh_server import SshServer

_DATA = content(3_000_001)


@dataclass
class Kept:
    """A bound store, and the folder in which it keeps its objects."""

    store: Store
    folder: Path

    def file(self, item: Outgoing) -> Path:
        return self.folder / item.key

    def partial(self, item: Outgoing) -> Path:
        return self.folder / ".incoming" / partial_name(item.key)


@pytest.fixture(params=["directory", "sftp"])
def kept(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Kept]:
    folder = tmp_path / "store"
    folder.mkdir()
    store: Store
    if request.param == "directory":
        store = DirectoryStore("nas", folder)
    else:
        server: SshServer = request.getfixturevalue("ssh")
        place = SftpPlace.model_validate(server.place(path=str(folder)))
        store = SftpStore("server", place)
    store.bind("dock-01")
    yield Kept(store, folder)
    store.close()


def _cut_at(kept: Kept, data: bytes, size: int) -> None:
    """Send an object and be told to stop when so much of it has arrived."""

    def stop(arrived: int) -> None:
        if arrived >= size:
            raise Interrupted(T("It is to stop."))

    with pytest.raises(Interrupted):
        kept.store.send(outgoing(data), lambda: Bytes(data), Noted(after=stop))


@pytest.mark.parametrize("size", [0, 1, 4096, 2 << 20, len(_DATA)])
def test_an_object_is_given_back_as_it_was_sent(kept: Kept, size: int) -> None:
    item = outgoing(_DATA[:size])
    course = Noted()
    kept.store.send(item, lambda: Bytes(_DATA[:size]), course)
    assert stored(kept.store, item) == _DATA[:size] == kept.file(item).read_bytes()
    assert course.arrived == size
    said = kept.store.look(item.key)
    assert said is not None
    assert (said.key, said.size, said.checksums) == (item.key, size, {})


def test_what_is_not_there_is_said_not_to_be_there(kept: Kept) -> None:
    assert kept.store.look("dock-01/no.mp4") is None
    with pytest.raises(StoreProblem) as caught:
        stored(kept.store, outgoing(b"", "dock-01/no.mp4"))
    assert caught.value.trouble is Trouble.OBJECT


def test_a_stored_object_is_read_only(kept: Kept) -> None:
    send(kept.store, _DATA)
    assert not kept.file(outgoing(_DATA)).stat().st_mode & 0o222


def test_the_same_object_again_is_not_written_again(kept: Kept) -> None:
    send(kept.store, _DATA)
    before = kept.file(outgoing(_DATA)).stat()
    send(kept.store, _DATA)
    after = kept.file(outgoing(_DATA)).stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert list(kept.store.keys()) == [outgoing(_DATA).key]


@pytest.mark.parametrize("there", [b"something else", bytes(len(_DATA))])
def test_another_file_under_the_name_is_never_replaced(kept: Kept, there: bytes) -> None:
    file = kept.file(outgoing(_DATA))
    file.parent.mkdir(parents=True)
    file.write_bytes(there)
    with pytest.raises(StoreProblem) as caught:
        send(kept.store, _DATA)
    assert caught.value.trouble is Trouble.OBJECT
    assert file.read_bytes() == there


def test_a_file_that_appears_under_the_name_meanwhile_is_not_replaced(kept: Kept) -> None:
    file = kept.file(outgoing(_DATA))

    def put(arrived: int) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(b"somebody else's")

    with pytest.raises(StoreProblem) as caught:
        kept.store.send(outgoing(_DATA), lambda: Bytes(_DATA), Noted(after=put))
    assert caught.value.trouble is Trouble.OBJECT
    assert file.read_bytes() == b"somebody else's"


def test_what_is_no_recording_is_compared_with_its_source(kept: Kept) -> None:
    item = Outgoing("_stations/dock-01/checkpoint", len(_DATA), None)
    for _ in range(2):
        kept.store.send(item, lambda: Bytes(_DATA), Noted())
    with pytest.raises(StoreProblem):
        kept.store.send(item, lambda: Bytes(_DATA[:-1] + b"!"), Noted())
    assert stored(kept.store, item) == _DATA


def test_nothing_is_visible_before_everything_has_arrived(kept: Kept) -> None:
    _cut_at(kept, _DATA, 2 << 20)
    assert kept.store.look(outgoing(_DATA).key) is None
    assert list(kept.store.keys()) == []
    (one,) = kept.store.unfinished()
    assert one.key == outgoing(_DATA).key
    assert one.begun_at is not None


def test_an_object_that_was_cut_off_goes_on_where_it_was(kept: Kept) -> None:
    data = content(9_000_001)
    _cut_at(kept, data, 2 << 20)
    there = kept.partial(outgoing(data))
    beginning = there.stat()
    assert 2 << 20 <= beginning.st_size < len(data)
    send(kept.store, data)
    assert stored(kept.store, outgoing(data)) == data
    assert kept.file(outgoing(data)).stat().st_ino == beginning.st_ino
    assert list(kept.store.unfinished()) == []


@pytest.mark.parametrize("at", [0, 700_000, 1_100_000])
def test_a_partial_file_that_was_damaged_is_not_built_upon(kept: Kept, at: int) -> None:
    _cut_at(kept, _DATA, 1 << 20)
    with kept.partial(outgoing(_DATA)).open("r+b") as file:
        file.seek(at)
        file.write(b"damage")
    send(kept.store, _DATA)
    assert stored(kept.store, outgoing(_DATA)) == _DATA


@pytest.mark.parametrize("longer", [b"", b"more than there should be" * 100_000])
def test_a_partial_file_that_is_whole_or_too_long_comes_out_right(
    kept: Kept, longer: bytes
) -> None:
    partial = kept.partial(outgoing(_DATA))
    partial.parent.mkdir()
    partial.write_bytes(_DATA + longer)
    send(kept.store, _DATA)
    assert stored(kept.store, outgoing(_DATA)) == _DATA


def test_a_file_that_is_not_as_it_was_sealed_is_not_stored(kept: Kept) -> None:
    with pytest.raises(SourceChanged):
        kept.store.send(outgoing(_DATA), lambda: Bytes(_DATA, is_changed=True), Noted())
    with pytest.raises(SourceChanged):
        kept.store.send(outgoing(_DATA), lambda: Bytes(_DATA[:-1]), Noted())
    assert kept.store.look(outgoing(_DATA).key) is None
    assert list(kept.store.unfinished()) == []


def test_an_unfinished_object_can_be_given_up(kept: Kept) -> None:
    _cut_at(kept, _DATA, 2 << 20)
    (one,) = kept.store.unfinished()
    kept.store.abandon(one)
    kept.store.abandon(one)
    assert list(kept.store.unfinished()) == []
    assert not kept.partial(outgoing(_DATA)).exists()


def test_keys_are_listed_in_order_and_by_their_beginning(kept: Kept) -> None:
    keys = ["a/b/1", "a/b.json", "a/b/2", "a-1/x", "b/1", "a.json", "中队/视频.mp4"]
    for key in keys:
        kept.store.send(outgoing(b"x", key), lambda: Bytes(b"x"), Noted())
    assert list(kept.store.keys()) == sorted(keys)
    assert list(kept.store.keys("a/b")) == ["a/b.json", "a/b/1", "a/b/2"]
    assert list(kept.store.keys("a/b/")) == ["a/b/1", "a/b/2"]
    assert list(kept.store.keys("c")) == []


@pytest.mark.parametrize(
    "key",
    [
        *("../outside", "/etc/outside", "a/../../outside", "a//b", "", "a/.", "a\0b"),
        *(".incoming/x", ".recorder-sync-store"),
    ],
)
def test_no_key_leads_out_of_the_store_or_to_its_own_files(kept: Kept, key: str) -> None:
    marker = (kept.folder / ".recorder-sync-store").read_bytes()
    with pytest.raises(StoreProblem) as caught:
        kept.store.send(outgoing(b"x", key), lambda: Bytes(b"x"), Noted())
    assert caught.value.trouble is Trouble.OBJECT
    assert {path.name for path in kept.folder.parent.iterdir()} <= {"store", "at-the-server"}
    assert (kept.folder / ".recorder-sync-store").read_bytes() == marker


def test_a_long_key_is_stored_too(kept: Kept) -> None:
    item = outgoing(_DATA, "/".join(["station" * 10, "设备" * 40, "2026", "n" * 120]))
    kept.store.send(item, lambda: Bytes(_DATA), Noted())
    assert stored(kept.store, item) == _DATA


def test_a_store_that_was_emptied_or_swapped_is_not_written_to(kept: Kept) -> None:
    kept.store.identity()
    marker = kept.folder / ".recorder-sync-store"
    first = marker.read_bytes()
    marker.unlink()
    _refuses(kept)
    marker.write_bytes(b"{}")
    _refuses(kept)
    marker.write_bytes(new_marker("dock-03"))
    _refuses(kept)
    marker.unlink()
    marker.write_bytes(first)
    send(kept.store, _DATA)


def _refuses(kept: Kept) -> None:
    kept.store.close()  # a lost connection: each one is looked at anew
    with pytest.raises(StoreProblem) as caught:
        send(kept.store, _DATA)
    assert caught.value.trouble is Trouble.WRONG_PLACE
    assert not kept.file(outgoing(_DATA)).exists()


def test_a_marker_stays_when_another_station_binds_the_store(kept: Kept) -> None:
    before = kept.store.identity()
    assert kept.store.bind("dock-02") == before
    assert [path.name for path in kept.folder.iterdir()] == [".recorder-sync-store"]


def test_a_store_that_keeps_no_locks_says_so(kept: Kept) -> None:
    with pytest.raises(StoreProblem):
        kept.store.lock("dock-01/a", None, Lock(hold=True))


def test_a_good_store_passes_its_check_and_nothing_is_left_of_it(kept: Kept) -> None:
    found = list(kept.store.check(datetime.now(UTC)))
    not_good = [one for one in found if one.verdict is not Verdict.GOOD]
    # This computer's own disk may be full.
    assert [one for one in not_good if "GB are free" not in one.text.english] == []
    assert len(found) >= 5
    assert list(kept.store.unfinished()) == []


def test_a_store_without_a_marker_fails_its_check(kept: Kept) -> None:
    (kept.folder / ".recorder-sync-store").unlink()
    found = [one for one in kept.store.check(datetime.now(UTC)) if one.verdict is Verdict.BAD]
    assert any(one.hint and "stores bind" in one.hint.english for one in found)


def test_a_link_in_the_way_of_an_object_is_not_followed(kept: Kept) -> None:
    elsewhere = kept.folder.parent / "elsewhere"
    elsewhere.write_bytes(b"somebody's")
    file = kept.file(outgoing(_DATA))
    file.parent.mkdir(parents=True)
    file.symlink_to(elsewhere)
    with pytest.raises(StoreProblem):
        send(kept.store, _DATA)
    assert elsewhere.read_bytes() == b"somebody's"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_the_right_to_write_needs_a_person(kept: Kept) -> None:
    kept.folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    with pytest.raises(StoreProblem) as caught:
        send(kept.store, _DATA)
    assert caught.value.trouble is Trouble.REFUSED


def test_a_folder_that_is_gone_is_no_store(kept: Kept) -> None:
    shutil.rmtree(kept.folder)
    with pytest.raises(StoreProblem) as caught:
        kept.store.identity()
    assert caught.value.trouble in (Trouble.TRANSIENT, Trouble.WRONG_PLACE)
