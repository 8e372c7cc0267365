"""Art. 10 to 16 at the console: documents are handed in, seen and handed out by who may."""

import re
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from urllib.parse import quote

import httpx
import pytest

from recorder_sync.catalogue.documents import find
from recorder_sync.custody.log import Act, CustodyLog, Entry
from recorder_sync.ingest.documents import seal_handed_in
from recorder_sync.ingest.stopping import Stop
from recorder_sync.ingest.tray import Tray
from tests.conftest import Dock, MediaFiles
from tests.documents.handing_in import PDF
from tests.ingest.aftermath import until
from tests.inspection.furnished import verify_here
from tests.web import duties
from tests.web.papers import FIELDS, hand_in, id_in, in_tray, titles, token_of
from tests.web.served import Client, Service

SignedIn = Callable[[str], Client]
CASE_PAGE = f"/cases/{quote(duties.CASE)}"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, media_files: MediaFiles) -> Iterator[Service]:
    """A station whose one process serves the pages and seals; its stories share it."""
    folder = tmp_path_factory.mktemp("documents")
    served = Service(Dock(folder), "run")
    served.configure(
        ingest={"immutable": False},
        documents={"largest_mib": 1},
        paths={"runtime": str(folder / "run")},
        web={"enabled": True},
    )
    duties.make(served.dock, folder, media_files)
    duties.accounts(served.dock)
    why = ("--by", "王队", "--reason", "案号", "--case", duties.LATE_CASE)
    listed = served.dock.run("recordings", "list", "--officer", duties.ZHANG, "--json").json
    for one in listed["recordings"]:
        assert served.dock.run("recordings", "tag", one["id"], *why).code == 0
    with served:
        yield served


@pytest.fixture(scope="module")
def signed_in(service: Service) -> Iterator[SignedIn]:
    with ExitStack() as stack:

        @cache
        def client(name: str) -> Client:
            return stack.enter_context(service.signed_in(name))

        yield client


def entries(service: Service, *acts: Act) -> list[Entry]:
    return list(CustodyLog(service.dock.state / "custody", "test").entries_of(acts))


def test_a_document_is_handed_in_sealed_shown_and_handed_out(
    service: Service, signed_in: SignedIn
) -> None:
    client = signed_in("custodian")
    answer = hand_in(client, item="9.1")
    identifier = id_in(answer)
    page = client.get(answer.headers["location"]).text
    assert "The document is sealed: 行政处罚决定书" in page
    assert "冀石执罚〔2026〕17号" in page
    assert "1 document(s)" in page, "the checklist counts it"
    assert in_tray(service.dock) == []
    (sealed,) = [e for e in entries(service, Act.DOCUMENT) if e.deed.subject == identifier]
    assert sealed.deed.actor == "account:custodian"
    assert sealed.deed.facts["document"]["handed_in_by"] == "custodian"

    for _ in range(2):
        got = client.get(f"/documents/{identifier}/file")
        assert got.content == PDF
    assert got.headers["content-disposition"].startswith("attachment;")
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    looks = [e.deed for e in entries(service, Act.VIEW) if e.deed.subject == identifier]
    assert [(one.actor, one.facts) for one in looks] == [
        ("account:custodian", {"what": "document"})
    ], "once within ten minutes"

    again = hand_in(client, name="other name.pdf", title="另一个名字")
    assert id_in(again) == identifier
    assert "has this document already" in client.get(again.headers["location"]).text
    assert titles(service.dock).count("行政处罚决定书") == 1
    assert "另一个名字" not in titles(service.dock)
    assert client.get(f"/documents/{identifier}").headers["location"].endswith(f"#{identifier}")


