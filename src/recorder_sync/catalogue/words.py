"""Text as words for full-text search.

SQLite's tokenizer takes a run of Chinese characters for one word, so that 李 would not
find 李明. Here each such character becomes a word of its own, and a search for several
becomes a phrase.
"""

import unicodedata

_ASCII = {code: " " for code in range(128) if not chr(code).isalnum()}


def words(text: str) -> str:
    """Return the text with every ideograph standing alone, other marks as spaces."""
    if text.isascii():
        return " ".join(text.translate(_ASCII).split())
    parts = []
    for character in unicodedata.normalize("NFKC", text):
        if _is_ideograph(character):
            parts.append(f" {character} ")
        else:
            parts.append(character if character.isalnum() else " ")
    return " ".join("".join(parts).split())


def phrase(text: str) -> str | None:
    """Return the FTS5 query for text that contains these words in this order, the last
    one perhaps cut short; None when there is no word in it."""
    found = words(text)
    return f'"{found}" *' if found else None


def _is_ideograph(character: str) -> bool:
    return unicodedata.category(character) == "Lo" and ord(character) >= 0x2E80
