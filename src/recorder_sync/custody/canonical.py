"""Canonical JSON (RFC 8785): one form of a value, so that one digest stands for it.

What most entries are made of (text, whole numbers, names in ASCII) Python's own encoder
writes in exactly this form, ten times faster than the library. Everything else, fractions
above all, is left to the library.
"""

import json
from collections.abc import Iterable
from typing import Any

import rfc8785

_LARGEST = (1 << 53) - 1
"""The largest whole number that every JSON reader keeps exactly (RFC 8785, 3.2.2.3)."""

_encoded = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
).encode


def canonical(value: object) -> bytes:
    """Return the canonical form, in UTF-8.

    Raises rfc8785.CanonicalizationError for what JSON cannot hold.
    """
    if _is_plain(value):
        return _encoded(value).encode()
    return rfc8785.dumps(value)  # type: ignore[arg-type]  # it checks what it is given


def _is_plain(value: object) -> bool:
    """Tell whether Python's encoder writes the value canonically.

    It sorts names by code point, which for ASCII is the order of UTF-16 that the RFC asks for.
    """
    inside: list[object] = [value]
    for one in inside:  # it grows by what is in them
        if isinstance(one, str):  # an enumeration's text as well
            if not (one.isascii() or one.isprintable()):
                return False
        elif one is None or one is True or one is False:
            continue
        elif type(one) is int:
            if not -_LARGEST <= one <= _LARGEST:
                return False
        elif type(one) is dict:
            if not _are_plain_names(one):
                return False
            inside += one.values()
        elif type(one) is list:
            inside += one
        else:
            return False
    return True


def _are_plain_names(names: Iterable[Any]) -> bool:
    try:
        return "".join(names).isascii()
    except TypeError:  # a name that is no text: the library will say so
        return False
