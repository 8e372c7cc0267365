"""Words from cards and people, in a form that does nothing in a message.

A file name may try to ring everybody in a chat, to look like a link, or to set text in
bold. Escapes differ from service to service, and some have none; a letter of the same shape
from the full-width block means nothing to any of them. What a file is really called stands
on the screen and in the catalogue.
"""

from enum import Enum

from recorder_sync.printable import printable

MOST = 200
"""Characters of a name that are shown."""

_CALLS = str.maketrans({"@": "＠", "<": "＜", ">": "＞"})
_MARKUP = str.maketrans(
    {"@": "＠", **dict(zip("<>&*_`[]#~|\\", "＜＞＆＊＿｀［］＃～｜＼", strict=True))}
)


class Manner(Enum):
    """How a service reads what it is sent."""

    EXACT = "exact"
    """As it is: mail as text, JSON, syslog."""
    CHAT = "chat"
    """As text in which somebody may be called: <at ...>, @all."""
    MARKUP = "markup"
    """Unknown: it may read some kind of markup."""


_EXACT = frozenset(
    {
        *("mailto", "mailtos", "json", "jsons", "xml", "xmls", "form", "forms"),
        *("rsyslog", "syslog", "desktop"),
    }
)
_CHAT = frozenset(["wecombot", "dingtalk", "feishu", "lark"])
_LONGEST = {"wecombot": 2000}
_USUAL_LONGEST = 15_000


def manner_of(url: str) -> Manner:
    scheme = _scheme(url)
    if scheme in _EXACT:
        return Manner.EXACT
    return Manner.CHAT if scheme in _CHAT else Manner.MARKUP


def longest(url: str) -> int:
    """Return how many bytes a message to this address may have, title included."""
    return _LONGEST.get(_scheme(url), _USUAL_LONGEST)


def _scheme(url: str) -> str:
    scheme, _, rest = url.partition("://")
    if scheme.lower() == "https" and rest.startswith("qyapi.weixin.qq.com/"):
        return "wecombot"  # the address as WeCom shows it
    return scheme.lower()


def harmless(words: str, manner: Manner, most: int = MOST) -> str:
    """Return the words on one line, not longer than `most` characters."""
    shown = printable(words)
    if len(shown) > most:
        shown = shown[: most - 1] + "…"
    if manner is Manner.EXACT:
        return shown
    shown = shown.replace("://", "：//")
    return shown.translate(_CALLS if manner is Manner.CHAT else _MARKUP)
