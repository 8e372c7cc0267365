"""Recordings in the console: found, looked at, marked, handed out; and each look on record."""

import io
import json
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from recorder_sync.custody.log import CustodyLog
from recorder_sync.previews.folder import Form, PreviewFolder, Wanted
from tests.conftest import Dock, MediaFiles
from tests.web.evidence import HOSTILE, PLAYED, furnish
from tests.web.served import Client, Service

NAME = PLAYED.rpartition("/")[2]


@dataclass(frozen=True)
class Office:
    service: Service
    ids: dict[str, str]
    stack: ExitStack
    clients: dict[str, Client]

    def client(self, name: str) -> Client:
        """Return somebody signed in, once for all tests: who signs in often is slowed down."""
        if name not in self.clients:
            self.clients[name] = self.stack.enter_context(self.service.signed_in(name))
        return self.clients[name]

    @property
    def played(self) -> str:
        return self.ids[NAME]

    def on_record(self, act: str) -> list[tuple[str, str, Any]]:
        """Return subject, actor and facts of every such entry."""
        log = CustodyLog(self.service.dock.state / "custody", "test")
        return [
            (entry.deed.subject, entry.deed.actor, entry.deed.facts)
            for entry in log.entries()
            if entry.deed.act == act
        ]

    def looks(self, what: str) -> int:
        return sum(facts.get("what") == what for _, _, facts in self.on_record("view"))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, media_files: MediaFiles) -> Iterator[Office]:
    folder = tmp_path_factory.mktemp("office")
    dock = Dock(folder)
    service = Service(dock)
    service.configure(ingest={"reserve_mib": 0, "immutable": False}, previews={"enabled": False})
    ids = furnish(dock, folder, media_files)
    made = PreviewFolder(dock.state, 1 << 20)
    for one in ids.values():
        made.put(Wanted(one, Form.TRACK), [b'{"points":[[0,38.0,114.5]],"cut":false}'])
    with service, ExitStack() as stack:
        service.account("keeper", "custodian")
        service.account("fang", "officer", "--officer", "000001")
        service.account("ming", "officer", "--officer", "000002")
        service.account("lead", "team leader", "--unit", "一中队")
        service.account("admin", "administrator")
        service.account("judge", "inspector")
        yield Office(service, ids, stack, {})


@pytest.fixture
def keeper(office: Office) -> Client:
    return office.client("keeper")


def test_art_25_recordings_are_found_by_every_field(office: Office, keeper: Client) -> None:
    def found(query: str) -> set[str]:
        page = keeper.get(f"/recordings?{query}")
        assert page.status_code == 200, page.text
        return set(re.findall(r'data-to="/recordings/([2-7a-z]{13})"', page.text))

    everything = set(office.ids.values())
    assert found("") == everything
    others = {office.ids["DCAM_CAM002_000002_20261123_093000.mp4"]}
    for query in (
        *("device=CAM002", "officer=李明", "officer=000002", "q=李明", "q=CAM002"),
        "without_case=yes",
    ):
        assert found(query) == others, query
    for query in ("party=李四", "cause=占道", "case=冀石执〔2026〕7号", "q=占道 李四", "q=餐饮"):
        assert found(query) == everything - others, query
    assert found(f"name={NAME}") == {office.played}
    assert found("kind=photo") == {office.ids["DCAM_CAM001_000001_20261123_110000.jpg"]}
    assert found("since=2026-11-24") == set()
    assert found("stage=start") == found("item=7.3") == found("secrecy=state+secret") == set()
    assert keeper.get("/recordings?kind=nothing").status_code == 400
    assert keeper.get("/recordings?since=yesterday").status_code == 400


def test_searches_are_saved_under_a_name_of_ones_own(office: Office, keeper: Client) -> None:
    form = "/recordings?device=CAM002"
    saved = keeper.post("/recordings/saved", form, name="李明的", query="device=CAM002&evil=1")
    assert saved.headers["location"] == form
    assert 'href="/recordings?device=CAM002"' in keeper.get("/recordings").text
    assert "李明的" not in office.client("lead").get("/recordings").text
    keeper.post("/recordings/saved/forget", "/recordings", name="李明的")
    assert "李明的" not in keeper.get("/recordings").text


