"""Documents of cases go to evidence stores as recordings do: whole, once, and one by one."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from recorder_sync.model import AlertKind
from tests.catalogue.whole import whole
from tests.documents.handing_in import CASE, PDF, add, dies_at
from tests.forward.conftest import Forwarded
from tests.ingest.aftermath import until

pytestmark = pytest.mark.long

_HAND = "recorder_sync.forward.document_hand"


@pytest.fixture
def bed(forwarded: Forwarded) -> Forwarded:
    """A station with a case; its store is not configured yet."""
    done = forwarded.dock.run("cases", "add", CASE, "--party", "某某餐饮有限公司")
    assert done.code == 0, done.err
    return forwarded


def _handed_in(
    bed: Forwarded, count: int, *, case: str = CASE, first: int = 0
) -> list[dict[str, Any]]:
    """Seal so many documents, each with a content of its own."""
    found = []
    for number in range(first, first + count):
        file = bed.dock.state.parent / f"决定书{number}.pdf"
        file.write_bytes(PDF + str(number).encode())
        done = add(bed.dock, file, case=case)
        assert done.code == 0, done.err
        found.append(done.json)
    return found


def _there(bed: Forwarded, one: dict[str, Any]) -> Path:
    return bed.nas / "_stations" / "test" / str(one["path"])


def _inodes(bed: Forwarded) -> dict[Path, int]:
    root = bed.nas / "_stations" / "test" / "documents"
    return {path: path.stat().st_ino for path in root.rglob("*") if path.is_file()}


def _confirmed(bed: Forwarded, store: str = "nas") -> set[str]:
    query = "select document from document_copies where store = ?"
    return {row[0] for row in bed.rows(query, store)}


def _until_confirmed(bed: Forwarded, *some: dict[str, Any], store: str = "nas") -> None:
    ids = {one["id"] for one in some}
    until(lambda: _confirmed(bed, store) == ids, f"{len(ids)} documents confirmed by {store}")


def test_a_document_and_its_description_go_to_the_store_and_are_confirmed(bed: Forwarded) -> None:
    bed.set_up()
    bed.bind()
    some = _handed_in(bed, 2)
    waiting = bed.store()
    assert waiting["documents"] == {"waiting": 2, "failed": 0, "confirmed": 0, "failures": []}
    assert waiting["state"] == "waiting"
    bed.start()
    _until_confirmed(bed, *some)
    for one in some:
        for end in ("", ".json"):
            sealed = bed.dock.evidence / f"{one['path']}{end}"
            there = _there(bed, one).with_name(sealed.name)
            assert there.read_bytes() == sealed.read_bytes()
    assert bed.store()["documents"]["confirmed"] == 2
    assert bed.rows("select distinct proof from document_copies") == [("read-back",)]
    said = [entry["subject"] for entry in bed.entries("confirmed")]
    assert sorted(said) == sorted(one["id"] for one in some), "it is on record, once each"


def test_what_is_there_is_known_by_the_custody_log_and_not_sent_again(bed: Forwarded) -> None:
    bed.set_up()
    bed.bind()
    some = _handed_in(bed, 2)
    bed.start()
    _until_confirmed(bed, *some)
    bed.stop()
    seen, before = _inodes(bed), whole(bed.dock.state / "catalogue.db")
    assert len(seen) == 4
    assert len(before["document_copies"]) == 2
    for path in bed.dock.state.glob("catalogue.db*"):
        path.unlink()
    assert bed.dock.run("catalogue", "rebuild").code == 0
    after = whole(bed.dock.state / "catalogue.db")
    assert after["document_copies"] == before["document_copies"]
    assert bed.dock.run("verify", "--json").json["findings"] == []
    (later,) = _handed_in(bed, 1, first=2)
    bed.start()
    _until_confirmed(bed, *some, later)
    now = _inodes(bed)
    assert {path: now[path] for path in seen} == seen, "nothing was written anew"
    assert len(bed.entries("confirmed")) == 3


@pytest.mark.parametrize(
    "step",
    [
        (_HAND, "bring", "after"),
        ("recorder_sync.forward.shared:Shared", "confirm", "before"),
        ("recorder_sync.catalogue.copies", "take_up", "before"),
    ],
)
def test_promise_3_killed_while_it_is_sent_it_is_there_once(
    bed: Forwarded, step: tuple[str, str, str]
) -> None:
    """With the file there and no description, with both there and nothing on record, and with
    the custody log ahead of the catalogue."""
    bed.set_up()
    bed.bind()
    (one,) = _handed_in(bed, 1)
    dies_at(bed.dock, step, "forward")
    assert _confirmed(bed) == set()
    seen = _inodes(bed)
    assert _there(bed, one) in seen
    bed.start()
    _until_confirmed(bed, one)
    now = _inodes(bed)
    assert len(now) == 2
    assert {path: now[path] for path in seen} == seen, "what was there was written anew"
    assert [entry["subject"] for entry in bed.entries("confirmed")] == [one["id"]]


@pytest.mark.parametrize("end", ["", ".json"])
def test_promise_5_what_is_not_what_was_sealed_is_not_sent_and_the_others_are(
    bed: Forwarded, end: str
) -> None:
    bed.set_up()
    bed.bind()
    bad, good = _handed_in(bed, 2)
    path = bed.dock.evidence / f"{bad['path']}{end}"
    sealed = path.read_bytes()
    _overwrite(path, sealed[:-1] + b"X")
    bed.start()
    _until_confirmed(bed, good)
    until(lambda: bed.store()["documents"]["failed"] == 1, "it failed")
    (failure,) = bed.store()["documents"]["failures"]
    assert failure["document"] == bad["id"]
    assert "is not what was sealed" in failure["why"]
    assert not _there(bed, bad).exists()
    assert bed.dock.run("forward", "status").code == 1
    (alert,) = bed.alerts(AlertKind.VERIFICATION_FINDING)
    assert bad["path"] in alert.text.english
    _overwrite(path, sealed)
    bed.retry()
    _until_confirmed(bed, good, bad)


def test_a_store_that_has_something_else_under_its_name_is_told_of(bed: Forwarded) -> None:
    bed.set_up()
    bed.bind()
    bad, good = _handed_in(bed, 2)
    there = _there(bed, bad)
    there.parent.mkdir(parents=True)
    there.write_bytes(PDF + b"!")
    bed.start()
    _until_confirmed(bed, good)
    until(lambda: bed.store()["documents"]["failed"] == 1, "it failed")
    assert there.read_bytes() == PDF + b"!", "it is left as it is"
    (alert,) = bed.alerts(AlertKind.COPY_DIFFERS)
    assert bad["id"] in alert.text.english


def test_a_store_for_some_cases_gets_the_documents_of_these(bed: Forwarded) -> None:
    other = "冀石执〔2026〕18号"
    assert bed.dock.run("cases", "add", other, "--party", "乙").code == 0
    bed.set_up(f'cases = ["{other}"]')
    bed.bind()
    _handed_in(bed, 1)
    (its,) = _handed_in(bed, 1, case=other)
    assert bed.store()["documents"]["waiting"] == 1
    bed.start()
    _until_confirmed(bed, its)
    assert bed.store()["state"] == "idle"
    assert {path.name for path in _inodes(bed)} == {
        _there(bed, its).name + end for end in ("", ".json")
    }


def test_without_records_no_document_goes_along(bed: Forwarded) -> None:
    bed.set_up(forward={"records": False})
    bed.bind()
    _handed_in(bed, 1)
    (recording,) = bed.seal(1)
    bed.start()
    bed.until_confirmed(1)
    assert bed.store()["documents"]["waiting"] == 0
    assert not (bed.nas / "_stations").exists()
    assert recording["id"] in bed.confirmed()


@pytest.mark.raises_and_resolves(AlertKind.QUEUE_WAITS)
def test_a_document_that_waits_for_hours_or_failed_is_an_alert_until_it_has_arrived(
    bed: Forwarded,
) -> None:
    bed.set_up()
    bed.bind()
    bad, good = _handed_in(bed, 2)
    path = bed.dock.evidence / str(bad["path"])
    sealed = path.read_bytes()
    _overwrite(path, sealed[:-1] + b"X")
    bed.start()
    _until_confirmed(bed, good)
    until(lambda: bed.store()["documents"]["failed"] == 1, "it failed")
    assert bed.alerts(AlertKind.QUEUE_WAITS, timedelta(hours=5)) == []
    (alert,) = bed.alerts(AlertKind.QUEUE_WAITS, timedelta(hours=7))
    assert alert.text.english.startswith("Documents of cases have waited for the store")
    bed.retry()  # that somebody has it tried again does not make it younger
    until(lambda: bed.store()["documents"]["failed"] == 1, "it failed again")
    assert len(bed.alerts(AlertKind.QUEUE_WAITS, timedelta(hours=7))) == 1
    _overwrite(path, sealed)
    bed.retry()
    _until_confirmed(bed, good, bad)
    assert bed.alerts(AlertKind.QUEUE_WAITS, timedelta(hours=7)) == []


def _overwrite(path: Path, content: bytes) -> None:
    path.chmod(0o640)
    path.write_bytes(content)
    path.chmod(0o440)
