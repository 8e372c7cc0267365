"""Whatever is put before it, the check answers in words: 0, 1 or 2, and never a traceback."""

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.independent import forging
from tests.independent.conftest import Check
from tests.independent.forging import Pen, chained, entry, keep, leaf, note, write_log
from tests.independent.test_signed import FIRST, proof_of, sealing
from tools import verify_evidence as tool

_FUZZ = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
_NAMES = st.text(max_size=10)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=3),
    max_leaves=8,
)
_BYTES = st.binary(max_size=300) | st.builds(
    lambda value: json.dumps(value).encode(),
    _JSON,
)


def ends_well(*words: object) -> int:
    """Run it in this process, in both languages and forms; return the exit code."""
    codes = {
        tool.main([*map(str, words), *form])
        for form in (["--json"], ["--language", "zh"], ["--language", "en"])
    }
    assert codes <= {0, 1, 2}
    (code,) = codes
    return code


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@_FUZZ
@example(data=b"")
@given(data=_BYTES)
def test_rubbish_in_place_of_any_file(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "file"
        file.write_bytes(data)
        for command in ("proof", "consistency"):
            assert ends_well(command, file, "--verifier", FIRST.vkey) == 1
        assert ends_well("compare", file, file, "--verifier", FIRST.vkey) == 1
        lines = chained([sealing(), entry(), entry()])
        log = write_log(folder / "log", lines, FIRST)
        keep(log, note([leaf(line) for line in lines], FIRST))
        assert ends_well("log", log) == 0
        ends_well("log", log, "--verifier", file)
        assert ends_well("log", log, "--checkpoint", file) == 1
        (log / "verifier-key").write_bytes(data)
        assert ends_well("log", log, "--verifier", FIRST.vkey) == 1
        (log / "checkpoints" / "7").write_bytes(data)
        assert ends_well("log", log, "--verifier", FIRST.vkey) == 1
        (log / f"{3:020d}.jsonl").write_bytes(data + b"\n")
        assert ends_well("log", log, "--verifier", FIRST.vkey) == 1
        copy = folder / "copy"
        copy.mkdir()
        for beside in ("x.custody.jsonl", "x.json", "x.proof.json", "B3SUMS", "SHA256SUMS", "x"):
            (copy / beside).write_bytes(data)
        assert ends_well("export", copy, "--verifier", FIRST.vkey) == 1


@_FUZZ
@given(name=st.sampled_from(["entry", "number", "path", "checkpoint", "verifier", "rotations",
                             "recording", "format"]), value=_JSON)  # fmt: skip
def test_any_value_in_a_proof(name: str, value: Any) -> None:
    lines = chained([sealing(), entry(), entry()])
    proof = {**proof_of(lines, 0, FIRST), name: value}
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "proof"
        file.write_text(json.dumps(proof))
        ends_well("proof", file)
        ends_well("proof", file, "--verifier", FIRST.vkey, "--file", file)


@_FUZZ
@given(
    name=st.sampled_from(["facts", "act", "seq", "prev", "station", "time", "subject", "actor"]),
    inner=st.sampled_from([None, "recording", "description_sha256", "path", "size", "id", "sm3"]),
    value=_JSON,
)
def test_any_value_in_a_log_with_a_sound_chain(name: str, inner: str | None, value: Any) -> None:
    hostile = sealing()
    if inner is None:
        hostile[name] = value
    elif inner in ("recording", "description_sha256"):
        hostile["facts"][inner] = value
    else:
        hostile["facts"]["recording"][inner] = value
    try:
        lines = chained([hostile, entry(), entry()])
    except ValueError:  # half a character cannot be written
        return
    with tempfile.TemporaryDirectory() as folder:
        log = write_log(Path(folder) / "log", lines, FIRST)
        keep(log, note([leaf(line) for line in lines], FIRST))
        store = Path(folder) / "store"
        store.mkdir()
        ends_well("evidence", store, "--log", log, "--verifier", FIRST.vkey)


@pytest.mark.parametrize(
    "path",
    ["../outside", "/etc/passwd", "a/../../outside", "a\0b", "C:\\x", "c:x", "a//b", "", ".", "a/"],
)
def test_no_name_in_a_log_leads_out_of_the_folder(path: str, folder: Path, check: Check) -> None:
    (folder / "outside").write_bytes(b"")
    hostile = sealing()
    hostile["facts"]["recording"]["path"] = path
    lines = chained([hostile])
    log = write_log(folder / "log", lines, FIRST)
    keep(log, note([leaf(line) for line in lines], FIRST))
    (folder / "store").mkdir()
    found = check("evidence", folder / "store", "--log", log, "--verifier", FIRST.vkey)
    assert found.names("bad-seal", "Entry 0")


def test_a_pipe_or_folder_in_place_of_a_file_is_not_waited_for(folder: Path, check: Check) -> None:
    lines = chained([sealing()])
    log = write_log(folder / "log", lines, FIRST)
    keep(log, note([leaf(line) for line in lines], FIRST))
    (folder / "store/a").mkdir(parents=True)
    os.mkfifo(folder / "store/a/b")
    (folder / "store/a/b.json").mkdir()
    os.mkfifo(log / "checkpoints/1")
    found = check("evidence", folder / "store", "--log", log, "--verifier", FIRST.vkey)
    assert found.names("unreadable", "a/b", "no regular file")
    assert found.names("description", "a/b.json", "no regular file")
    assert found.names("bad-note", "checkpoints/1", "no regular file")


def test_a_line_without_end_is_not_read_into_memory(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tool, "LONGEST_LINE", 1000)
    lines = chained([entry(), entry(facts={"x": "y" * 2000}), entry()])
    log = write_log(folder / "log", lines, FIRST)
    assert ends_well("log", log) == 1
    assert "line 2 is cut, or too long" in capsys.readouterr().out


def test_names_cannot_fool_a_terminal(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = chained([sealing()])
    log = write_log(folder / "log", lines, FIRST)
    (folder / "store").mkdir()
    for name in (b"\x1b[2Jx", b"\xff\xfe", "a\u202egpj.exe".encode(), b"two\nlines"):
        Path(os.fsdecode(os.fsencode(folder / "store") + b"/" + name)).write_bytes(b"")
    assert ends_well("evidence", folder / "store", "--log", log) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\u202e" not in out
    assert "\\xff" in out or "\\udcff" in out
    assert "two\\nlines" in out


def test_findings_without_number_are_counted_and_not_all_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tool, "MOST_FINDINGS", 3)
    log = write_log(folder / "log", [b"rubbish"] * 10, Pen(forging.ORIGIN))
    assert ends_well("log", log) == 1
    out = capsys.readouterr().out
    assert "and 8 more findings" in out
    assert '"findings_count": 11' in out
