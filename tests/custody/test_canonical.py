"""One form of an entry, so that one digest stands for it (RFC 8785), whoever writes it down."""

import json

import pytest
import rfc8785
from hypothesis import given

from recorder_sync.custody import canonical as module
from recorder_sync.custody.canonical import canonical
from tests.any_json import VALUES


@given(VALUES)
def test_it_is_the_form_that_the_library_writes(value: object) -> None:
    assert canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    [
        {"a": 1 << 53},
        {"deep": [{"a": [-(1 << 53)]}]},
        {"a": [float("nan")]},
        {"a": {1: "a name that is no text"}},
        {"a": b"bytes"},
        {"a": [{"b": "\ud800"}]},
    ],
    ids=ascii,
)
def test_what_json_cannot_hold_alike_for_every_reader_is_refused(value: object) -> None:
    with pytest.raises(rfc8785.CanonicalizationError):
        canonical(value)


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1.0]},
        {"a": {"b": 1e21}},
        {"é": 1, "z": {"ﬀ": 2, "😀": 3}},
    ],
    ids=ascii,
)
def test_the_quick_way_is_left_where_python_writes_another_form(
    value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever in the value it is; names are sorted by UTF-16, not by code point."""
    by_python = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    monkeypatch.setattr(module, "_encoded", lambda _: pytest.fail(f"quickly: {by_python}"))
    assert json.loads(canonical(value)) == value
