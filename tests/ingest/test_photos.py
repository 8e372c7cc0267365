"""A card full of photos: described from memory where that is possible, and all of them."""

import re
from pathlib import Path

from tests.conftest import Card, Dock, MediaFiles
from tests.ingest.aftermath import ask, check_evidence
from tests.system_calls import system_calls

_PHOTOS = 256
_LARGE = "255.jpg"


def test_what_was_read_back_is_not_read_from_the_disk_again_to_describe_it(
    dock: Dock, card: Card, media_files: MediaFiles, tmp_path: Path
) -> None:
    dock.configure(ingest={"immutable": False})
    names = [f"{number}.jpg" for number in range(_PHOTOS)]
    for number, name in enumerate(names):
        padding = bytes(100_000 if name == _LARGE else 0)
        card.put(name, media_files.photo.read_bytes() + padding + number.to_bytes(2, "big"))
    watched = ("-s", "300", "-e", "trace=execve,openat")
    calls = system_calls(dock.command("ingest", card.path), tmp_path / "calls", *watched)
    (confined,) = re.findall(r'^(\d+) +execve\(.*"recorder_sync\.media\.confined"', calls, re.M)
    opened = set(re.findall(rf'^{confined} +openat\([^"]*"[^"]*?([^/"]+)\.part"', calls, re.M))
    assert "255" in opened, "it is larger than a place in memory"
    assert len(opened) <= _PHOTOS - 64, "the first group always finds a pane"
    check_evidence(dock, *names)
    listed = ask(dock, "recordings", "list", "--limit", "300", "--json").json["recordings"]
    found = {(one["media"]["width"], one["media"]["make"]) for one in listed}
    assert (len(listed), found) == (_PHOTOS, {(320, "SIMULATED")})
