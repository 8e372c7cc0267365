"""Data flows one way: no room imports one of a higher floor (docs/architecture.md)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

_PACKAGE = Path(__file__).parent.parent / "src" / "recorder_sync"

_FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"rules", "model"}),
    frozenset({"catalogue", "custody", "stores", "media"}),
    frozenset(
        {
            *("dock", "ingest", "inspection", "forward", "witnessing", "webhooks"),
            *(
                "station",
                "on_record",
                "watching",
                "alerts",
                "channels",
                "custodian",
                "access",
                "previews",
                "from_store",
            ),
        }
    ),
    frozenset({"cli", "web", "demo", "service", "forward_service", "web_service"}),
)
_FLOOR = {room: floor for floor, rooms in enumerate(_FLOORS) for room in rooms}

_NO_IO = frozenset(
    {
        *("os", "io", "socket", "sqlite3", "subprocess", "threading", "time", "shutil"),
        *("urllib.request", "http", "random", "tempfile", "signal", "fcntl", "mmap"),
    }
)


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "recorder_sync":
            yield from (f"recorder_sync.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def room_of(module: str) -> str | None:
    first, _, rest = module.partition(".")
    return rest.partition(".")[0] if first == "recorder_sync" else None


def files_of(room: str) -> list[Path]:
    one = _PACKAGE / f"{room}.py"
    return [one] if one.exists() else sorted((_PACKAGE / room).rglob("*.py"))


@pytest.mark.parametrize("room", sorted(_FLOOR))
def test_no_room_imports_one_of_a_higher_floor(room: str) -> None:
    up = [
        f"{path.relative_to(_PACKAGE)} imports {module}"
        for path in files_of(room)
        for module in imports(path)
        if _FLOOR.get(room_of(module) or "", 0) > _FLOOR[room]
    ]
    assert files_of(room)
    assert up == []


def test_rules_know_no_clock_no_disk_and_no_network() -> None:
    found = [
        f"{path.name} imports {module}"
        for path in [*files_of("rules"), *files_of("model")]
        for module in imports(path)
        if module in _NO_IO or module.partition(".")[0] in _NO_IO
    ]
    assert found == []


def test_every_folder_is_on_a_floor() -> None:
    folders = {path.parent.name for path in _PACKAGE.glob("*/__init__.py")}
    assert folders <= set(_FLOOR)


def test_every_file_says_first_what_it_is_for() -> None:
    silent = [
        str(path.relative_to(_PACKAGE))
        for path in _PACKAGE.rglob("*.py")
        if not ast.get_docstring(ast.parse(path.read_text("utf-8")))
    ]
    assert silent == []
