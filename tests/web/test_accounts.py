"""Who may sign in: made, changed and taken away on record, and never the last administrator."""

import re
from collections.abc import Iterator

import httpx
import pytest

from recorder_sync.custody.log import Act
from tests.conftest import Dock
from tests.web.served import PASSWORD, Client, Service


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    service = Service(Dock(tmp_path_factory.mktemp("accounts")))
    service.configure()
    with service:
        service.dock.run("officers", "add", "000001", "--name", "王伟", "--unit", "一中队")
        service.account("admin", "administrator")
        yield service


@pytest.fixture
def admin(served: Service) -> Iterator[Client]:
    with served.signed_in("admin") as client:
        yield client


def new_account(admin: Client, name: str, **fields: str) -> httpx.Response:
    return admin.post("/account-registration", "/account-registration", name=name, **fields)


def sign_in_by(service: Service, link: str) -> int:
    path = link.partition("/invitation/")[2]
    answer = httpx.post(
        f"{service.address}/invitation/{path}", data={"password": PASSWORD, "again": PASSWORD}
    )
    return answer.status_code


def test_an_account_is_made_by_a_link_that_is_shown_once_and_works_once(
    served: Service, admin: Client
) -> None:
    page = new_account(admin, "leader", role="team leader", unit="一中队")
    assert page.status_code == 200
    link = re.search(r"http://[^<]*/invitation/[\w-]+", page.text)
    assert link is not None
    assert link[0] not in admin.get("/accounts/leader").text
    assert [sign_in_by(served, link[0]), sign_in_by(served, link[0])] == [303, 400]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"role": "officer"}, "needs a certificate number"),
        ({"role": "officer", "officer": "999999"}, "no officer 999999"),
        ({"role": "team leader"}, "needs a unit"),
        ({"role": "custodian", "name": "admin"}, "an account admin already"),
        ({"role": "custodian", "name": "a/b"}, "cannot be the name"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words_and_nothing_is_made(
    admin: Client, fields: dict[str, str], said: str
) -> None:
    before = admin.get("/accounts").text.count("<tr data-to")
    answer = new_account(admin, **{"name": "nobody", **fields})
    assert answer.status_code == 400
    assert said in answer.text
    assert admin.get("/accounts").text.count("<tr data-to") == before


def test_the_last_administrator_cannot_be_taken_away(served: Service, admin: Client) -> None:
    new_account(admin, "second", role="administrator")  # who never set a password
    for path, fields in (
        ("/accounts/admin/disable", {}),
        ("/accounts/admin/change", {"role": "custodian"}),
    ):
        answer = admin.post(path, **fields)
        assert answer.status_code == 400
        assert "last administrator" in answer.text
    refused = served.dock.run("accounts", "disable", "admin")
    assert refused.code == 2
    for path in ("/accounts", "/", "/devices", "/about"):
        assert admin.get(path).status_code == 200, "who sees no evidence sees the rest"


def test_a_change_ends_the_sessions_and_counts_at_once(served: Service, admin: Client) -> None:
    served.account("wang", "custodian")
    with served.signed_in("wang") as wang:
        assert wang.get("/devices").status_code == 200
        assert admin.post("/accounts/wang/change", role="inspector").status_code == 303
        assert wang.get("/devices").status_code == 303
    with served.signed_in("wang") as wang:
        assert admin.post("/accounts/wang/disable").status_code == 303
        assert wang.get("/").status_code == 303
    refused = httpx.post(f"{served.address}/sign-in", data={"name": "wang", "password": PASSWORD})
    assert refused.status_code == 401
    admin.post("/accounts/wang/enable")
    with served.signed_in("wang"):
        pass


def test_art_21_every_change_is_on_record_without_a_secret(served: Service, admin: Client) -> None:
    page = new_account(admin, "zhao", role="officer", officer="000001", cleared="personal privacy")
    link = re.search(r"/invitation/([\w-]+)", page.text)
    assert link is not None
    admin.post("/accounts/zhao/link")
    admin.post("/accounts/zhao/disable")
    station = served.dock.station()
    try:
        entries = [
            e.deed for e in station.custody.entries_of([Act.ACCOUNT]) if "zhao" in e.deed.subject
        ]
        log = b"\n".join(line for _, line in station.custody.lines())
    finally:
        station.catalogue.close()
    assert [deed.facts["what"] for deed in entries] == [
        *("account added", "one-time link made", "account disabled")
    ]
    assert {deed.actor for deed in entries} == {"account:admin"}
    assert link[1].encode() not in log
    assert b"argon2" not in log
    trail = admin.get("/audit", params={"what": "accounts", "about": "account:zhao"}).text
    assert trail.count("account disabled") == 1


def test_the_old_password_is_needed_for_a_new_one(served: Service) -> None:
    served.account("li", "custodian")
    with served.signed_in("li") as here, served.signed_in("li") as elsewhere:
        wrong = here.post(
            "/my-account/password", old="not it", password="another horse", again="another horse"
        )
        assert "old password is wrong" in wrong.text
        right = here.post(
            "/my-account/password", old=PASSWORD, password="another horse", again="another horse"
        )
        assert right.status_code == 303
        assert here.get("/my-account").status_code == 200, "who changed it stays signed in"
        assert elsewhere.get("/my-account").status_code == 303, "others do not"


@pytest.mark.parametrize(
    "path", ["/accounts", "/accounts/admin", "/officers", "/officer-import", "/audit", "/settings"]
)
def test_only_whose_duty_it_is_sees_accounts_and_the_trail(served: Service, path: str) -> None:
    if "chen" not in served.dock.run("accounts", "list").out:
        served.account("chen", "custodian")
    with served.signed_in("chen") as chen:
        assert chen.get(path).status_code == 403
