"""The administrator gives a program a token, which the API then takes."""

import httpx
from playwright.sync_api import expect

from tests.web.browser.conftest import Screen
from tests.web.served import Service


def test_a_token_made_on_the_page_works_until_it_is_revoked(
    screen: Screen, service: Service
) -> None:
    service.account("admin", "administrator")
    screen.sign_in("admin")
    page = screen.open("/programs")
    page.fill("#f-name", "case-system")
    page.get_by_text("cases:read").click()
    screen.picture("programs")
    page.get_by_role("button", name="Make the token").click()
    token = page.locator("#token").inner_text()
    screen.picture("programs-token")
    headers = {"authorization": f"Bearer {token}"}
    cases = f"{service.address}/api/v1/cases"
    assert httpx.get(cases, headers=headers).status_code == 200
    page.get_by_role("link", name="To the programs").click()
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("status")).to_contain_text("works no more")
    assert httpx.get(cases, headers=headers).status_code == 401
