"""Degrade, don't stop: one store, one recording holds up no other, and a person is told."""

import json
import shutil
import signal
import sqlite3
from collections.abc import Callable
from pathlib import Path

from recorder_sync.stores.marker import MARKER, new_marker
from tests.conftest import Card
from tests.forward.conftest import Forwarded
from tests.ingest.aftermath import until


def test_promise_9_a_store_that_is_not_bound_gets_nothing_and_holds_up_no_other(
    forwarded: Forwarded,
) -> None:
    bed = forwarded
    other = bed.nas.with_name("other")
    other.mkdir()
    bed.set_up(
        stores=f'[[stores]]\nname = "unbound"\n{bed.directory(other)}\n'
        f'[[stores]]\nname = "nas"\n{bed.directory(bed.nas)}'
    )
    bed.seal(2)
    bed.bind("nas")
    bed.start()
    bed.until_confirmed(2)
    until(lambda: bed.store("unbound")["trouble"], "the trouble on record")
    assert list(other.rglob("*.jpg")) == []
    assert "not bound" in str(bed.store("unbound")["why"])
    assert bed.dock.run("forward", "status").code == 1


def test_a_store_that_was_swapped_gets_nothing_and_goes_on_when_it_is_back(
    forwarded: Forwarded,
) -> None:
    bed = forwarded
    bed.set_up()
    bed.seal(1)
    bed.bind()
    bed.start()
    bed.until_confirmed(1)
    bed.stop()
    bed.nas.rename(bed.nas.with_name("away"))
    bed.nas.mkdir()
    (bed.nas / MARKER).write_bytes(new_marker("another"))
    bed.seal(1, first=2)
    bed.start()
    until(lambda: bed.store()["state"] == "failing", "the wrong store is found out")
    assert bed.store()["trouble"] == "wrong-place"
    assert bed.objects() == {}, "another store in its place is not written to"
    bed.nas.rmdir() if not any(bed.nas.iterdir()) else shutil.rmtree(bed.nas)
    bed.nas.with_name("away").rename(bed.nas)
    assert bed.dock.run("forward", "retry", "nas").code == 0
    bed.until_confirmed(2)
    until(lambda: bed.store()["failing_since"] is None, "the trouble is over")


def test_promise_5_what_was_changed_after_its_sealing_is_never_sent(
    forwarded: Forwarded, unlock: Callable[[Path], None]
) -> None:
    bed = forwarded
    bed.set_up()
    good, bad = bed.seal(2)
    path = bed.dock.evidence / bad["path"]
    unlock(path)
    content = bytearray(path.read_bytes())
    content[500] ^= 1
    path.write_bytes(content)
    bed.bind()
    bed.start()
    bed.until_confirmed(1)
    assert bed.confirmed() == {good["id"]}
    until(lambda: bed.store()["failed"] == 1, "the finding")
    assert not any(bad["id"] in key for key in bed.objects())
    alerts = bed.dock.run("alerts", "list", "--json").json["alerts"]
    assert any(bad["path"] in json.dumps(one) for one in alerts)
    (shown,) = [
        one
        for one in bed.dock.run("recordings", "list", "--json").json["recordings"]
        if one["id"] == bad["id"]
    ]
    assert shown["stores"]["nas"]["state"] == "failed"


def test_paused_by_hand_nothing_is_sent_and_it_is_on_record(forwarded: Forwarded) -> None:
    bed = forwarded
    bed.set_up()
    bed.bind()
    bed.seal(1)
    bed.start()
    bed.until_confirmed(1)
    assert bed.dock.run("forward", "pause").code == 0
    until(lambda: "paused" in bed.journal(), "the service sees it")
    bed.seal(1, first=2)
    until(lambda: bed.store()["waiting"] == 1, "it is queued")
    assert bed.store()["state"] == "paused"
    assert len(bed.confirmed()) == 1
    assert bed.dock.run("forward", "resume", "nas").code == 0
    bed.until_confirmed(2)
    said = [entry["facts"]["what"] for entry in bed.entries("service")]
    assert said == ["forwarding paused", "forwarding resumed"]
    assert bed.stop() == 128 + signal.SIGTERM


def test_a_rebuilt_catalogue_has_the_same_copies_and_sends_nothing_again(
    forwarded: Forwarded, card: Card
) -> None:
    bed = forwarded
    bed.set_up()
    bed.bind()
    bed.seal(2)
    bed.start()
    bed.until_confirmed(2)
    bed.stop()
    before = bed.rows("select * from copies order by recording")
    for file in bed.dock.state.glob("catalogue.db*"):
        file.unlink()
    assert bed.dock.run("catalogue", "rebuild").code == 0
    assert bed.rows("select * from copies order by recording") == before
    assert bed.dock.run("verify", "--json").json["findings"] == []
    bed.seal(1, first=3)
    bed.start()
    bed.until_confirmed(3)
    assert len(bed.entries("confirmed")) == 3


def test_art_27_a_copy_that_somebody_wrote_into_the_catalogue_is_found(
    forwarded: Forwarded,
) -> None:
    bed = forwarded
    bed.set_up()
    (one,) = bed.seal(1)
    with sqlite3.connect(bed.dock.state / "catalogue.db") as db:
        db.execute(
            "insert into copies values (?, 'nas', 'k', null, 'checksum', null, ?, 3, 0)",
            [one["id"], one["sealed_at"]],
        )
    db.close()
    found = bed.dock.run("verify", "--json")
    assert found.code == 1
    assert "copies" in json.dumps(found.json["findings"])


def test_the_store_has_the_whole_custody_log_and_its_checkpoint(forwarded: Forwarded) -> None:
    bed = forwarded
    bed.set_up()
    bed.bind()
    bed.seal(1)
    assert bed.dock.run("custody", "checkpoint").code == 0
    assert bed.dock.run("catalogue", "backup").code == 0
    bed.start()
    bed.until_confirmed(1)
    records = bed.nas / "_stations" / "test"
    until(lambda: list(records.glob("catalogue/*.db")), "the backup is there")
    until(lambda: list(records.glob("custody/keys/*")), "the key is there")
    log = b"".join(path.read_bytes() for path in sorted(records.glob("custody/log/*")))
    here = (bed.dock.state / "custody" / f"{0:020d}.jsonl").read_bytes()
    assert log
    assert here.startswith(log)
    (note,) = records.glob("custody/checkpoints/*")
    assert int(note.name) < log.count(b"\n"), "also what no checkpoint vouches for yet"
    assert not list(records.rglob("*checkpoint*key*")), "never the key that signs"
