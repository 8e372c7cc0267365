"""Every kind of alert has a test that raises one and resolves it, through the product.

Such a test says so by the mark `raises_and_resolves(AlertKind.X)`. The mark is believed only
where the station's catalogue has an alert of that kind after the test that is resolved.
"""

import ast
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from recorder_sync.model import AlertKind

MARK = "raises_and_resolves"


def check(test: pytest.Item) -> None:
    """Fail a test whose mark promises what its station has no trace of."""
    for mark in test.iter_markers(MARK):
        folder: Path = test.funcargs["tmp_path"]  # type: ignore[attr-defined]
        for kind in mark.args:
            found = any(_is_resolved(path, kind) for path in _catalogues(folder))
            assert found, f"no alert {kind} was raised and resolved"


def _catalogues(folder: Path) -> Iterator[Path]:
    """Yield the catalogues of stations that may still be at work: their folders come and go."""
    for inside, _, files in os.walk(folder):
        if "catalogue.db" in files:
            yield Path(inside, "catalogue.db")


def _is_resolved(catalogue: Path, kind: AlertKind) -> bool:
    select = "select 1 from alerts where kind = ? and state = 'resolved'"
    with closing(sqlite3.connect(catalogue)) as db:
        return db.execute(select, [kind.value]).fetchone() is not None


def marked() -> Iterator[AlertKind]:
    """Yield the kinds that are marked in any file of tests, whether or not it is run now."""
    for path in sorted(Path(__file__).parent.rglob("test_*.py")):
        text = path.read_text("utf-8")
        if MARK not in text:
            continue
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", None) == MARK:
                yield from (
                    AlertKind[arg.attr] for arg in node.args if isinstance(arg, ast.Attribute)
                )
