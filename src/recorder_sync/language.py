"""What people read, in their language.

Every sentence for a person is written in English in the code, and translated by
the catalogue in `locale/`. A `Text` keeps the sentence and its values apart, so
that one event can be shown in Chinese on the dock screen and logged in English.
The station's language is chosen once, when a command starts; a page of the web service is in
the language of whoever looks at it.
"""

import gettext
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from pathlib import Path

from recorder_sync.printable import printable

_LOCALE = Path(__file__).parent / "locale"
_DOMAIN = "recorder_sync"


class Language(StrEnum):
    CHINESE = "zh_CN"
    ENGLISH = "en"


_chosen = Language.CHINESE
_spoken: ContextVar[Language | None] = ContextVar("spoken", default=None)


def use_language(language: Language) -> None:
    """Choose the language of `Text.shown` and `tr` for this process."""
    global _chosen  # noqa: PLW0603 - one process speaks one language
    _chosen = language
    # The command line library speaks through gettext as well.
    gettext.bindtextdomain(_DOMAIN, _LOCALE)
    gettext.textdomain(_DOMAIN)
    os.environ["LANGUAGE"] = language.value


def chosen_language() -> Language:
    return _spoken.get() or _chosen


@contextmanager
def speaking(language: Language | None) -> Iterator[None]:
    """Speak another language within the block, in this task or thread only; None: the chosen."""
    token = _spoken.set(language)
    try:
        yield
    finally:
        _spoken.reset(token)


@cache
def _translations(language: Language) -> gettext.NullTranslations:
    return gettext.translation(_DOMAIN, _LOCALE, languages=[language.value], fallback=True)


@dataclass(frozen=True, slots=True)
class Text:
    """A sentence for a person: an English template and the values in it."""

    template: str
    values: dict[str, object] = field(default_factory=dict)

    def in_language(self, language: Language) -> str:
        template = (
            self.template
            if language is Language.ENGLISH
            else _translations(language).gettext(self.template)
        )
        return template.format(**{k: _value(v, language) for k, v in self.values.items()})

    @property
    def english(self) -> str:
        """For logs and JSON."""
        return self.in_language(Language.ENGLISH)

    @property
    def shown(self) -> str:
        """For people, in the station's language."""
        return self.in_language(chosen_language())

    def __str__(self) -> str:
        return self.english


def _value(value: object, language: Language) -> object:
    if isinstance(value, Text):
        return value.in_language(language)
    return value if isinstance(value, int | float) else printable(str(value))


def T(template: str, **values: object) -> Text:  # noqa: N802 - the marker that pybabel extracts by
    """Make a `Text`; `template` is what the translators see."""
    return Text(template, values)


def as_said(words: str) -> Text:
    """Make a `Text` of words on record: a person's own, or a sentence of the catalogue."""
    return Text(words.replace("{", "{{").replace("}", "}}"))


def tr(words: str) -> str:
    """Return fixed words, such as a heading, in the station's language.

    What the catalogue does not know comes back as it is.
    """
    language = chosen_language()
    return words if language is Language.ENGLISH else _translations(language).gettext(words)
