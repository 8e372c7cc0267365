"""The addresses and settings on the page about channels are ones that work."""

import re
import tomllib
from pathlib import Path

import apprise
import pytest

from recorder_sync.alert_settings import Alerts
from recorder_sync.channels.settings import Channel

_PAGE = Path(__file__).parents[2] / "docs" / "channels.md"
_LOCAL = ("syslog:", "desktop:")


def addresses() -> list[str]:
    text = _PAGE.read_text("utf-8")
    found = re.findall(r"^([a-z]+://\S*)$", text.partition("## What a message")[0], re.MULTILINE)
    return [one for one in found if not one.startswith(_LOCAL)]


@pytest.mark.parametrize("address", addresses())
def test_an_address_on_the_page_is_understood(address: str) -> None:
    filled = re.sub(r"\b(KEY|TOKEN|SECRET|USER|PASSWORD)\b", "abcdef0123456789abcdef", address)
    assert apprise.Apprise().add(filled)


def test_the_page_has_every_service_that_it_names() -> None:
    schemes = {address.partition(":")[0] for address in addresses()}
    assert {"mailtos", "wecombot", "dingtalk", "feishu", "jsons", "rsyslog"} <= schemes


def test_the_settings_on_the_page_are_right() -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", _PAGE.read_text("utf-8"), re.DOTALL)
    settings = Alerts.model_validate(tomllib.loads(example)["alerts"], strict=False)
    assert settings.channels[0].name == "custodians-mail"
    listed = set(re.findall(r"^\| `(\w+)` \|", _PAGE.read_text("utf-8"), re.MULTILINE))
    assert listed == set(Channel.model_fields)