def test_who_may_hand_in_read_and_not_even_know(service: Service, signed_in: SignedIn) -> None:
    team_leader = signed_in("chen")
    identifier = id_in(hand_in(team_leader, PDF + b"chen", title="现场检查笔录"))
    out_of_reach = id_in(hand_in(signed_in("custodian"), PDF + b"late", case=duties.LATE_CASE))
    before = len(entries(service, Act.DOCUMENT, Act.VIEW))
    for name in ("wang", "inspector", "admin"):
        assert hand_in(signed_in(name), PDF + name.encode()).status_code == 403, name
    assert hand_in(team_leader, PDF + b"x", case=duties.LATE_CASE).status_code == 404
    assert signed_in("admin").get(f"/documents/{identifier}/file").status_code == 403
    for name in ("chen", "wang"):
        client = signed_in(name)
        assert 'data-opens="hand-in"' in client.get(CASE_PAGE).text or name == "wang"
        for path in (f"/documents/{out_of_reach}", f"/documents/{out_of_reach}/file"):
            assert client.get(path).status_code == 404, (name, path)
    assert len(entries(service, Act.DOCUMENT, Act.VIEW)) == before, "nothing was seen or done"
    for name in ("wang", "inspector"):
        client = signed_in(name)
        page = client.get(CASE_PAGE).text
        assert "现场检查笔录" in page
        assert "hand-in" not in page
        assert client.get(f"/documents/{identifier}/file").content == PDF + b"chen"
    log = signed_in("chen").get(f"/custody?subject={out_of_reach}").text
    assert out_of_reach not in log.replace(f'value="{out_of_reach}"', "").replace(
        f"subject={out_of_reach}", ""
    )
    assert identifier in signed_in("inspector").get("/audit?what=documents").text
    assert service.dock.run("cases", "classify", duties.CASE, "state secret").code == 0
    try:
        for path in (CASE_PAGE, f"/documents/{identifier}", f"/documents/{identifier}/file"):
            assert signed_in("inspector").get(path).status_code == 404
    finally:
        assert service.dock.run("cases", "classify", duties.CASE, "none").code == 0


def test_nothing_is_kept_of_a_form_without_the_token_of_its_session(
    service: Service, signed_in: SignedIn
) -> None:
    client = signed_in("custodian")
    file = {"file": ("a.pdf", PDF + b"forged", "application/pdf")}
    for csrf in ({}, {"csrf": "made-up"}):
        answer = client.http.post("/case-documents", data={**csrf, **FIELDS}, files=file)
        assert answer.status_code == 403
        assert "This form is too old" in answer.text
    no_multipart = client.http.post("/case-documents", data={"csrf": token_of(client), **FIELDS})
    assert no_multipart.status_code == 400, "it has no file"
    forged = client.http.post("/case-documents", data={"csrf": "made-up", **FIELDS})
    assert forged.status_code == 403
    early = _multipart(("file", "a.pdf", PDF), ("csrf", None, token_of(client).encode()))
    answer = _sent(client, early)
    assert answer.status_code in (400, 403), "a file before the token is not even received"
    with service.signed_in("chen") as other:
        stolen = client.http.post(
            "/case-documents", data={"csrf": token_of(other), **FIELDS}, files=file
        )
        assert stolen.status_code == 403
    answer = client.http.post(
        "/case-documents",
        data={"csrf": token_of(client), **FIELDS},
        files=file,
        headers={"origin": "https://evil.example"},
    )
    assert answer.status_code == 403
    assert in_tray(service.dock) == []


def _multipart(*parts: tuple[str, str | None, bytes]) -> bytes:
    body = b""
    for name, file, content in parts:
        more = f'; filename="{file}"' if file else ""
        body += f'--b\r\ncontent-disposition: form-data; name="{name}"{more}\r\n\r\n'.encode()
        body += content + b"\r\n"
    return body + b"--b--\r\n"


def _sent(client: Client, form: bytes) -> httpx.Response:
    headers = {"content-type": "multipart/form-data; boundary=b"}
    return client.http.post("/case-documents", content=form, headers=headers)


@pytest.mark.parametrize(
    ("content", "name", "fields", "said"),
    [
        (b"%PDF-" + b"x" * (1 << 20), "a.pdf", {}, "at most|larger than"),
        (b"%PDF-" + b"x" * (3 << 20), "a.pdf", {}, "larger than"),
        (b"", "a.pdf", {}, "The file is empty"),
        (b"MZ", "setup.exe", {}, "no type of file"),
        (b"<html>", "a.pdf", {}, "is called .pdf, and is none"),
        (PDF + b"1", "a.pdf", {"title": " "}, "The title"),
        (PDF + b"2", "a.pdf", {"kind": "nonsense"}, "Choose a kind"),
        (PDF + b"3", "a.pdf", {"item": "99"}, "no item 99"),
        (PDF + b"4", "a.pdf", {"title": "x" * 20_000}, "too long"),
    ],
)
def test_what_will_not_do_is_refused_in_words_and_nothing_is_kept(
    service: Service,
    signed_in: SignedIn,
    content: bytes,
    name: str,
    fields: dict[str, str],
    said: str,
) -> None:
    answer = hand_in(signed_in("custodian"), content, name, **fields)
    assert answer.status_code == 400
    assert re.search(said, answer.text), answer.text
    assert in_tray(service.dock) == []


