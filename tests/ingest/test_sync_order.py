"""Sealed means on stable storage (promise 2): the order of writes, syncs and moves, as the
kernel is asked for them.

A power cut shows less: ext4 puts a new file on the medium with the journal when its folder is
synced, whether or not the file itself was. Other file systems need not.
"""

import re
from pathlib import Path

import pytest

from tests.conftest import Card, Dock, MediaFiles
from tests.ingest.aftermath import check_evidence, large
from tests.system_calls import system_calls

_CALLS = "pwrite64,write,fsync,ftruncate,renameat,renameat2,rename"
_BEGIN = re.compile(r"^(?P<thread>\d+) +(?P<call>\w+)\((?P<arguments>.*)$")
_END = re.compile(r"^(?P<thread>\d+) +<\.\.\. \w+ resumed>")
_FILE = re.compile(r"^\d+<(?P<path>[^>]*)>")
_MOVED = re.compile(r'^\d+<(?P<folder>[^>]*)>, "(?P<name>[^"]*)", \d+<(?P<to>[^>]*)>, "[^"]*"')

Event = tuple[str, str]
"""A call and the path it is about; of a move the old path, and then `arrived` at the folder."""


def events(trace: str) -> list[Event]:
    """Return what was asked for, in order: writes and moves as they begin, syncs as they end."""
    found: list[Event] = []
    pending: dict[str, Event] = {}
    for line in trace.splitlines():
        if ended := _END.match(line):
            if event := pending.pop(ended["thread"], None):
                found.append(event)
            continue
        if not (begun := _BEGIN.match(line)):
            continue
        call, arguments = begun["call"], begun["arguments"]
        if moved := _MOVED.match(arguments):
            found += [
                ("move", f"{moved['folder']}/{moved['name']}"),
                ("arrived", moved["to"]),
            ]
        elif file := _FILE.match(arguments):
            event = ("sync" if call == "fsync" else "write", file["path"])
            if event[0] == "sync" and "<unfinished" in line:
                pending[begun["thread"]] = event
            elif event[0] == "write" or line.endswith("= 0"):
                found.append(event)
    return found


@pytest.mark.parametrize("photos", [3, 200], ids=["in this process", "in the process beside"])
def test_promise_2_a_recording_is_synced_before_it_is_in_its_place_and_its_folder_after(
    dock: Dock, card: Card, media_files: MediaFiles, tmp_path: Path, photos: int
) -> None:
    names = [f"{number}.jpg" for number in range(photos)]
    for number, name in enumerate(names):
        card.put(name, media_files.photo.read_bytes() + number.to_bytes(2, "big"))
    for number in range(2):
        names.append(f"{number}.mp4")
        with large(card, names[-1], media_files.video, 5 << 20).open("ab") as file:
            file.write(bytes([number]))
    command = dock.command("ingest", card.path)
    watched = ("-y", "-s", "0", "-e", f"trace={_CALLS}")
    calls = system_calls(command, tmp_path / "calls", *watched)
    check_evidence(dock, *names)
    asked = events(calls)
    moves = [
        (at, path) for at, (call, path) in enumerate(asked) if call == "move" and ".part" in path
    ]
    assert len(moves) == len(names)
    for at, path in moves:
        before = [call for call, about in asked[:at] if about == path]
        assert "write" in before, path
        assert before[-1] == "sync", f"{path} was in its place before it was synced"
        _, folder = asked[at + 1]
        assert ("sync", folder) in asked[at:], f"{folder} was never synced"
    descriptions = {path for call, path in asked if call == "write" and path.endswith(".json")}
    assert len(descriptions) == len(names)
    for path in descriptions:
        assert [call for call, about in asked if about == path][-1] == "sync", path