@pytest.mark.parametrize(
    ("who", "of_cam001", "of_cam002"),
    [("fang", 200, 404), ("ming", 404, 200), ("lead", 200, 404), ("admin", 403, 403),
     ("judge", 200, 200)],
)  # fmt: skip
def test_art_21_nobody_sees_what_is_not_theirs(
    office: Office, who: str, of_cam001: int, of_cam002: int
) -> None:
    """Directly by its address, too; what is not theirs is not there."""
    of_two = office.ids["DCAM_CAM002_000002_20261123_093000.mp4"]
    client = office.client(who)
    for one, expected in ((office.played, of_cam001), (of_two, of_cam002)):
        for what in ("", "/media", "/thumbnail", "/preview", "/check", "/track"):
            code = client.get(f"/recordings/{one}{what}").status_code
            # There are no pictures here: where one may look, there is none.
            assert code == (404 if what in ("/thumbnail", "/preview") and expected == 200
                            else expected), what  # fmt: skip
        if expected != 403:
            assert (one in client.get("/recordings").text) is (expected == 200)
            asked = f"thumbnails={one}&preview={one}&track={one}"
            pictures = client.get(f"/recordings-being-made?{asked}")
            assert ("preview" in pictures.json()) is (expected == 200)
            assert ("track" in pictures.json()) is (expected == 200)
            assert (one in pictures.text) is (expected == 200)
        if expected == 404:
            for path in ("tags", "marks", "bookmarks", "check", "marked-preview"):
                fields = {"second": "1", "kind": "scene", "reason": "x"}
                answer = client.post(f"/recordings/{one}/{path}", "/recordings", **fields)
                assert answer.status_code in (403, 404), path
            copied = client.post("/recordings-copy", "/recordings", ids=one, reason="x")
            assert copied.status_code in (403, 404)


def test_art_25_secrecy_narrows_who_sees_it(office: Office) -> None:
    secret = office.ids["DCAM_CAM001_000001_20261123_120000.wav"]
    path = f"/recordings/{secret}"
    owner, keeper = office.client("fang"), office.client("keeper")
    assert keeper.get(path).status_code == 200
    marked = owner.post(f"{path}/marks", path, secrecy="personal privacy", reason="询问笔录")
    assert marked.headers["location"] == "/recordings", "and nobody sees it who is not cleared"
    for client in (owner, keeper):
        assert client.get(path).status_code == 404
        assert secret not in client.get("/recordings").text
    office.service.dock.run("recordings", "mark", secret, "--secrecy", "none", "--reason", "误标")


def test_each_look_is_on_record_once_before_the_first_byte(office: Office, keeper: Client) -> None:
    before = {what: office.looks(what) for what in ("description", "recording", "positions")}
    path = f"/recordings/{office.played}"
    keeper.get("/recordings")
    assert office.looks("description") == before["description"], "a search is no look"
    keeper.get(path)
    assert office.looks("recording") == before["recording"], "nor is the page one at the film"
    for _ in range(3):
        assert keeper.get(f"{path}/media", headers={"range": "bytes=0-99"}).status_code == 206
    assert office.looks("description") == before["description"] + 1
    assert office.looks("recording") == before["recording"] + 1
    assert office.on_record("view")[-1][:2] == (office.played, "account:keeper")
    for _ in range(2):
        assert "<svg" in keeper.get(f"{path}/track").text
    assert office.looks("positions") == before["positions"] + 1
    with office.service.signed_in("keeper") as again:
        again.get(f"{path}/media", headers={"range": "bytes=0-99"})
    assert office.looks("recording") == before["recording"] + 2, "another session is another look"


