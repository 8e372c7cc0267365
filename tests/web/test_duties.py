"""What people do on the pages of duties goes on record; who may not, sees and changes nothing."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from urllib.parse import quote

import pytest

from recorder_sync.access.accounts import Account, add
from recorder_sync.access.database import open_accounts
from recorder_sync.access.sessions import Limits, begin, resume
from recorder_sync.catalogue import alerts, deferrals
from recorder_sync.custody.log import Act, CustodyLog, Entry
from recorder_sync.model import AlertKind
from recorder_sync.rules.access import Role
from tests.conftest import Dock, MediaFiles
from tests.ingest.aftermath import until
from tests.web import duties
from tests.web.served import Client, Service


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, media_files: MediaFiles) -> Iterator[Service]:
    """One station for all stories of this module; each is about something of its own."""
    folder = tmp_path_factory.mktemp("duties")
    served = Service(Dock(folder))
    served.configure(stores=duties.STORES, ingest={"immutable": False})  # type: ignore[arg-type]
    duties.make(served.dock, folder, media_files)
    duties.accounts(served.dock)
    with served:
        yield served


SignedIn = Callable[[str], Client]


@pytest.fixture(scope="module")
def signed_in(service: Service) -> Iterator[SignedIn]:
    """Return who is signed in under a name; each signs in once."""
    with ExitStack() as stack:

        @cache
        def client(name: str) -> Client:
            return stack.enter_context(service.signed_in(name))

        yield client


def entries(service: Service, act: Act) -> list[Entry]:
    return list(CustodyLog(service.dock.state / "custody", "test").entries_of([act]))


def number_of(service: Service, kind: AlertKind) -> int:
    station = service.dock.station()
    try:
        return next(one.number for one in alerts.newest(station.catalogue, 100) if one.kind is kind)
    finally:
        station.catalogue.close()


def gap_of(service: Service, device: str) -> str:
    found = service.dock.run("gaps", "list", "--all", "--device", device, "--json").json["gaps"]
    return str(found[0]["after"])


def test_an_alert_is_taken_in_hand_and_resolved_with_a_reason(
    service: Service, signed_in: SignedIn
) -> None:
    number = number_of(service, AlertKind.DEVICE_OVERDUE)
    client = signed_in("custodian")
    page = client.get(f"/alerts/{number}").text
    assert "王芳" in page, "who was told by which channel"
    assert "wecom" in page
    assert client.post(f"/alerts/{number}", do="resolve", note=" ").status_code == 400
    assert client.post(f"/alerts/{number}", do="acknowledge", note="已致电").status_code == 303
    assert "已致电" in client.get(f"/alerts/{number}").text
    client.post(f"/alerts/{number}", do="resolve", note="已送回")
    assert client.post(f"/alerts/{number}", do="resolve", note="again").status_code == 400
    last = entries(service, Act.ALERT_RESOLVED)[-1].deed
    assert (last.actor, last.facts["who"], last.facts["note"]) == (
        *("account:custodian", "custodian"),
        "已送回",
    )


def test_several_alerts_are_handled_at_once(service: Service, signed_in: SignedIn) -> None:
    kinds = AlertKind.DEVICE_HELD, AlertKind.STORE_STOPPED
    numbers = [str(number_of(service, kind)) for kind in kinds]
    client = signed_in("custodian")
    fields = {"number": numbers, "do": "acknowledge", "note": ""}
    done = client.post("/alerts?severity=warning", **fields)  # type: ignore[arg-type]
    assert done.headers["location"] == "/alerts?severity=warning"
    listed = client.get("/alerts?state=acknowledged").text
    assert all(f"/alerts/{number}" in listed for number in numbers)
    assert client.post("/alerts", do="resolve", note="x").status_code == 400, "none is chosen"


def test_alerts_come_page_by_page_the_worst_first(service: Service) -> None:
    from recorder_sync.catalogue.alert_search import AlertSearch, page
    from recorder_sync.rules.access import Reach, Scope

    station = service.dock.station()
    try:
        everything = Scope(Reach.ALL)
        whole = page(station.catalogue, AlertSearch(), everything).found
        found, after = [], None
        while True:
            some = page(station.catalogue, AlertSearch(limit=2, after=after), everything)
            found += some.found
            if (after := some.next) is None:
                break
    finally:
        station.catalogue.close()
    assert [one.number for one in found] == [one.number for one in whole]
    assert len(whole) > 3
    ranks = [one.severity.rank for one in whole]
    assert ranks == sorted(ranks, reverse=True)


def test_art_20_a_gap_is_explained_by_two_different_officers(
    service: Service, signed_in: SignedIn
) -> None:
    gap = gap_of(service, "CAM001")
    client = signed_in("chen")
    before = len(entries(service, Act.GAP_EXPLAINED))
    for wrong in (
        {"how": "voice", "at": "9:59"},
        {"how": "voice", "at": "soon"},
        {"how": "writing", "officer": duties.WANG, "text": "暴雨"},
        {"how": "writing", "officer": [duties.WANG, duties.WANG], "text": "暴雨"},
        {"how": "writing", "officer": [duties.WANG, "999999"], "text": "暴雨"},
    ):
        assert client.post(f"/gaps/{gap}", **wrong).status_code == 400, wrong
    assert len(entries(service, Act.GAP_EXPLAINED)) == before
    signed = {"how": "writing", "officer": [duties.WANG, duties.LI], "text": "暴雨，设备进水"}
    assert client.post(f"/gaps/{gap}", **signed).status_code == 303  # type: ignore[arg-type]
    page = client.get(f"/gaps/{gap}").text
    assert "暴雨，设备进水" in page
    assert "explained as Art. 20 asks" in page
    assert entries(service, Act.GAP_EXPLAINED)[-1].deed.actor == "account:chen"


def test_art_20_a_gap_is_explained_by_voice_at_minute_and_second(
    service: Service, signed_in: SignedIn
) -> None:
    gap = gap_of(service, "CAM031")
    client = signed_in("custodian")
    assert client.post(f"/gaps/{gap}", how="voice", at="0:01").status_code == 303
    assert "At 0:00:01 of the recording" in client.get(f"/gaps/{gap}").text


def test_art_21_a_deferral_is_approved_by_somebody_else(
    service: Service, signed_in: SignedIn
) -> None:
    asked = {
        "reason": "remote",
        "begins": "2026-11-23T08:00",
        "expected": "2026-11-25T20:00",
        "note": "偏远山区",
    }
    client = signed_in("wang")
    refused = client.post("/deferrals", officer=duties.ZHANG, **asked)
    assert refused.status_code == 400, "for somebody else"
    assert client.post("/deferrals", officer=duties.WANG, **asked).status_code == 303
    client = signed_in("chen")
    own = client.post("/deferrals", officer=duties.LI, **{**asked, "reason": "continuous"})
    assert own.status_code == 303
    station = service.dock.station()
    found = {one.entered_by: one.deferral.id for one in deferrals.recorded(station.catalogue)}
    station.catalogue.close()
    assert client.post(f"/deferrals/{found['chen']}/approve").status_code == 400, "own"
    assert client.post(f"/deferrals/{found['wang']}/approve").status_code == 303
    assert client.post(f"/deferrals/{found['wang']}/approve").status_code == 400, "again"
    back = client.post(f"/deferrals/{found['wang']}/return", at="2026-11-23T17:30")
    assert back.status_code == 303
    last = [one.deed for one in entries(service, Act.DEFERRAL)][-2:]
    assert [(deed.facts["what"], deed.actor) for deed in last] == [
        ("approved", "account:chen"),
        ("returned", "account:chen"),
    ]
    assert last[-1].facts["returned_at"] == "2026-11-23T09:30:00.000Z"


def test_a_team_leader_sees_only_the_unit(service: Service, signed_in: SignedIn) -> None:
    other = gap_of(service, "CAM031")
    client = signed_in("chen")
    for path in ("/", "/alerts", "/deadlines", "/deferrals", "/gaps?all=true", "/calendar"):
        page = client.get(path).text
        assert "CAM031" not in page, path
        assert "张伟" not in page, path
    assert "李明" in client.get("/deadlines").text
    assert client.get(f"/gaps/{other}").status_code == 404
    assert client.post(f"/gaps/{other}", how="voice", at="0:01").status_code == 404
    assert client.get("/calendar?entry=" + quote("班次-2")).status_code == 404
    assert client.get(f"/custody/proof/{other}").status_code == 404
    assert other not in client.get("/custody").text
    asked = client.get(f"/custody?subject={other}").text
    assert '<td class="number">' not in asked, "nor by asking for it"
    docked = client.get("/dockings").text
    assert "CAM001" in docked
    assert "CAM031" not in docked
    client = signed_in("custodian")
    assert "张伟" in client.get("/gaps?all=true").text


def test_an_officer_sees_what_is_theirs(service: Service, signed_in: SignedIn) -> None:
    client = signed_in("wang")
    assert client.get("/alerts").status_code == 403
    assert client.get("/stores").status_code == 403
    page = client.get("/deadlines").text
    assert "李明" not in page
    assert "检查-2" in page
    assert "2 deferral" not in client.get("/").text
    assert "李明" not in client.get("/deferrals").text


CHANGES = (
    *("/alerts", "/alerts/1", "/alerts/1/explain", "/deferrals", "/deferrals/x/approve"),
    *("/deferrals/x/return", "/gaps/x", "/calendar/import", "/calendar/explain"),
    *("/stores/nas", "/cases", "/cases/import", "/cases/x"),
)


def test_art_30_an_inspector_changes_nothing(service: Service, signed_in: SignedIn) -> None:
    client = signed_in("inspector")
    for path in ("/alerts", "/deferrals", "/stores", "/cases", "/calendar", "/custody"):
        page = client.get(path)
        assert page.status_code == 200
        posts = page.text.count('method="post"')
        known = page.text.count("/language") + page.text.count("/sign-out")
        assert posts - known == (path == "/custody"), path
    size = CustodyLog(service.dock.state / "custody", "test").size()
    for path in CHANGES:
        assert client.post(path, do="resolve", note="x").status_code == 403, path
    assert CustodyLog(service.dock.state / "custody", "test").size() == size


def test_an_administrator_sees_no_evidence(service: Service, signed_in: SignedIn) -> None:
    client = signed_in("admin")
    assert client.get("/cases").status_code == 403
    assert client.get("/gaps").status_code == 403
    gap = gap_of(service, "CAM001")
    assert client.get(f"/custody/proof/{gap}").status_code == 404
    assert gap not in client.get("/custody").text
    assert duties.CASE not in client.get("/custody").text
    docked = re.findall(r'href="(/dockings/2[^"]+)"', client.get("/dockings").text)
    assert len(docked) == 3
    for path in docked:
        page = client.get(path).text
        assert "readme.txt" not in page
        assert "DCAM_" not in page


def test_a_calendar_is_entered_whole_or_with_every_problem_named(
    service: Service, signed_in: SignedIn
) -> None:
    head = "id,kind,begins,ends,officer,device,case,in_full\n"
    bad = f"{head}A1,enforcement,2026-11-23 9:00,2026-11-23 8:00,000001,,,\nA2,walk,,,,,,\n"
    good = f"{head}A1,enforcement,2026-11-26 9:00,2026-11-26 10:00,000001,,,yes\n"
    client = signed_in("custodian")
    token = client.get("/calendar").text.partition('name="csrf" value="')[2].partition('"')[0]

    def import_(text: str) -> int:
        files = {"file": ("勤务.csv", text.encode("gb18030"), "text/csv")}
        answer = client.http.post("/calendar/import", data={"csrf": token}, files=files)
        said.append(answer.text)
        return answer.status_code

    said: list[str] = []
    before = len(entries(service, Act.CALENDAR))
    assert import_(bad) == 400
    assert "line 2: It ends before it begins." in said[-1]
    assert "walk is neither enforcement nor shift" in said[-1]
    assert len(entries(service, Act.CALENDAR)) == before
    assert import_(good) == 303
    assert "A1" in client.get("/calendar?on=2026-11-26").text
    number = number_of(service, AlertKind.NO_RECORDING)
    why = f"/alerts/{number}/explain"
    assert client.post(why, reason="other").status_code == 400, "other needs a note"
    assert client.post(why, reason="device-fault", note="电池鼓包").status_code == 303
    last = entries(service, Act.CALENDAR)[-1].deed
    assert (last.subject, last.facts["reason"]) == (duties.INSPECTION, "device-fault")


def test_a_store_is_paused_with_a_reason_and_shows_no_secret(
    service: Service, signed_in: SignedIn
) -> None:
    client = signed_in("custodian")
    page = client.get("/stores").text
    assert "no room left" in page
    assert client.post("/stores/nas", do="pause").status_code == 400
    assert client.post("/stores/nas", do="pause", reason="换盘").status_code == 303
    assert "was paused by account:custodian" in client.get("/stores").text
    paused = entries(service, Act.SERVICE)[-1].deed
    assert (paused.actor, paused.facts["reason"]) == ("account:custodian", "换盘")
    assert client.post("/stores/nas", do="resume").status_code == 303
    assert client.post("/stores/nas", do="retry").status_code == 303
    assert "no room left" not in client.get("/stores").text
    assert client.post("/stores/nothing", do="retry").status_code == 404


def test_some_are_checked_now_and_the_result_is_on_record(
    service: Service, signed_in: SignedIn
) -> None:
    client = signed_in("inspector")
    assert client.post("/verification", sample="3").status_code == 303
    assert client.post("/verification", sample="3").status_code == 400, "one at a time"
    until(lambda: "under way" not in client.get("/verification/now").text, "its end", 60.0)
    now = client.get("/verification/now").text
    assert "all as they were sealed" in now, now
    assert "3 at random" in client.get("/verification").text
    last = entries(service, Act.VERIFICATION)[-1].deed
    assert last.actor == "account:inspector"
    assert (last.facts["checked"], last.facts["complete"]) == (3, True)


def test_a_proof_is_handed_out_on_record_and_holds(
    service: Service, signed_in: SignedIn, tmp_path: Path
) -> None:
    recording = gap_of(service, "CAM001")
    client = signed_in("custodian")
    answer = client.get(f"/custody/proof/{recording}")
    proof = tmp_path / "proof.json"
    proof.write_bytes(answer.content)
    page = client.get("/custody").text
    assert json.loads(answer.text)["recording"]["id"] == recording
    code = client.get("/custody/verifier-key.svg")
    assert code.headers["content-type"] == "image/svg+xml"
    only = client.get("/custody?act=export").text
    assert only.count('<td class="number">') == 1
    exported = entries(service, Act.EXPORT)[-1].deed
    assert (exported.actor, exported.facts["what"]) == ("account:custodian", "proof")
    key = (service.dock.state / "custody" / "verifier-key").read_text().strip()
    assert key in page
    checked = service.dock.run("custody", "check", proof, "--verifier", key)
    assert checked.code == 0, checked.err


def test_a_case_is_opened_described_closed_and_shows_what_is_covered(
    service: Service, signed_in: SignedIn
) -> None:
    number = "冀石执〔2026〕99号"
    path = "/cases/" + quote(number)
    client = signed_in("wang")
    assert client.post("/cases", number=number, party="赵某").status_code == 303
    assert client.post("/cases", number=duties.CASE).status_code == 400, "in use"
    script = "<script>alert(1)</script>"
    client.post(path, do="describe", party=script, cause="占道经营")
    page = client.get(path).text
    assert script not in page
    assert "&lt;script&gt;" in page
    assert client.post(path, do="close", closed_on="2027-01-01").status_code == 400
    assert client.post(path, do="close", closed_on="2026-11-20").status_code == 303
    assert "27 day(s) left, until 2026-12-20" in client.get(path).text
    assert client.post(path, do="classify", secrecy="state secret").status_code == 400
    recording = gap_of(service, "CAM001")
    shown = client.get("/cases/" + quote(duties.CASE)).text
    assert shown.count('class="covered"') == 0
    assert service.dock.run("recordings", "mark", recording, "--item", "7.3").code == 0
    client = signed_in("wang")
    shown = client.get("/cases/" + quote(duties.CASE)).text
    assert shown.count('class="covered"') == 1
    assert client.get("/cases/import").status_code == 404


def test_art_25_a_secret_case_does_not_exist_for_who_is_not_cleared(
    service: Service, signed_in: SignedIn
) -> None:
    number = "冀石执〔2026〕98号"
    service.dock.run("cases", "add", number)
    assert service.dock.run("cases", "classify", number, "state secret").code == 0
    client = signed_in("custodian")
    assert client.get("/cases/" + quote(number)).status_code == 404
    assert number not in client.get("/cases").text
    csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/cases").text)
    assert csrf is not None
    answer = client.http.post(
        "/cases/import",
        data={"csrf": csrf[1]},
        files={"file": ("cases.csv", f"number,party\n{number},another\n".encode())},
    )
    assert answer.status_code == 400
    listed = service.dock.run("cases", "list", "--json").json["cases"]
    assert {one["number"]: one["party"] for one in listed}[number] is None


def test_what_a_page_asks_by_itself_keeps_nobody_signed_in(dock: Dock) -> None:
    db, at = open_accounts(dock.state), datetime(2026, 11, 23, 10, tzinfo=UTC)
    account = Account("wang", Role.CUSTODIAN)
    add(db, account, at)
    limits = Limits(timedelta(minutes=30), timedelta(hours=12))
    used, unused = (begin(db, account, None, at) for _ in range(2))
    later = at + timedelta(minutes=20)
    assert resume(db, used, limits, later)
    assert resume(db, unused, limits, later, is_used=False)
    latest = at + timedelta(minutes=40)
    assert resume(db, used, limits, latest)
    assert resume(db, unused, limits, latest, is_used=False) is None
    db.close()
