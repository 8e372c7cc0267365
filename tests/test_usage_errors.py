"""What the command line refuses is said in the language of the station, and nothing is done."""

import re

import pytest

from tests.conftest import Dock

REFUSED = {
    ("nosuch",): "nosuch",
    ("recordings", "nosuch"): "nosuch",
    ("recordings", "list", "--limti", "5"): "--limit",
    ("ingest", "-q", "card"): "-q",
    ("recordings", "list", "--limit", "x"): "--limit",
    ("recordings", "list", "--limit", "0"): "--limit",
    ("recordings", "list", "--limit"): "--limit",
    ("recordings", "list", "--late=5"): "--late",
    ("recordings", "list", "extra"): "extra",
    ("recordings", "show"): "ID",
    ("deferrals", "add", "--reason", "nix"): "nix",
}


@pytest.mark.parametrize("arguments", REFUSED, ids=" ".join)
def test_a_slip_is_told_in_chinese_with_the_word_that_is_wrong(
    dock: Dock, arguments: tuple[str, ...]
) -> None:
    done = dock.run(*arguments, env={"RECORDER_SYNC_LANGUAGE": "zh_CN"})
    assert done.code == 2
    assert done.out == ""
    said, hint = done.err.strip().splitlines()
    assert REFUSED[arguments] in said
    command = "recorder-sync" + "".join(f" {a}" for a in arguments[:2] if a in hint)
    assert hint.endswith(f"{command} --help")
    if "nix" not in arguments:  # what is allowed is as it has to be typed
        rest = re.sub(r"--?\w+|\b(?:nosuch|extra|ID)\b", "", said)
        assert not re.search("[A-Za-z]{2,}", rest), said
    assert re.search("[\u4e00-\u9fff]", said)


def test_in_json_a_slip_is_a_document_like_every_other_error(dock: Dock) -> None:
    done = dock.run("recordings", "list", "--limit", "x", "--json")
    assert done.code == 2
    assert done.json["error"] == "--limit should be a number."


def test_a_group_of_commands_alone_shows_what_there_is(dock: Dock) -> None:
    done = dock.run("recordings")
    assert done.code == 2
    assert "export" in done.err
    assert "✘" not in done.err


def test_the_help_names_every_command_in_a_whole_line(dock: Dock) -> None:
    lines = dock.run("--help").out.splitlines()
    listed = [line for line in lines if re.match(r"  [a-z]+ {2,}[A-Z]", line)]
    assert len(listed) > 20
    assert [line for line in listed if not line.endswith((".", "…"))] == []
    assert [line for line in listed if line.count("(") != line.count(")")] == []
