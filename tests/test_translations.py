"""Everything a person reads is there in Chinese, with the same values in it."""

import string
from pathlib import Path

from babel.messages.pofile import read_po

from tools.update_translations import missing

_PO = Path(__file__).parent.parent / "src/recorder_sync/locale/zh_CN/LC_MESSAGES/recorder_sync.po"


def test_every_text_has_a_chinese_translation() -> None:
    assert missing(_PO) == []


def test_translations_keep_every_value() -> None:
    with _PO.open("rb") as file:
        catalogue = read_po(file)
    for message in catalogue:
        if message.id:
            assert _values(str(message.id)) == _values(str(message.string)), message.id


def _values(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}