def test_the_sealed_bytes_are_sent_whole_and_in_ranges(office: Office, keeper: Client) -> None:
    path = f"/recordings/{office.played}/media"
    (file,) = (f for f in office.service.dock.sealed_files() if office.played in f.name)
    sealed = file.read_bytes()
    size = len(sealed)
    whole = keeper.get(path)
    assert (whole.status_code, whole.content) == (200, sealed)
    etag = whole.headers["etag"]
    head = keeper.http.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert (head.headers["content-length"], head.headers["etag"]) == (str(size), etag)
    for asked, first, last in (
        ("bytes=0-0", 0, 0),
        ("bytes=5-", 5, size - 1),
        ("bytes=-7", size - 7, size - 1),
        (f"bytes=10-{size * 9}", 10, size - 1),
        (f"bytes=-{size * 9}", 0, size - 1),
    ):
        part = keeper.get(path, headers={"range": asked})
        assert part.status_code == 206, asked
        assert part.content == sealed[first : last + 1], asked
        assert part.headers["content-range"] == f"bytes {first}-{last}/{size}"
    for beyond in (f"bytes={size}-", "bytes=-0", "bytes=99999999999999999-"):
        refused = keeper.get(path, headers={"range": beyond})
        assert (refused.status_code, refused.headers["content-range"]) == (416, f"bytes */{size}")
    many = ",".join(f"{n}-{n}" for n in range(1000))
    for ignored in (f"bytes={many}", "bytes=9-5", "bytes=a-b", "lines=1-2", "bytes=-" + "9" * 30):
        answer = keeper.get(path, headers={"range": ignored})
        assert (answer.status_code, len(answer.content)) == (200, size), ignored[:40]
    for version, code in ((etag, 206), ('"other"', 200), (f"W/{etag}", 200)):
        headers = {"range": "bytes=0-9", "if-range": version}
        assert keeper.get(path, headers=headers).status_code == code, version
    assert keeper.get(path, headers={"if-none-match": etag}).status_code == 304


def test_promise_8_a_hostile_card_is_shown_as_text(office: Office, keeper: Client) -> None:
    page = keeper.get("/recordings").text + keeper.get(f"/recordings/{office.ids[HOSTILE]}").text
    assert "<img src=x" not in page
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(2)" in page, "what the file says of itself is shown as text"
    assert "{{7*7}}" in page, "and is no template"
    disguised = keeper.get(f"/recordings/{office.ids['page.mp4']}/media")
    assert disguised.headers["content-type"] == "application/octet-stream"
    assert disguised.headers["content-disposition"].startswith("attachment")
    for one in office.ids.values():
        headers = keeper.get(f"/recordings/{one}/media").headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in headers["content-security-policy"]
        assert not headers["content-type"].startswith(("text/", "image/svg"))
        assert "\n" not in headers["content-disposition"]


@pytest.mark.parametrize(
    "path",
    [
        "..%2f..%2fstate%2fcatalogue.db",
        "%2e%2e%2f%2e%2e",
        "%2e%2e",
        "a%00b",
        "%2fetc%2fpasswd",
        "'",
    ],
)
def test_no_path_leads_out_of_the_evidence(keeper: Client, path: str) -> None:
    for what in ("", "/media", "/thumbnail", "/preview", "/check"):
        assert keeper.get(f"/recordings/{path}{what}").status_code in (404, 303, 307)


def test_a_file_that_became_a_link_is_not_followed(office: Office, keeper: Client) -> None:
    other = office.ids["DCAM_CAM001_000001_20261123_100030.mp4"]
    (file,) = (f for f in office.service.dock.sealed_files() if other in f.name)
    kept = file.with_name("kept")
    file.rename(kept)
    try:
        file.symlink_to("/etc/passwd")
        answer = keeper.get(f"/recordings/{other}/media")
        assert answer.status_code == 503
        assert "root:" not in answer.text
    finally:
        file.unlink()
        kept.rename(file)


