"""Settings with their meaning and without secrets; what this is, and the key to check it by."""

from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from recorder_sync.config import Configuration, load
from recorder_sync.web.settings_page import every_meaning, groups, meanings
from tests.conftest import Dock
from tests.web.served import Service


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("settings")
    service = Service(Dock(folder))
    # The usual place of the live status is that of every station on this computer.
    service.configure(paths={"runtime": str(folder / "run")})
    service.dock.run("custody", "checkpoint")
    with service:
        service.account("admin", "administrator")
        service.account("zhao", "custodian")
        yield service


def test_every_setting_is_shown_with_its_meaning_and_what_the_file_says_wrong(
    served: Service,
) -> None:
    whole = served.dock.config.read_text()
    with served.signed_in("admin") as admin:
        page = admin.get("/settings").text
        assert "Space on the evidence disk that stays free, in MiB." in page
        assert page.count("<section") >= 15
        assert "has problems" not in page
        served.dock.config.write_text(whole + "\n[ingest.nonsense]\nkey = 1\n")
        broken = admin.get("/settings").text
        assert "ingest.nonsense" in broken
        served.dock.config.write_text(whole + "\n[readiness]\nleast_battery_percent = 55\n")
        assert "something else than what is in force" in admin.get("/settings").text
        served.dock.config.write_text(whole)


def test_no_secret_is_shown(dock: Dock) -> None:
    dock.configure(
        stores=[
            {
                "name": "s3",
                "s3": {
                    "bucket": "evidence",
                    "region": "r",
                    "access_key": {"environment": "A"},
                    "secret_key": {"file": "/etc/secret"},
                },
            }
        ]
    )
    shown = {
        value.key: value.shown for group in groups(load(dock.config)) for value in group.values
    }
    assert shown["s3.secret_key.file"] == "/etc/secret", "where it is, and not what"


def test_every_setting_has_a_meaning_in_the_code() -> None:
    """A page of names alone explains nothing."""
    for name in ("ingest", "web", "readiness", "verification"):
        section = Configuration.model_fields[name].annotation
        assert isinstance(section, type)
        assert issubclass(section, BaseModel)
        said = meanings(section)
        assert len(said) >= len(section.model_fields) * 2 / 3, name
    assert len(every_meaning()) > 120


def test_about_has_the_key_that_others_check_by(served: Service) -> None:
    key = (served.dock.state / "custody" / "verifier-key").read_text().strip()
    with served.signed_in("zhao") as zhao:
        page = zhao.get("/about").text
    assert key.replace("+", "&#43;") in page or key in page
    assert "Fingerprint" in page
    for library in ("fastapi", "cryptography", "segno"):
        assert library in page
    assert "not running" in page, "no daemon runs here"
