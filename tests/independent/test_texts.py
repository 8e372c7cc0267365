"""The one file says everything in both languages, and runs wherever an expert is."""

import ast
import re
import string
import subprocess

import pytest

from tests.independent.conftest import ALONE, TOOL, ask
from tools.verify_evidence import COMMANDS, TEXTS, arguments

_SOURCE = TOOL.read_text("utf-8")
_TREE = ast.parse(_SOURCE, feature_version=(3, 9))

_STANDARD = {
    *("__future__", "argparse", "base64", "collections", "contextlib", "dataclasses", "decimal"),
    *("hashlib", "json", "locale", "os", "re", "stat", "sys", "time", "typing"),
}


def _values(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def _sayings() -> list[tuple[int, str, set[str], bool]]:
    """Return line, name, values and whether more values are added, of all that is ever said."""
    sayings = []
    for call in ast.walk(_TREE):
        if isinstance(call, ast.Call) and call.args and isinstance(call.args[0], ast.Constant):
            called = call.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")
            if name in ("Wrong", "holds", "finds", "leaves_open", "cannot_read"):
                given = {word.arg for word in call.keywords if word.arg}
                more = any(word.arg is None for word in call.keywords)
                sayings.append((call.lineno, str(call.args[0].value), given, more))
    return sayings


def test_every_text_is_there_in_both_languages_with_the_same_values() -> None:
    assert len(TEXTS) > 80
    for code, (english, chinese) in TEXTS.items():
        assert english.isascii(), code
        assert not chinese.isascii(), code
        assert _values(english) == _values(chinese), code


def test_whatever_is_said_has_its_text_and_its_values() -> None:
    sayings = _sayings()
    assert len(sayings) > 80
    for line, code, given, more in sayings:
        wanted = _values(TEXTS[code][0])
        assert wanted <= given or more, f"line {line}: {code} needs {wanted - given}"
    helped = {f"do-{name}" for name in COMMANDS} | {c for c in TEXTS if c.startswith("o-")}
    shown = {"about", "held", "open", "findings", "holds", "fits-together", "fails"}
    shown |= {"unproven", "no-rights"}
    assert set(TEXTS) - helped - shown == {code for _, code, _, _ in sayings}, "none is unused"


def test_it_needs_nothing_but_python() -> None:
    needed = {
        alias.name.partition(".")[0]
        for imported in ast.walk(_TREE)
        if isinstance(imported, ast.Import)
        for alias in imported.names
    } | {
        (imported.module or "").partition(".")[0]
        for imported in ast.walk(_TREE)
        if isinstance(imported, ast.ImportFrom)
    }
    assert needed - {"cryptography", "blake3"} <= _STANDARD


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("command", [[], *([name] for name in COMMANDS)])
def test_help_is_there_in_both_languages(command: list[str], language: str) -> None:
    done = ask(ALONE, *command, "--help", "--language", language)
    assert done.returncode == 0
    assert TEXTS["do-" + command[0] if command else "about"][language == "zh"][:20] in done.stdout


def test_the_language_is_that_of_the_system() -> None:
    for locale, word in (("zh_CN.UTF-8", "核验"), ("de_DE.UTF-8", "check")):
        done = subprocess.run(
            [*ALONE, str(TOOL), "log", "--help"],
            capture_output=True,
            encoding="utf-8",
            env={"LANG": locale},
            check=True,
        )
        assert word in done.stdout


@pytest.mark.parametrize("words", [[], ["log"], ["look", "/"], ["log", "/nowhere"]])
def test_wrong_usage_and_what_cannot_be_read_end_with_2(words: list[str]) -> None:
    done = ask(ALONE, *words)
    assert done.returncode == 2
    assert done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("page", ["inspector.md", "inspector.zh-CN.md"])
def test_the_commands_of_the_page_for_inspectors_are_commands(page: str) -> None:
    text = (TOOL.parents[1] / "docs" / page).read_text("utf-8")
    commands = re.findall(r"`python3 verify_evidence\.py ([^`]+)`", text)
    asked = {arguments(0).parse_args(command.split()).command for command in commands}
    assert asked == set(COMMANDS)
