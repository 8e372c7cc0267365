"""Art. 10 to 15: a document of a case is sealed as a recording is."""

import hashlib
import os
import stat
import subprocess
from pathlib import Path

import pytest
from blake3 import blake3

from recorder_sync.custody.log import Act
from recorder_sync.errors import MissingPart
from recorder_sync.ingest.tray import Tray
from tests.conftest import Dock
from tests.documents.handing_in import (
    CASE,
    NUMBER,
    PDF,
    TITLE,
    add,
    begun,
    description,
    entries,
    left_in_incoming,
    listed,
    paper,
)
from tests.inspection.furnished import verify_here


@pytest.fixture
def station(dock: Dock) -> Dock:
    return begun(dock)


def test_a_document_is_sealed_with_its_digests_and_says_who_handed_it_in(
    station: Dock, tmp_path: Path
) -> None:
    file = paper(tmp_path)
    done = add(station, file, "--number", NUMBER, "--by", "王队", "--item", "9.1")
    assert done.code == 0, done.err
    sealed = done.json
    assert sealed["id"].startswith("d-")
    facts = ("case", "title", "kind", "number", "stage", "item", "handed_in_by", "original_name")
    assert [sealed[name] for name in facts] == [
        *(CASE, TITLE, "issued document", NUMBER, "service and execution", "9.1", "王队"),
        "决定书.pdf",
    ]
    assert (sealed["sha256"], sealed["blake3"]) == (
        hashlib.sha256(PDF).hexdigest(),
        blake3(PDF).hexdigest(),
    )
    kept = station.evidence / sealed["path"]
    assert kept.read_bytes() == PDF
    assert file.read_bytes() == PDF, "whoever handed it in keeps it"
    for path in (kept, kept.with_name(kept.name + ".json")):
        assert stat.S_IMODE(path.stat().st_mode) == 0o440
    for check, name in (("b3sum", "B3SUMS"), ("sha256sum", "SHA256SUMS")):
        subprocess.run([check, "--quiet", "-c", name], cwd=kept.parent, check=True)
    assert description(station, sealed["path"])["handed_in_by"] == "王队"
    (entry,) = entries(station, Act.DOCUMENT)
    assert entry.deed.subject == sealed["id"]
    assert entry.deed.facts["document"] == description(station, sealed["path"])
    assert left_in_incoming(station) == []
    shown = station.run("cases", "documents", "list", CASE).out
    assert TITLE in shown
    assert "issued document" in shown


def test_the_same_file_is_one_document_of_a_case_and_another_of_another(
    station: Dock, tmp_path: Path
) -> None:
    assert station.run("cases", "add", "2026-8").code == 0
    first = add(station, paper(tmp_path)).json
    again = add(station, paper(tmp_path, name="copy of it.pdf"), "--title", "换个名字")
    assert again.code == 0
    assert again.json["already_sealed"] is True
    assert (again.json["id"], again.json["title"]) == (first["id"], TITLE)
    other = add(station, paper(tmp_path), case="2026-8").json
    assert other["already_sealed"] is False
    assert other["id"] != first["id"]
    assert len(entries(station, Act.DOCUMENT)) == 2
    assert len(station.sealed_files()) == 2
    assert verify_here(station) == []


@pytest.mark.parametrize(
    ("kind", "stage"),
    [
        ("investigation document", "investigation"),
        ("hearing document", "investigation"),
        ("service document", "service and execution"),
        ("approval document", None),
    ],
)
def test_art_12_to_15_a_kind_has_the_stage_where_the_measures_put_it_and_no_guess(
    station: Dock, tmp_path: Path, kind: str, stage: str | None
) -> None:
    assert add(station, paper(tmp_path), "--kind", kind).json["stage"] == stage


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--title", " "], "The title"),
        (["--title", "a\nb"], "The title"),
        (["--title", "x" * 201], "The title"),
        (["--number", "x" * 101], "document number"),
        (["--item", "99.9"], "no item 99.9"),
        (["--item", "9.1", "--stage", "start"], "another stage"),
        (["--by", " "], "Nobody is named"),
    ],
)
def test_what_makes_no_sense_is_refused_and_nothing_is_done(
    station: Dock, tmp_path: Path, options: list[str], said: str
) -> None:
    done = add(station, paper(tmp_path), *options)
    assert done.code == 2
    assert said in done.err
    assert station.sealed_files() == []


