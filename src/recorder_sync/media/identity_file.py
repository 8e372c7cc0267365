"""Identity files on a card: plain text, ini, JSON or XML, often in a Chinese encoding.

Runs in the confined process only. What comes out is a flat list of keys and values;
which key means what is the profile's business.
"""

import configparser
import json
import os
from xml.etree.ElementTree import Element

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

LARGEST = 1 << 20
"""Bytes; an identity file is small, so a larger one is none."""

_MOST_ITEMS = 10_000
_LONGEST_VALUE = 256


def read(path: bytes, form: str) -> list[dict[str, str]]:
    """Return the file's facts, lower-case keys: one dictionary, or for XML one for each
    element that has attributes or children with text.

    Raises ValueError when the file is not what its form says, OSError when it cannot be
    read.
    """
    with open(path, "rb", opener=open_quietly) as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError("larger than an identity file can be")
    match form:
        case "text":
            return [_short({"number": _text(data).strip().splitlines()[0] if data.strip() else ""})]
        case "ini":
            return [_short(_ini(_text(data)))]
        case "json":
            return [_short(_json(_text(data)))]
        case "xml":
            return [_short(one) for one in _xml(data)]
    raise ValueError(f"no such form: {form}")


def open_quietly(path: str, flags: int) -> int:
    """Open a file without leaving an access time, where its owner asks (open(2))."""
    try:
        return os.open(path, flags | os.O_NOATIME)
    except PermissionError:
        return os.open(path, flags)


def _text(data: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ValueError("neither UTF-8 nor GB 18030")


def _ini(text: str) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None, strict=False, allow_no_value=True)
    try:
        parser.read_string(text if text.lstrip().startswith("[") else "[-]\n" + text)
    except configparser.Error as error:
        raise ValueError(f"not an ini file: {type(error).__name__}") from error
    return {
        key: value or "" for section in parser.sections() for key, value in parser.items(section)
    }


def _json(text: str) -> dict[str, str]:
    found = json.loads(text)
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")
    return {str(k): str(v) for k, v in found.items() if isinstance(v, str | int | float)}


def _xml(data: bytes) -> list[dict[str, str]]:
    try:
        root = fromstring(data)
    except (ParseError, DefusedXmlException, LookupError) as error:
        raise ValueError(f"not a plain XML file: {type(error).__name__}") from error
    return [facts for element in list(root.iter())[:_MOST_ITEMS] if (facts := _facts(element))]


def _facts(element: Element) -> dict[str, str]:
    leaves = {c.tag: c.text.strip() for c in element if len(c) == 0 and c.text and c.text.strip()}
    return {**leaves, **element.attrib}


def _short(facts: dict[str, str]) -> dict[str, str]:
    return {_plain(k).lower(): _plain(v) for k, v in facts.items() if v.strip()}


def _plain(text: str) -> str:
    """Return the text short, and whole as UTF-8: JSON can name half a character."""
    return text.strip()[:_LONGEST_VALUE].encode("utf-8", "replace").decode()
