"""Officers are registered one by one or by a list, of which every problem is named."""

from collections.abc import Iterator

import pytest

from tests.conftest import Dock
from tests.web.served import Client, Service


@pytest.fixture(scope="module")
def admin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    service = Service(Dock(tmp_path_factory.mktemp("officers")))
    service.configure()
    with service:
        service.account("admin", "administrator")
        with service.signed_in("admin") as client:
            yield client


def imported(admin: Client, data: bytes) -> object:
    page = admin.get("/officer-import").text
    token = page.partition('name="csrf" value="')[2].partition('"')[0]
    return admin.http.post(
        "/officer-import", data={"csrf": token}, files={"file": ("officers.csv", data)}
    )


def test_a_list_with_problems_names_all_of_them_and_registers_nobody(admin: Client) -> None:
    answer = imported(admin, "执法证号,姓名\n1,王\n,李\n1,赵\n2,钱,x,y\n".encode())
    assert answer.status_code == 400  # type: ignore[attr-defined]
    text = answer.text  # type: ignore[attr-defined]
    assert all(f"line {line}:" in text for line in (3, 4, 5))
    assert "No officer is registered yet" in admin.get("/officers").text


def test_a_list_of_a_spreadsheet_in_gb_18030_is_registered(admin: Client) -> None:
    answer = imported(
        admin, "执法证号,姓名,单位\n130100,王伟,一中队\n130101,李娜,二中队\n".encode("gb18030")
    )
    assert answer.status_code == 303  # type: ignore[attr-defined]
    page = admin.get("/officers", params={"unit": "二中队"}).text
    assert "李娜" in page
    assert "王伟" not in page


def test_a_pin_is_set_twice_the_same_and_never_shown(admin: Client) -> None:
    admin.post("/officer-registration", "/officer-registration", cert_no="9", name="赵")
    form = "/officers/9/pin"
    assert "not the same" in admin.post(form, form, pin="482913", again="482914").text
    assert "too easy" in admin.post(form, form, pin="123456", again="123456").text
    assert admin.post(form, form, pin="482913", again="482913").status_code == 303
    page = admin.get("/officers/9").text
    assert "482913" not in page
    assert "Set a new PIN" in page
    assert "PIN set" in admin.get("/audit", params={"what": "accounts"}).text