def test_tags_are_corrected_with_a_reason_and_a_name(office: Office, keeper: Client) -> None:
    path = f"/recordings/{office.ids['DCAM_CAM001_000001_20261123_110000.jpg']}"
    same = {"device": "CAM001", "officer": "000001"}
    assert keeper.post(f"{path}/tags", path, **same, case="2026-9").status_code == 400
    assert keeper.post(f"{path}/tags", path, **same, case="2026-9", reason="错案").is_redirect
    subject, actor, facts = office.on_record("tag")[-1]
    assert (subject, actor, facts["by"]) == (path.rpartition("/")[2], "account:keeper", "keeper")
    assert facts["after"]["device"] == facts["before"]["device"]
    assert facts["after"]["case"] == "2026-9"
    assert "错案" in keeper.get(path).text
    without_token = keeper.http.post(f"{path}/tags", data={"case": "1", "reason": "x"})
    assert without_token.status_code == 403


def test_marks_and_bookmarks_are_set_and_taken_back(office: Office, keeper: Client) -> None:
    path = f"/recordings/{office.played}"
    marked = keeper.post(
        *(f"{path}/marks", path),
        important="yes",
        notified="yes",
        notified_second="1.5",
        item="7.3",
        secrecy="none",
    )
    assert marked.is_redirect, marked.text
    after = office.on_record("mark")[-1][2]["after"]
    assert after == {
        "important": True,
        "notified": {"by": "keeper", "second": 1.5},
        "stage": "investigation",
        "item": "7.3",
        "secrecy": "none",
    }
    assert "现场检查" in keeper.get(path).text or "On-site inspection" in keeper.get(path).text
    refused = keeper.post(f"{path}/marks", path, secrecy="none", important="yes")
    assert refused.status_code == 400, "what is left out is taken back, with a reason only"
    keeper.post(f"{path}/bookmarks", path, second="2.25", kind="scene", note="<b>门口</b>")
    (subject, _, facts) = office.on_record("bookmark")[-1]
    assert (subject, facts["second"], facts["who"]) == (office.played, 2.25, "keeper")
    page = keeper.get(path).text
    assert "&lt;b&gt;门口" in page
    number = re.search(rf"{path}/bookmarks/(\d+)/withdraw", page)
    assert number is not None
    withdraw = f"{path}/bookmarks/{number[1]}/withdraw"
    assert keeper.post(withdraw, path).status_code == 400
    assert keeper.post(withdraw, path, reason="看错").is_redirect
    assert "门口" not in keeper.get(path).text.partition('id="history"')[0]


