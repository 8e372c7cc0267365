"""Text from a card, in a form that can neither fool a terminal nor break a line."""


def printable(text: str) -> str:
    """Return the text with control and other unprintable characters as escapes.

    Bytes that were not UTF-8 (lone surrogates, as Python keeps them) show as U+FFFD.
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    if "\ud800" <= character <= "\udfff":
        return "\ufffd"
    return character.encode("unicode_escape").decode()
