"""Documents of cases come back from one store with all the rest (Art. 5, 10 to 16)."""

from typing import Any

import pytest

from tests.documents.handing_in import CASE, add, listed, paper
from tests.from_store.conftest import Lost

pytestmark = pytest.mark.long


@pytest.fixture
def document(station: Lost) -> dict[str, Any]:
    """A document of a case, to which a recording belongs; the whole station is in the store."""
    dock = station.dock
    assert dock.run("cases", "add", CASE, "--party", "某某餐饮有限公司").code == 0
    done = add(dock, paper(dock.state.parent))
    assert done.code == 0, done.err
    found: dict[str, Any] = done.json
    (first, *_) = station.bed.rows("select id from recordings order by id")
    tag = dock.run("recordings", "tag", first[0], "--by", "王", "--reason", "立案", "--case", CASE)
    assert tag.code == 0, tag.err
    assert dock.run("recordings", "document", first[0], found["id"], "--by", "王").code == 0
    station.forward_everything()
    return found


def test_documents_come_back_and_verification_finds_nothing(
    station: Lost, document: dict[str, Any]
) -> None:
    before = listed(station.dock)
    station.lose()
    done = station.rebuild("--with-recordings")
    assert done.code == 0, done.err + done.out
    assert done.json["documents"] == {"fetched": 1, "already_here": 0, "failed": 0}
    assert station.files() == station.evidence
    assert listed(station.dock) == before
    verified = station.dock.run("verify", "--all", "--json")
    assert (verified.code, verified.json["findings"]) == (0, [])
    assert verified.json["checked"] == 4
    again = station.rebuild("--with-recordings")
    assert again.json["documents"] == {"fetched": 0, "already_here": 1, "failed": 0}


def test_without_the_files_documents_are_in_the_store_only_until_they_are_fetched(
    station: Lost, document: dict[str, Any]
) -> None:
    station.lose()
    assert station.rebuild().code == 0
    verified = station.dock.run("verify", "--all", "--json")
    assert (verified.code, verified.json["findings"]) == (0, [])
    assert verified.json["only_in_store"] == 4
    assert station.rebuild("--with-recordings").code == 0
    assert station.files() == station.evidence


@pytest.mark.parametrize("what", ["gone", "changed"])
def test_promise_5_a_document_that_the_store_has_not_as_it_was_is_named(
    station: Lost, document: dict[str, Any], what: str
) -> None:
    there = station.bed.nas / "_stations" / "test" / document["path"]
    content = there.read_bytes()
    there.chmod(0o640)
    there.unlink()
    if what == "changed":
        there.write_bytes(content[:-1] + b"X")
    station.lose()
    without = station.rebuild()
    assert without.code == (1 if what == "gone" else 0)
    done = station.rebuild("--with-recordings")
    assert (done.code, done.json["documents"]["failed"]) == (1, 1)
    assert done.json["files"]["fetched"] == 3, "the others come back"
    assert any(document["path"] in problem for problem in done.json["problems"])
    verified = station.dock.run("verify", "--all", "--json").json
    assert "missing" in [finding["kind"] for finding in verified["findings"]]
    assert {finding["path"].partition("/")[0] for finding in verified["findings"]} == {"documents"}