def test_a_copy_is_on_record_first_and_stands_by_itself(
    office: Office, keeper: Client, tmp_path: Path
) -> None:
    form = f"/recordings/{office.played}"
    assert keeper.post("/recordings-copy", form, ids=office.played).status_code == 400
    copied = keeper.post("/recordings-copy", form, ids=office.played, reason="移送法院")
    assert copied.headers["content-type"] == "application/zip"
    assert copied.headers["content-disposition"].startswith("attachment")
    subject, actor, facts = office.on_record("export")[-1]
    assert (subject, actor, facts["reason"]) == (office.played, "account:keeper", "移送法院")
    assert office.on_record("export-failed") == []
    with zipfile.ZipFile(io.BytesIO(copied.content)) as archive:
        archive.extractall(tmp_path)
    assert (
        subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, check=False).returncode == 0
    )
    key = (office.service.dock.state / "custody" / "verifier-key").read_text("utf-8").strip()
    checked = subprocess.run(
        [sys.executable, tmp_path / "verify_evidence.py", "export", tmp_path, "--verifier", key],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    (custody,) = tmp_path.glob("*.custody.jsonl")
    acts = [json.loads(line)["act"] for line in custody.read_text("utf-8").splitlines()]
    assert acts[0] == "seal"
    assert acts[-1] == "export"


def test_several_copies_are_each_on_record_before_the_first_byte(
    office: Office, keeper: Client
) -> None:
    """The form of the list, as a browser sends it without any script."""
    listed = keeper.get("/recordings").text
    offered = re.findall(r'type="checkbox" name="ids" value="(\w+)" form="copy"', listed)
    assert set(offered) == set(office.ids.values())
    chosen = [office.played, office.ids["DCAM_CAM002_000002_20261123_093000.mp4"]]
    token = re.search(r'id="copy".*?name="csrf" value="([^"]+)"', listed, re.DOTALL)
    assert token is not None
    form = {"csrf": token[1], "ids": [*chosen, chosen[0]], "reason": "案卷移送"}
    before = len(office.on_record("export"))
    with keeper.http.stream("POST", "/recordings-copy", data=form) as answer:
        assert answer.status_code == 200
        entered = office.on_record("export")[before:]
        assert [subject for subject, _, _ in entered] == chosen, "while nothing is read yet"
        assert {(actor, facts["reason"]) for _, actor, facts in entered} == {
            ("account:keeper", "案卷移送")
        }
        content = answer.read()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
    assert all(sum(f"_{one}_" in name for name in names) == 4 for one in chosen), names
    nothing = keeper.post("/recordings-copy", "/recordings", reason="x")
    assert nothing.status_code == 400
    assert "No recording is chosen" in nothing.text


def test_a_copy_of_several_is_made_of_all_or_of_none(office: Office) -> None:
    leader = office.client("lead")
    of_two = office.ids["DCAM_CAM002_000002_20261123_093000.mp4"]
    before = len(office.on_record("export"))
    token = re.search(r'name="csrf" value="([^"]+)"', leader.get("/recordings").text)
    assert token is not None
    form = {"csrf": token[1], "ids": [office.played, of_two], "reason": "x"}
    assert leader.http.post("/recordings-copy", data=form).status_code == 404
    assert len(office.on_record("export")) == before


def test_a_copy_of_what_was_changed_breaks_off_and_is_taken_back(
    office: Office, keeper: Client
) -> None:
    other = office.ids["DCAM_CAM001_000001_20261123_100030.mp4"]
    (file,) = (f for f in office.service.dock.sealed_files() if other in f.name)
    sealed = file.read_bytes()
    file.chmod(0o640)
    file.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    try:
        with pytest.raises(Exception, match=r"peer closed|incomplete"):
            keeper.post("/recordings-copy", f"/recordings/{other}", ids=other, reason="x")
        assert office.on_record("export-failed")[-1][0] == other
    finally:
        file.write_bytes(sealed)
        file.chmod(0o440)


def test_roles_without_the_duty_hand_nothing_out(office: Office) -> None:
    officer, inspector = office.client("fang"), office.client("judge")
    form = f"/recordings/{office.played}"
    copied = officer.post("/recordings-copy", form, ids=office.played, reason="x")
    assert copied.status_code == 403
    for page in (form, "/recordings"):
        assert "/recordings-copy" not in officer.get(page).text
        assert 'name="ids"' not in officer.get(page).text
    assert officer.post(f"{form}/check", form).status_code == 403
    set_by_inspector = inspector.post(f"{form}/bookmarks", form, second="1", kind="scene")
    assert set_by_inspector.status_code == 403


def test_a_check_re_reads_the_file_and_says_what_is_wrong(office: Office, keeper: Client) -> None:
    other = office.ids["DCAM_CAM001_000001_20261123_100030.mp4"]
    path = f"/recordings/{other}"
    (file,) = (f for f in office.service.dock.sealed_files() if other in f.name)
    sealed = file.read_bytes()

    def checked() -> str:
        assert keeper.post(f"{path}/check", path).is_redirect
        deadline = time.monotonic() + 30
        while keeper.get(f"{path}/check").json()["state"] != "over":
            assert time.monotonic() < deadline
        return keeper.get(path).text

    assert "it is as it was sealed" in checked()
    assert office.on_record("verification")[-1][2]["verified"] == [other]
    file.chmod(0o640)
    file.write_bytes(sealed[:-1] + bytes([sealed[-1] ^ 1]))
    file.chmod(0o440)
    try:
        assert "its content is not what was sealed" in checked()
        (finding,) = office.on_record("verification")[-1][2]["findings"]
        assert (finding["kind"], finding["recording"]) == ("changed", other)
        assert office.service.dock.run("alerts", "list").code == 1, "and it is an alert"
    finally:
        file.chmod(0o640)
        file.write_bytes(sealed)
        file.chmod(0o440)


def test_art_25_a_recording_is_held_and_released_with_a_reason(
    office: Office, keeper: Client
) -> None:
    held = office.played
    path, form = f"/holds/recordings/{held}", f"/recordings/{held}"
    assert keeper.post(path, form, do="hold").status_code == 400, "not without a reason"
    done = keeper.post(path, form, do="hold", reason="行政诉讼<b>")
    assert done.headers["location"] == f"{form}#hold"
    subject, actor, facts = office.on_record("legal-hold")[-1]
    assert (subject, actor, facts) == (
        held, "account:keeper", {"by": "keeper", "reason": "行政诉讼<b>"},
    )  # fmt: skip
    assert "行政诉讼&lt;b&gt;" in history(keeper.get(form).text)
    assert shown_in(keeper.get("/recordings?held=yes").text) == {held}
    listed = office.service.dock.run("recordings", "list", "--held", "--json").json["recordings"]
    assert [one["id"] for one in listed] == [held]
    assert f'href="{form}"' in keeper.get("/holds").text
    keeper.post(path, form, do="release", reason="撤诉")
    assert "撤诉" in history(keeper.get(form).text)
    assert office.on_record("legal-hold-released")[-1][:2] == (held, "account:keeper")
    assert f'href="{form}"' not in keeper.get("/holds").text
    assert keeper.post(path, form, do="release", reason="again").status_code == 400


def shown_in(page: str) -> set[str]:
    return set(re.findall(r'data-to="/recordings/([2-7a-z]{13})"', page))


def history(page: str) -> str:
    return page.partition('id="history"')[2].partition("</section>")[0]


def test_art_25_a_case_is_held_with_all_of_its_recordings(office: Office, keeper: Client) -> None:
    number = "冀石执〔2026〕7号"
    path, form = f"/holds/cases/{number}", f"/cases/{number}"
    leader = office.client("lead")
    assert leader.post(path, form, do="hold", reason="复议").status_code == 303
    assert "复议" in keeper.get(form).text
    assert "复议" in history(keeper.get(f"/recordings/{office.played}").text)
    of_case = shown_in(keeper.get(f"/recordings?case={number}").text)
    assert office.played in of_case
    assert shown_in(keeper.get("/recordings?held=yes").text) == of_case
    assert f"{len(of_case)} sealed" in keeper.get("/holds").text
    by_itself = f"/holds/recordings/{office.played}"
    alone = keeper.post(by_itself, f"/recordings/{office.played}", do="release", reason="x")
    assert alone.status_code == 400, "what is held with its case is released with it"
    assert leader.post(path, form, do="release", reason="x").status_code == 403
    assert keeper.post(path, form, do="release", reason="复议结束").status_code == 303
    assert "复议结束" in keeper.get(form).text
    assert shown_in(keeper.get("/recordings?held=yes").text) == set()


def test_holds_are_for_those_who_answer_for_the_evidence(office: Office, keeper: Client) -> None:
    of_two = office.ids["DCAM_CAM002_000002_20261123_093000.mp4"]
    path = f"/holds/recordings/{of_two}"
    for who, code in (("ming", 403), ("judge", 403), ("admin", 403), ("lead", 404)):
        form = "/my-account"
        assert office.client(who).post(path, form, do="hold", reason="x").status_code == code, who
    keeper.post(path, f"/recordings/{of_two}", do="hold", reason="举报调查")
    assert "举报调查" in office.client("ming").get("/holds").text
    for who in ("fang", "lead"):
        page = office.client(who).get("/holds").text
        assert "举报调查" not in page
        assert of_two not in page, "what is out of sight is in no list"
    assert office.client("admin").get("/holds").status_code == 403
    keeper.post(path, f"/recordings/{of_two}", do="release", reason="结案")
