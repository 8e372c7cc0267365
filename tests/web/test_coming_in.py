"""Who comes in, and who does not."""

import re

import httpx
import pytest
from fastapi.routing import APIRoute

from recorder_sync.web.app import _WITH_SESSION
from tests.web.served import PASSWORD, Service


def test_nobody_is_let_in_without_signing_in(service: Service) -> None:
    answer = httpx.get(f"{service.address}/?a=b")
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sign-in?next=%2F%3Fa%3Db"


def test_a_password_is_refused_five_times_and_then_nothing_is_tried(service: Service) -> None:
    service.account("wang", "custodian")
    tries = [
        httpx.post(f"{service.address}/sign-in", data={"name": "wang", "password": "wrong"})
        for _ in range(5)
    ]
    assert [one.status_code for one in tries] == [401] * 5
    right = httpx.post(f"{service.address}/sign-in", data={"name": "wang", "password": PASSWORD})
    assert right.status_code == 401
    assert "15 minutes" in right.text


def test_a_session_set_from_outside_is_not_the_one_somebody_signs_in_with(
    service: Service,
) -> None:
    service.account("wang", "custodian")
    with httpx.Client(base_url=service.address, cookies={"session": "chosen-by-another"}) as client:
        answer = client.post("/sign-in", data={"name": "wang", "password": PASSWORD})
        assert "chosen-by-another" not in answer.headers["set-cookie"]
    outsider = httpx.get(service.address, cookies={"session": "chosen-by-another"})
    assert outsider.status_code == 303


def test_the_token_of_another_session_opens_no_form_and_a_new_session_ends_the_old(
    service: Service,
) -> None:
    for name in ("wang", "zhou"):
        service.account(name, "custodian")
    with service.signed_in("wang") as wang, service.signed_in("zhou") as zhou:
        shown = wang.get("/my-account").text
        token = re.search(r'name="csrf" value="([^"]+)"', shown)
        assert token is not None
        form = {"csrf": token[1], "number": "2026-1"}
        assert zhou.http.post("/cases", data=form).status_code == 403
        before = dict(wang.http.cookies)
        again = wang.http.post("/sign-in", data={"name": "wang", "password": PASSWORD})
        assert again.status_code == 303
        assert wang.http.post("/cases", data=form).status_code == 403
    assert httpx.get(f"{service.address}/", cookies=before).status_code == 303


@pytest.mark.parametrize("where", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_nobody_is_sent_elsewhere_after_signing_in(service: Service, where: str) -> None:
    service.account("wang", "custodian")
    answer = httpx.post(
        f"{service.address}/sign-in", data={"name": "wang", "password": PASSWORD, "next": where}
    )
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}],
)
def test_a_form_of_another_site_changes_nothing(service: Service, headers: dict[str, str]) -> None:
    service.account("wang", "custodian")
    with service.signed_in("wang") as client:
        refused = client.http.post("/sign-out", headers=headers)
        assert refused.status_code == 403
        assert client.get("/").status_code == 200


def test_every_answer_forbids_what_comes_from_elsewhere(service: Service) -> None:
    for path in ("/sign-in", "/nothing-here", "/static/style.css"):
        headers = httpx.get(service.address + path).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
    page = httpx.get(f"{service.address}/sign-in?next=%22%3E%3Cscript%3Ealert(1)%3C/script%3E").text
    assert "<script>alert" not in page


def test_no_page_of_the_console_takes_a_form_without_the_token_of_its_session(
    service: Service,
) -> None:
    service.account("wang", "custodian")
    paths = [
        re.sub(r"\{[^}]*\}", "1", route.path)
        for router in _WITH_SESSION
        for route in router.routes
        if isinstance(route, APIRoute) and "POST" in (route.methods or ())
    ]
    assert len(paths) > 30
    with service.signed_in("wang") as client:
        for path in paths:
            for form in ({}, {"csrf": "made-up"}):
                answer = client.http.post(path, data=form)
                assert answer.status_code == 403, path
                assert "This form is too old" in answer.text, path
