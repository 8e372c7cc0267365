"""Where something comes from is said in the reader's language, and what is unknown as it stands."""

from zoneinfo import ZoneInfo

import pytest

from recorder_sync.language import Language, speaking
from recorder_sync.web.origins import rests_on, who

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.mark.parametrize(
    ("actor", "said"),
    [
        ("account:zhoumin", "zhoumin"),
        ("os:root", "root（本机）"),
        ("officer:000001", "执法人员 000001"),
        ("robot:7", "robot:7"),
        ("周敏", "周敏"),
        ("", ""),
    ],
)
def test_who_acted_is_said_in_words(actor: str, said: str) -> None:
    with speaking(Language.CHINESE):
        assert who(actor) == said


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ("profile dcam", "机型配置 dcam"),
        ("USB identity 4255:1000:7", "USB 标识 4255:1000:7"),
        ("issued to at 2026-11-23T01:00:00.000Z", "2026-11-23 09:00 领用"),
        ("issued to at noon", "issued to at noon"),
        ("the other files on this card", "同卡其他文件"),
        ("王芳 000001: chosen at the dock", "王芳 000001: 在采集屏选择"),
        ("王芳: 案号写错", "王芳: 案号写错"),
        ("sn.txt", "sn.txt"),
        ("", ""),
    ],
)
def test_what_a_tag_rests_on_is_said_in_words(detail: str, said: str) -> None:
    with speaking(Language.CHINESE):
        assert rests_on(detail, ZONE) == said
