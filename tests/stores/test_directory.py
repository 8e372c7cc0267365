"""A directory as a store, on a real file system of its own that fails, fills up and goes away."""

import fcntl
import os
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recorder_sync.language import T
from recorder_sync.protection import is_immutable, unprotect
from recorder_sync.stores.directory import DirectoryStore
from recorder_sync.stores.key import partial_name
from recorder_sync.stores.store import Interrupted, StoreProblem, Trouble, Verdict
from tests.faults.disk import FaultyDisk
from tests.faults.reading import read_direct
from tests.stores.sending import Bytes, Noted, content, outgoing, send, stored

_DATA = content(5_000_001, seed=1)
_LARGE = content(30_000_000, seed=2)


@pytest.fixture
def nas(disk: FaultyDisk) -> DirectoryStore:
    store = DirectoryStore("nas", disk.path, immutable=False)
    store.bind("dock-01")
    store.identity()
    return store


def _trouble(store: DirectoryStore, data: bytes = _DATA) -> Trouble:
    with pytest.raises(StoreProblem) as caught:
        send(store, data)
    assert caught.value.hint is not None
    return caught.value.trouble


def test_a_stored_object_is_on_the_medium(nas: DirectoryStore, disk: FaultyDisk) -> None:
    send(nas, _DATA)
    assert _on_medium(disk) == _DATA


def test_a_full_disk_is_said_to_be_full_and_goes_on_when_there_is_room(
    nas: DirectoryStore, disk: FaultyDisk
) -> None:
    ballast = disk.path / "ballast"
    ballast.write_bytes(bytes(10_000_000))
    assert _trouble(nas, _LARGE) is Trouble.FULL
    (one,) = nas.unfinished()
    kept = (disk.path / ".incoming" / one.id).stat()
    assert kept.st_size > 1_000_000
    ballast.unlink()
    send(nas, _LARGE[:20_000_000], outgoing(_LARGE[:20_000_000]))
    assert (disk.path / outgoing(_LARGE).key).stat().st_ino == kept.st_ino
    assert stored(nas, outgoing(_LARGE)) == _LARGE[:20_000_000]


def test_a_disk_that_cannot_write_stores_nothing_and_is_tried_again(
    nas: DirectoryStore, disk: FaultyDisk
) -> None:
    send(nas, b"first", outgoing(b"first", "a/first"))
    disk.fail_writes_of(_DATA[2_000_000:2_000_016])
    assert _trouble(nas) is Trouble.TRANSIENT
    assert nas.look(outgoing(_DATA).key) is None
    assert list(nas.unfinished()) == []  # its pages may be clean in memory and lost on the disk
    disk.heal()
    send(nas, _DATA)
    assert _on_medium(disk) == _DATA


def test_a_byte_that_changed_on_the_medium_is_seen_when_it_is_read_back(
    nas: DirectoryStore, disk: FaultyDisk
) -> None:
    send(nas, _DATA)
    file = disk.path / outgoing(_DATA).key
    file.read_bytes()  # whatever memory has of it
    disk.flip(disk.place_of(file, 3_000_000))
    found = stored(nas, outgoing(_DATA))
    assert [at for at in range(len(_DATA)) if found[at] != _DATA[at]] == [3_000_000]
    assert _trouble(nas) is Trouble.OBJECT


def test_the_empty_folder_under_a_share_that_is_not_mounted_is_not_written_to(
    nas: DirectoryStore, disk: FaultyDisk, tmp_path: Path
) -> None:
    guarded = DirectoryStore("nas", disk.path, (tmp_path,))
    guarded.identity()
    subprocess.run(["umount", disk.path], check=True)
    try:
        assert _trouble(guarded) is Trouble.TRANSIENT
        assert _trouble(nas) is Trouble.WRONG_PLACE
        assert list(disk.path.iterdir()) == []
    finally:
        subprocess.run(["mount", disk.device, disk.path], check=True)
    send(guarded, _DATA)


def test_a_share_that_goes_away_in_the_middle_leaves_nothing_beneath_it(
    nas: DirectoryStore, disk: FaultyDisk
) -> None:
    def unmount(arrived: int) -> None:
        if arrived == 2 << 20:
            subprocess.run(["umount", "--lazy", disk.path], check=True)

    try:
        nas.send(outgoing(_DATA), lambda: Bytes(_DATA), Noted(after=unmount))
        assert list(disk.path.iterdir()) == []
    finally:
        subprocess.run(["mount", disk.device, disk.path], check=True)
    assert stored(nas, outgoing(_DATA)) == _DATA


def test_a_disk_that_is_read_only_needs_a_person(nas: DirectoryStore, disk: FaultyDisk) -> None:
    subprocess.run(["mount", "-o", "remount,ro", disk.path], check=True)
    assert _trouble(nas) is Trouble.REFUSED
    found = list(nas.check(datetime.now(UTC)))
    assert found[-1].verdict is Verdict.BAD
    assert "read-only" in found[-1].text.english


def test_a_disk_with_little_room_left_is_pointed_out(nas: DirectoryStore, disk: FaultyDisk) -> None:
    state = os.statvfs(disk.path)
    (disk.path / "ballast").write_bytes(bytes(int(state.f_bavail * state.f_frsize * 0.97)))
    found = list(nas.check(datetime.now(UTC)))
    assert [one.verdict for one in found if "are free" in one.text.english] == [Verdict.DOUBTFUL]


def test_the_stations_own_disk_is_no_store_unless_it_is_meant(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    own = DirectoryStore("nas", folder, (tmp_path / "state" / "not-made-yet",))
    with pytest.raises(StoreProblem) as caught:
        own.bind("dock-01")
    assert caught.value.trouble is Trouble.REFUSED
    assert "own_disk" in str(caught.value.hint)
    assert list(folder.iterdir()) == []
    assert [one.verdict for one in own.check(datetime.now(UTC))] == [Verdict.BAD]


def test_two_that_write_one_object_do_not_mix(tmp_path: Path) -> None:
    store = DirectoryStore("nas", tmp_path)
    store.bind("dock-01")
    incoming = tmp_path / ".incoming"
    incoming.mkdir()
    with (incoming / partial_name(outgoing(_DATA).key)).open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(StoreProblem) as caught:
            send(store, _DATA)
        assert caught.value.trouble is Trouble.OBJECT
    send(store, _DATA)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may set the immutable flag")
def test_a_stored_object_is_immutable_where_that_can_be(disk: FaultyDisk) -> None:
    store = DirectoryStore("nas", disk.path)
    store.bind("dock-01")
    send(store, _DATA)
    file = disk.path / outgoing(_DATA).key
    handle = os.open(file, os.O_RDONLY)
    try:
        assert is_immutable(handle)
    finally:
        os.close(handle)
    send(store, _DATA)
    unprotect(file)


def test_stopping_in_the_middle_keeps_what_had_arrived(tmp_path: Path) -> None:
    store = DirectoryStore("nas", tmp_path)
    store.bind("dock-01")

    def stop(arrived: int) -> None:
        if arrived == 4 << 20:
            raise Interrupted(T("It is to stop."))

    with pytest.raises(Interrupted):
        store.send(outgoing(_DATA), lambda: Bytes(_DATA), Noted(after=stop))
    before = _written()
    send(store, _DATA)
    assert _written() - before < 2 << 20


def _written() -> int:
    """Bytes that this process has handed to write(2) until now."""
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(lines["wchar"])


def _on_medium(disk: FaultyDisk) -> bytes:
    whole_blocks = -(-len(_DATA) // 4096) * 4096
    return read_direct(disk.path / outgoing(_DATA).key, whole_blocks)[: len(_DATA)]