def test_no_file_and_no_case_are_answered(service: Service, signed_in: SignedIn) -> None:
    client = signed_in("custodian")
    assert hand_in(client, case="2099-1").status_code == 404
    fields = [(name, None, value.encode()) for name, value in FIELDS.items()]
    form = _multipart(("csrf", None, token_of(client).encode()), *fields)
    answer = _sent(client, form)
    assert (answer.status_code, "No file was chosen" in answer.text) == (400, True)
    assert in_tray(service.dock) == []


def test_an_upload_that_is_cut_off_in_the_middle_leaves_nothing(
    service: Service, signed_in: SignedIn
) -> None:
    client = signed_in("custodian")
    fields = [(name, None, value.encode()) for name, value in FIELDS.items()]
    body = _multipart(
        ("csrf", None, token_of(client).encode()), *fields, ("file", "a.pdf", PDF * 9)
    )
    cookie = f"session={client.http.cookies['session']}"
    head = (
        f"POST /case-documents HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\nCookie: {cookie}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n"
        f"Content-Length: {len(body) + 900_000}\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", service.port)) as line:
        line.sendall(head.encode() + body[: len(body) // 2])
        until(
            lambda: [n for n in in_tray(service.dock) if n.endswith(".part")], "it being received"
        )
    until(lambda: in_tray(service.dock) == [], "nothing being left")


def test_a_form_whose_end_is_missing_is_not_taken_for_whole(
    service: Service, signed_in: SignedIn
) -> None:
    client = signed_in("custodian")
    fields = [(name, None, value.encode()) for name, value in FIELDS.items()]
    form = _multipart(("csrf", None, token_of(client).encode()), *fields, ("file", "a.pdf", PDF))
    form = form[: -len(b"\r\n--b--\r\n") - 10]
    answer = _sent(client, form)
    assert (answer.status_code, "did not arrive as a whole" in answer.text) == (400, True)
    assert in_tray(service.dock) == []


def test_hostile_names_and_titles_are_shown_as_what_they_are(
    service: Service, signed_in: SignedIn
) -> None:
    client = signed_in("custodian")
    bad = "<script>alert(1)</script>'{{7*7}}"
    name = f"../../x/{bad}\u202e.pdf"
    identifier = id_in(hand_in(client, PDF + b"hostile", name, title=bad, number=bad))
    page = client.get(CASE_PAGE).text
    assert "<script>alert" not in page
    assert "{{7*7}}" in page
    got = client.get(f"/documents/{identifier}/file")
    assert "script" not in got.headers["content-disposition"].replace("_script_", "")
    assert [one for one in verify_here(service.dock) if "document" in one.path] == []


def test_a_file_that_was_changed_is_not_handed_out_as_a_whole(
    service: Service, signed_in: SignedIn, unlock: Callable[..., None]
) -> None:
    client = signed_in("custodian")
    identifier = id_in(hand_in(client, PDF + b"to be changed", title="将被改动"))
    station = service.dock.station()
    try:
        sealed = find(station.catalogue, identifier)
        assert sealed is not None
        path = station.evidence.absolute(sealed.path)
    finally:
        station.catalogue.close()
    whole = path.read_bytes()
    unlock(path)
    path.write_bytes(b"X" + whole[1:])
    try:
        with pytest.raises(Exception, match=r"peer closed|incomplete|disconnected"):
            client.get(f"/documents/{identifier}/file")
    finally:
        path.write_bytes(whole)
        path.chmod(0o440)


def test_art_16_a_recording_names_its_document_on_its_page(
    service: Service, signed_in: SignedIn
) -> None:
    document = id_in(hand_in(signed_in("custodian"), PDF + b"16", title="检查笔录"))
    other = id_in(hand_in(signed_in("custodian"), PDF + b"17", case=duties.LATE_CASE))
    recordings = service.dock.run("recordings", "list", "--case", duties.CASE, "--json").json
    page = f"/recordings/{recordings['recordings'][0]['id']}"
    officer = signed_in("wang")
    assert "检查笔录" in officer.get(page).text, "among those that can be chosen"
    assert officer.post(f"{page}/document", document=document).status_code == 303
    assert f'<a href="/documents/{document}">检查笔录</a>' in officer.get(page).text
    assert officer.post(f"{page}/document", document=other).status_code == 404, "out of reach"
    refused = signed_in("custodian").post(f"{page}/document", document=other)
    assert (refused.status_code, "of another case" in refused.text) == (400, True)
    assert signed_in("inspector").post(f"{page}/document", document="").status_code == 403
    assert f"/documents/{document}" in signed_in("inspector").get(page).text
    assert officer.post(f"{page}/document", document="").status_code == 303
    facts = [e.deed.facts for e in entries(service, Act.BELONGS_TO_DOCUMENT)]
    assert [one["document"] for one in facts] == [document, None]
    assert facts[0]["by"] == "wang"


def test_what_was_typed_wrong_is_corrected_with_a_reason_and_both_are_shown(
    service: Service, signed_in: SignedIn
) -> None:
    wrong = "<b>错</b>"
    identifier = id_in(hand_in(signed_in("custodian"), PDF + b"wrong", title=wrong, item="9.1"))
    address = f"/documents/{identifier}/correction"
    right = {"title": "更正后的决定书", "kind": "issued document", "number": "", "item": "7.1"}
    for name in ("wang", "inspector", "admin"):
        assert signed_in(name).post(address, **right, reason="x").status_code == 403, name
    team_leader = signed_in("chen")
    refused = team_leader.post(address, **right, reason=" ")
    assert (refused.status_code, "a reason" in refused.text) == (400, True)
    answer = team_leader.post(address, **right, reason="录入有误")
    assert answer.status_code == 303, answer.text
    assert answer.headers["location"].endswith(f"#{identifier}")
    page = signed_in("inspector").get(CASE_PAGE).text
    for shown in (
        "更正后的决定书",
        "&lt;b&gt;错&lt;/b&gt; → 更正后的决定书",
        "录入有误",
        "9.1 → 7.1",
    ):
        assert shown in page, shown
    assert "data-corrects" not in page
    assert f'data-corrects="{identifier}"' in team_leader.get(CASE_PAGE).text
    again = team_leader.post(address, **right, reason="录入有误")
    assert (again.status_code, "nothing to correct" in again.text) == (400, True)
    (entry,) = entries(service, Act.DOCUMENT_CORRECTED)
    assert (entry.deed.actor, entry.deed.facts["by"]) == ("account:chen", "chen")
    assert "→ 更正后的决定书" in signed_in("inspector").get("/audit?what=documents").text
    assert [one for one in verify_here(service.dock) if identifier in one.path] == []


def test_promise_3_what_waits_is_shown_and_sealed_by_the_next_start(
    dock: Dock,
) -> None:
    """Here the pages have a process of their own, which may not write evidence."""
    served = Service(dock)
    served.configure(ingest={"immutable": False})
    assert dock.run("cases", "add", duties.CASE).code == 0
    duties.accounts(dock)
    with served, served.signed_in("custodian") as client:
        identifier = id_in(hand_in(client))
        assert "being sealed" in client.get(CASE_PAGE).text
        assert len(in_tray(dock)) == 2
    state = dock.state / "handed-in"
    (state / "half.part").write_bytes(b"of a process that died")
    (state / "half.file").write_bytes(b"of a process that died")
    station = dock.station()
    try:
        tray = Tray(dock.state)
        tray.clear()
        (one,) = tray.waiting()
        assert one.id == identifier
        assert seal_handed_in(station, tray, one, Stop())
        assert seal_handed_in(station, tray, one, Stop()), "it is sealed already"
    finally:
        station.catalogue.close()
    assert in_tray(dock) == []
    assert titles(dock) == ["行政处罚决定书"]
    assert verify_here(dock) == []
