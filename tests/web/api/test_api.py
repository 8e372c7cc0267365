"""The API gives programs what their token allows, once for each key, and on record."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from recorder_sync.custody.log import Act, CustodyLog
from recorder_sync.ingest.documents import seal_handed_in
from recorder_sync.ingest.stopping import Stop
from recorder_sync.ingest.tray import Tray
from recorder_sync.rules.access import ApiScope
from tests.documents.handing_in import PDF
from tests.web.api.conftest import Caller
from tests.web.served import Service

WRITES = ("cases:read", "cases:write")

SCOPES = {
    "GET /recordings": "recordings:read",
    "GET /recordings/{recording}": "recordings:read",
    "GET /recordings/{recording}/proof": "proofs:read",
    "GET /custody/checkpoint": "proofs:read",
    "GET /cases": "cases:read",
    "GET /cases/by-number": "cases:read",
    "POST /cases": "cases:write",
    "POST /cases/close": "cases:write",
    "GET /cases/documents": "cases:read",
    "POST /cases/documents": "cases:write",
    "GET /calendar": "calendar:read",
    "POST /calendar": "calendar:write",
    "GET /devices": "devices:read",
    "GET /alerts": "alerts:read",
}
"""Which scope each route needs: every route there is, written a second time."""


def test_a_program_without_a_good_token_is_told_so_and_sees_nothing(
    api: Service, caller: Caller
) -> None:
    nobody = httpx.get(f"{api.address}/api/v1/recordings")
    assert (nobody.status_code, nobody.headers["www-authenticate"]) == (401, "Bearer")
    made_up = {"authorization": "Bearer rs_made-up"}
    assert httpx.get(f"{api.address}/api/v1/recordings", headers=made_up).status_code == 401
    cookies = {"session": "made-up"}
    assert httpx.get(f"{api.address}/api/v1/recordings", cookies=cookies).status_code == 401
    narrow = caller("cases:read")
    refused = narrow.get("/recordings")
    assert refused.status_code == 403
    assert "recordings:read" in refused.json()["error"]


def test_a_revoked_token_works_no_more(api: Service, caller: Caller) -> None:
    client = caller("cases:read")
    assert client.get("/cases").status_code == 200
    (name,) = [
        one["name"]
        for one in api.dock.run("tokens", "list", "--json").json["tokens"]
        if one["seen_at"] and one["name"].startswith("test_a_revoked")
    ]
    assert api.dock.run("tokens", "revoke", name).code == 0
    assert client.get("/cases").status_code == 401


def test_recordings_come_in_pages_and_each_only_once(caller: Caller) -> None:
    client = caller("recordings:read")
    seen: list[str] = []
    after = None
    while True:
        page = client.get("/recordings", params={"limit": 2, **({"after": after} if after else {})})
        assert page.status_code == 200
        seen += [one["id"] for one in page.json()["recordings"]]
        after = page.json()["next"]
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 3
    found = client.get("/recordings", params={"device": "0031", "officer": "000010"}).json()
    assert {one["id"] for one in found["recordings"]} == set(seen)
    assert client.get("/recordings", params={"device": "0032"}).json()["recordings"] == []
    assert client.get("/recordings", params={"after": "no cursor"}).status_code == 422
    assert client.get("/recordings", params={"after": "9" * 19}).status_code == 400


def test_a_look_at_a_recording_is_on_record_before_it_is_answered(
    api: Service, caller: Caller
) -> None:
    client = caller("recordings:read", "proofs:read")
    (recording, *_) = client.get("/recordings").json()["recordings"]
    whole = client.get(f"/recordings/{recording['id']}").json()
    assert whole["custody"][-1]["act"] == "view"
    assert whole["custody"][-1]["actor"].startswith("program:")
    proof = client.get(f"/recordings/{recording['id']}/proof").json()
    assert proof["recording"]["id"] == recording["id"]
    log = CustodyLog(api.dock.state / "custody", "test")
    acts = [e.deed.act for e in log.entries() if e.deed.subject == recording["id"]]
    assert acts[-2:] == [Act.VIEW, Act.EXPORT]
    verified = api.dock.run("verify", "--all", "--json")
    assert verified.code == 0, verified.out
    missing = client.get("/recordings/ffffffffffff")
    assert missing.status_code == 404
    assert set(missing.json()) == {"error", "problems", "hint"}


def test_what_is_secret_is_not_there_for_a_program_that_is_not_cleared(
    api: Service, caller: Caller
) -> None:
    scopes = ("recordings:read", "proofs:read", "cases:read")
    client, cleared = caller(*scopes), caller(*scopes, cleared="state secret")
    (recording, *_) = client.get("/recordings", params={"limit": 1}).json()["recordings"]
    number = recording["id"]
    marked = ("--secrecy", "state secret", "--by", "周晓梅", "--reason", "涉密")
    assert api.dock.run("recordings", "mark", number, *marked).code == 0
    assert api.dock.run("cases", "add", "secret-1").code == 0
    classified = api.dock.run("cases", "classify", "secret-1", "state secret")
    assert classified.code == 0, classified.err
    try:
        for path in (f"/recordings/{number}", f"/recordings/{number}/proof"):
            assert client.get(path).status_code == 404
            assert cleared.get(path).status_code == 200
        found = client.get("/recordings").json()["recordings"]
        assert number not in {one["id"] for one in found}
        case = {"number": "secret-1"}
        assert client.get("/cases/by-number", params=case).status_code == 404
        assert cleared.get("/cases/by-number", params=case).status_code == 200
        listed = client.get("/cases", params={"limit": 1000}).json()["cases"]
        assert "secret-1" not in {one["number"] for one in listed}
        writer = caller("cases:write")
        change = {**case, "party": "another", "cause": "another"}
        assert writer.post("/cases", json=change).status_code == 400
        close = {**case, "on": "2026-11-20"}
        assert writer.post("/cases/close", json=close).status_code == 404
        as_it_was = cleared.get("/cases/by-number", params=case).json()
        assert (as_it_was["party"], as_it_was["closed_on"]) == (None, None)
    finally:
        plain = ("--secrecy", "none", "--by", "周晓梅", "--reason", "解密")
        assert api.dock.run("recordings", "mark", number, *plain).code == 0


def test_a_write_with_a_key_is_done_once(api: Service, caller: Caller) -> None:
    client = caller(*WRITES)
    log = CustodyLog(api.dock.state / "custody", "test")
    case = {"number": "石执〔2026〕17/2号", "party": "某某餐饮有限公司", "cause": "占道经营"}
    first = client.post("/cases", json=case, headers={"idempotency-key": "a"})
    size = log.size()
    again = client.post("/cases", json=case, headers={"idempotency-key": "a"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json() == {**case, "closed_on": None}
    assert again.headers["idempotency-replayed"] == "true"
    assert log.size() == size
    other = client.post("/cases", json={"number": "2"}, headers={"idempotency-key": "a"})
    assert other.status_code == 409
    shown = client.get("/cases/by-number", params={"number": case["number"]})
    assert shown.json()["party"] == case["party"]
    another = caller(*WRITES).post("/cases", json={"number": "2"}, headers={"idempotency-key": "a"})
    assert another.status_code == 201


def test_a_refused_write_gives_its_key_back(caller: Caller) -> None:
    client = caller(*WRITES)
    headers = {"idempotency-key": "b"}
    closing = {"number": "no-such-case", "on": "2026-01-05"}
    assert client.post("/cases/close", json=closing, headers=headers).status_code == 404
    client.post("/cases", json={"number": "no-such-case"})
    done = client.post("/cases/close", json=closing, headers=headers)
    assert done.json()["closed_on"] == "2026-01-05"


def test_cases_come_in_the_order_of_their_numbers(caller: Caller) -> None:
    client = caller(*WRITES)
    for number in ("p-3", "p-1", "p-2"):
        client.post("/cases", json={"number": number})
    page = client.get("/cases", params={"limit": 2, "after": "p-"}).json()
    assert [one["number"] for one in page["cases"]] == ["p-1", "p-2"]
    page = client.get("/cases", params={"limit": 2, "after": page["next"]}).json()
    assert page["cases"][0]["number"] == "p-3"


@pytest.mark.parametrize(
    ("change", "status", "says"),
    [
        ({}, 200, None),
        ({"ends": "2026-11-23T07:00:00Z"}, 422, "begins should be before ends"),
        ({"officer": "999999"}, 422, "There is no officer 999999"),
        ({"ends": "2027-11-23T07:00:00Z"}, 422, "It lasts longer than 31 days"),
        ({"begins": "2026-11-23T08:00:00"}, 422, "timezone"),
        ({"surprise": 1}, 422, "surprise"),
    ],
)
def test_a_calendar_line_is_checked_as_one_from_a_file_is(
    caller: Caller, change: dict[str, object], status: int, says: str | None
) -> None:
    client = caller("calendar:write", "calendar:read")
    line = {
        "id": "shift-1",
        "kind": "shift",
        "begins": "2026-11-23T08:00:00Z",
        "ends": "2026-11-23T17:00:00+08:00",
        "officer": "000010",
        **change,
    }
    answer = client.post("/calendar", json={"calendar": [line]})
    assert answer.status_code == status, answer.text
    if says is None:
        known = client.get("/calendar", params={"ending_after": "2026-11-01T00:00:00Z"}).json()
        assert known["calendar"][0]["ends"].startswith("2026-11-23T09:00:00")
    else:
        assert says in str(answer.json()["problems"])


def test_devices_alerts_and_the_newest_checkpoint_are_given(api: Service, caller: Caller) -> None:
    client = caller("devices:read", "alerts:read", "proofs:read")
    (device,) = client.get("/devices").json()["devices"]
    assert (device["number"], device["officer"]) == ("0031", "000010")
    assert client.get("/alerts").json() == {"alerts": []}
    assert api.dock.run("custody", "checkpoint").code == 0
    found = client.get("/custody/checkpoint").json()
    assert found["checkpoint"].startswith("recorder-sync/test\n")


def test_health_is_said_to_everybody_and_metrics_to_those_who_may_ask(
    api: Service, caller: Caller
) -> None:
    assert httpx.get(f"{api.address}/healthz").json() == {"status": "ok"}
    text = httpx.get(f"{api.address}/metrics").text
    assert "recorder_sync_recordings_sealed 3.0" in text
    assert 'recorder_sync_alerts{severity="breach"} 0.0' in text
    narrow = caller("cases:read")
    assert narrow.get(f"{api.address}/metrics").status_code == 401


def test_one_address_cannot_try_links_and_passwords_without_end(api: Service) -> None:
    for _ in range(100):
        answer = httpx.post(f"{api.address}/invitation/made-up", data={"password": ""})
        if answer.status_code != 400:
            break
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) >= 1


def test_a_path_that_is_none_is_answered_as_the_rest_is(api: Service, caller: Caller) -> None:
    client = caller("recordings:read")
    for path in ("/nothing", "/recordings/a%0Ab/proof"):
        answer = client.get(path)
        assert answer.status_code == 404
        assert set(answer.json()) == {"error", "problems", "hint"}


def test_each_route_asks_for_its_own_scope_and_no_other_opens_it(
    api: Service, caller: Caller
) -> None:
    described = httpx.get(f"{api.address}/api/v1/openapi.json").json()["paths"]
    assert set(SCOPES) == {f"{m.upper()} {path}" for path, ways in described.items() for m in ways}
    everything = {one.value for one in ApiScope}
    with httpx.Client(base_url=f"{api.address}/api/v1") as nobody:
        for scope in sorted(set(SCOPES.values())):
            right, others = caller(scope), caller(*sorted(everything - {scope}))
            for route in (one for one, needed in SCOPES.items() if needed == scope):
                method, path = route.split()
                path = path.replace("{recording}", "aaaaaaaaaaaaa")
                body: dict[str, str] | None = {} if method == "POST" else None
                assert nobody.request(method, path, json=body).status_code == 401, route
                assert others.request(method, path, json=body).status_code == 403, route
                assert right.request(method, path, json=body).status_code not in (401, 403), route


def test_a_key_that_comes_twice_at_once_is_worked_on_once(api: Service, caller: Caller) -> None:
    client = caller(*WRITES)
    case = {"number": "at-once", "party": "某某餐饮有限公司"}

    def send(_: int) -> int:
        headers = {"idempotency-key": "at-once"}
        return client.post("/cases", json=case, headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        codes = list(pool.map(send, range(8)))
    assert set(codes) <= {201, 409}
    assert 201 in codes
    log = CustodyLog(api.dock.state / "custody", "test")
    assert len([e for e in log.entries() if e.deed.subject == "case:at-once"]) == 1


def test_metrics_hold_no_name_of_a_person_a_device_a_case_or_a_recording(
    api: Service, caller: Caller
) -> None:
    assert caller(*WRITES).post("/cases", json={"number": "metrics-1", "party": "张三"}).is_success
    text = httpx.get(f"{api.address}/metrics").text
    known = caller("recordings:read", "devices:read").get("/recordings").json()["recordings"]
    hidden = {"metrics-1", "张三", "0031", "000010"}
    hidden |= {one[name] for one in known for name in ("id", "original_name", "device", "path")}
    said = [one for one in hidden if f'"{one}"' in text or (len(one) > 6 and one in text)]
    assert said == []


def test_a_document_is_handed_in_once_and_listed_when_it_is_sealed(
    api: Service, caller: Caller
) -> None:
    client = caller("cases:read", "cases:write")
    assert client.post("/cases", json={"number": "2026/77"}).status_code == 201
    said = {"number": "2026/77", "title": "决定书", "kind": "issued document", "name": "a.pdf"}
    headers = {"idempotency-key": "decision-77"}
    sent = [
        client.post("/cases/documents", params=said, content=PDF, headers=headers) for _ in range(2)
    ]
    assert [one.status_code for one in sent] == [202, 202]
    assert sent[0].json() == sent[1].json()
    identifier = sent[0].json()["id"]
    other = client.post("/cases/documents", params=said, content=PDF + b"x", headers=headers)
    assert other.status_code == 409, "the key came with another file"
    station, tray = api.dock.station(), Tray(api.dock.state)
    try:
        (waiting,) = tray.waiting()
        assert waiting.given.by.startswith("test_a_document")
        assert seal_handed_in(station, tray, waiting, Stop())
    finally:
        station.catalogue.close()
    listed = client.get("/cases/documents", params={"number": "2026/77"}).json()["documents"]
    assert [(one["id"], one["title"]) for one in listed] == [(identifier, "决定书")]
    again = client.post("/cases/documents", params=said, content=PDF)
    assert again.json() == {"id": identifier, "case": "2026/77", "is_sealed": True}
    assert tray.is_empty()


@pytest.mark.parametrize(
    ("changed", "content", "code"),
    [
        ({"number": "2099-1"}, PDF, 404),
        ({"kind": "nonsense"}, PDF, 422),
        ({"title": " "}, PDF, 400),
        ({"name": "a.exe"}, PDF, 400),
        ({}, b"<html>", 400),
        ({}, b"", 400),
    ],
)
def test_a_document_that_will_not_do_leaves_nothing(
    api: Service, caller: Caller, changed: dict[str, str], content: bytes, code: int
) -> None:
    client = caller("cases:read", "cases:write")
    assert client.post("/cases", json={"number": "2026-78"}).status_code == 201
    said = {"number": "2026-78", "title": "x", "kind": "issued document", "name": "a.pdf"}
    answer = client.post("/cases/documents", params={**said, **changed}, content=content)
    assert answer.status_code == code, answer.text
    assert answer.json()["hint"]
    assert Tray(api.dock.state).is_empty()
    read_only = caller("cases:read").post("/cases/documents", params=said, content=PDF)
    assert read_only.status_code == 403
