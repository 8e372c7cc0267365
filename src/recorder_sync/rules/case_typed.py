"""Which cases somebody means who types a part of one, mostly on keys that are digits only. Pure.

Digits are held against all digits of the number, whatever stands between: 20267 means
冀石执〔2026〕7号. Other words are a part of the number or of the party. Each word counts.
"""

from unicodedata import normalize


def is_meant(typed: str, number: str, party: str | None) -> bool:
    """Tell whether a case may be the one; nothing typed means any."""
    called = _plain(number)
    digits = "".join(c for c in called if c.isdecimal())
    names = (called, _plain(party or ""))
    return all(
        any(word in name for name in names) or (word.isdecimal() and word in digits)
        for word in _plain(typed).split()
    )


def _plain(text: str) -> str:
    """Return a text without capitals and wide forms."""
    return normalize("NFKC", text).casefold()