def test_no_document_is_of_a_case_that_nobody_registered(station: Dock, tmp_path: Path) -> None:
    done = add(station, paper(tmp_path), case="2099-1")
    assert done.code == 2
    assert "no case 2099-1" in done.err


@pytest.mark.parametrize("what", ["pipe", "link", "folder", "nothing", "empty"])
def test_what_is_no_file_is_refused_and_never_waited_for(
    station: Dock, tmp_path: Path, what: str
) -> None:
    path = tmp_path / "it.pdf"
    match what:
        case "pipe":
            os.mkfifo(path)
        case "link":
            path.symlink_to(paper(tmp_path))
        case "folder":
            path.mkdir()
        case "empty":
            path.touch()
    done = add(station, path)
    assert done.code in (1, 2, 3)
    assert done.json["hint"]
    assert station.sealed_files() == []
    assert left_in_incoming(station) == []


HOSTILE = (
    b"..\\..\\etc.pdf",
    b"\xb2\xe2\xca\xd4.pdf",
    b"a\nb.pdf",
    b"<script>alert(1).pdf",
    b".pdf",
    b"-rf.pdf",
    b"x" * 250 + b".PDF",
    "\u202efdp.exe.pdf".encode(),
)


def test_hostile_names_are_kept_exactly_and_lead_nowhere(station: Dock, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    for number, name in enumerate(HOSTILE):
        path = os.fsencode(folder) + b"/" + name
        with open(path, "wb") as file:
            file.write(PDF + bytes([number]))
        done = add(station, path)
        assert done.code == 0, done.err
        kept = station.evidence / done.json["path"]
        assert kept.parent == station.evidence / "documents" / CASE.replace("〔", "_").replace(
            "〕", "_"
        )
        assert done.json["original_name"] == name.decode("utf-8", "replace")
    assert len(listed(station)) == len(HOSTILE)
    assert verify_here(station) == []
    assert station.run("catalogue", "rebuild").code == 0
    assert verify_here(station) == []


def test_a_case_number_that_looks_like_a_path_leads_nowhere(station: Dock, tmp_path: Path) -> None:
    for number in ("../../out", "a/b", ".incoming"):
        assert station.run("cases", "add", number).code == 0
        done = add(station, paper(tmp_path, PDF + number.encode()), case=number)
        assert done.code == 0, done.err
        kept = (station.evidence / done.json["path"]).resolve()
        assert kept.parent.parent == station.evidence.resolve() / "documents"
    assert verify_here(station) == []


def test_a_file_beyond_the_size_that_is_set_is_refused(station: Dock, tmp_path: Path) -> None:
    station.configure(ingest={"immutable": False}, documents={"largest_mib": 1})
    large = tmp_path / "large.pdf"
    with large.open("wb") as file:
        file.truncate((1 << 20) + 1)
    done = add(station, large)
    assert done.code == 2
    assert "1 MiB" in done.err
    large.write_bytes(b"%PDF-" + b"x" * ((1 << 20) - 5))
    assert add(station, large).code == 0


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("setup.exe", PDF, "no type of file"),
        ("no ending", PDF, "no type of file"),
        ("page.html", b"<html>", "no type of file"),
        ("决定书.pdf", b"<html>error 502</html>", "is called .pdf, and is none"),
        ("scan.jpg", PDF, "is called .jpg, and is none"),
        ("book.xlsx", b"name,number", "is called .xlsx, and is none"),
    ],
)
def test_what_is_no_document_by_its_name_or_its_first_bytes_is_refused(
    station: Dock, tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    done = add(station, paper(tmp_path, content, name))
    assert done.code == 2
    assert said in done.err
    assert station.sealed_files() == []


def test_an_office_says_itself_which_files_are_documents(station: Dock, tmp_path: Path) -> None:
    station.configure(ingest={"immutable": False}, documents={"types": ["dwg"]})
    assert add(station, paper(tmp_path)).code == 2
    assert add(station, paper(tmp_path, b"AC1027", "plan.DWG")).code == 0


def test_a_document_that_has_no_room_is_refused_before_anything_is_written(
    station: Dock, tmp_path: Path
) -> None:
    station.configure(ingest={"immutable": False, "reserve_mib": 1 << 40})
    done = add(station, paper(tmp_path))
    assert done.code == 3
    assert "too little room" in done.err
    tray = Tray(station.state)
    with pytest.raises(MissingPart), tray.receiving(len(PDF), 1 << 60):
        raise AssertionError("it is not received")
    assert station.sealed_files() == []
    assert left_in_incoming(station) == []
    assert tray.is_empty()
