"""The administrator's pages: accounts, officers, the audit trail."""

from playwright.sync_api import expect

from tests.web.browser.conftest import Screen
from tests.web.browser.test_devices import chinese
from tests.web.office import furnish
from tests.web.served import Service


def test_an_account_is_made_used_and_seen_in_the_audit_trail(
    screen: Screen, service: Service
) -> None:
    furnish(service.dock, days=3)
    service.dock.run("custody", "checkpoint")
    service.account("admin", "administrator")
    service.account("周晓梅", "custodian")
    chinese(screen)
    page = screen.sign_in("admin")
    screen.open("/account-registration")
    page.fill("input[name=name]", "王伟")
    page.get_by_role("radio").first.check()
    page.select_option("select[name=officer]", "130104001")
    screen.picture("account-registration")
    page.locator("main button[type=submit]").click()
    expect(page.locator("#link")).to_contain_text("/invitation/")
    screen.picture("account-link")
    screen.open("/accounts")
    screen.picture("accounts")
    page.get_by_role("link", name="周晓梅").click()
    screen.picture("account")
    screen.open("/officers")
    screen.picture("officers")
    page.get_by_role("link", name="李娜").click()
    screen.picture("officer")
    screen.open("/officer-import")
    page.set_input_files(
        "input[type=file]",
        {
            "name": "a.csv",
            "mimeType": "text/csv",
            "buffer": "执法证号,姓名\n1,王\n,李\n1,赵\n".encode(),
        },
    )
    page.locator("main button[type=submit]").click()
    expect(page.locator(".problems li")).to_have_count(2)
    screen.picture("officer-import")
    screen.open("/audit")
    screen.picture("audit")
    screen.open("/settings")
    screen.picture("settings")
    screen.open("/about")
    screen.picture("about")
    screen.open("/my-account")
    screen.picture("my-account")
