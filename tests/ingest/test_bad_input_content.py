"""What stands in a card's files is hostile: whoever reads it may hang, die or lie."""

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Card, Dock, MediaFiles
from tests.ingest.aftermath import (
    ask,
    check_done,
    check_evidence,
    check_refused,
    contents,
    descriptions,
    dockings,
)

# -- ffprobe


def with_ffprobe_of_our_own(
    dock: Dock, folder: Path, behaviours: Mapping[str, str], time_limit_s: float = 20.0
) -> None:
    """Let the station use a program that behaves as the first line of each file says."""
    program = folder / "ffprobe"
    cases = "\n".join(f"{name}) {script} ;;" for name, script in behaviours.items())
    program.write_text(
        f'#!/bin/sh\nfor last; do :; done\nread -r name < "${{last#file:}}"\n'
        f"case $name in\n{cases}\nesac\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    dock.configure(media={"ffprobe": str(program), "time_limit_s": time_limit_s})


def take_in_with_ffprobe(
    dock: Dock,
    card: Card,
    media_files: MediaFiles,
    behaviours: Iterable[str],
    *,
    hurried: bool = False,
) -> dict[str, Any]:
    """Take in one recording for each behaviour; return the RECORDINGs by behaviour.

    All are sealed, and so is a photo that needs no ffprobe; `hurried` says that the time
    limit is so short that a busy machine may not even read the photo.
    """
    for name in behaviours:
        card.put(f"{name}.mp4", f"{name}\n".encode() + bytes(5000))
    card.put("photo.jpg", media_files.photo.read_bytes() + b"another")
    names = [path.name for path in card.path.iterdir()]
    before = contents(card.path)
    done = dock.ingest(card)
    assert "Traceback" not in done.err, done.err
    assert done.code in (0, 1)
    assert contents(card.path) == before
    found = {r["original_name"].removesuffix(".mp4"): r for r in done.json["recordings"]}
    photo = found.pop("photo.jpg")
    assert hurried or photo["flags"] == []
    check_evidence(dock, *names, earlier=1)
    return found


def check_flagged(recordings: dict[str, Any]) -> None:
    """Every recording is flagged as unreadable, and says why."""
    unflagged = [name for name, r in recordings.items() if r["flags"] != ["unreadable"]]
    assert unflagged == []
    silent = [name for name, r in recordings.items() if not r["media"]["detail"]]
    assert silent == []


def lasting(folder: Path, name: str, script: str) -> Path:
    """Make a program that can be found among the running ones by its path."""
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n: end\n", encoding="utf-8")
    program.chmod(0o755)
    return program


def running(program: Path) -> list[str]:
    """Return the command lines of the running processes that name a program."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it has just ended
            continue
        if str(program) in line:
            found.append(line)
    return found


def test_without_ffprobe_nothing_is_done_and_it_is_said_what_to_do(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video)
    evidence, before = contents(stocked.evidence), contents(card.path)
    for named, what_to_do in (
        ("nonexistent", "apt-get install ffmpeg"),
        ("/nonexistent", "correct it in the configuration"),
    ):
        stocked.configure(media={"ffprobe": named})
        check_refused(stocked.ingest(card), 3, named, what_to_do)
        assert contents(stocked.evidence) == evidence
        assert contents(card.path) == before
        assert len(dockings(stocked)) == 1
    stocked.configure()
    assert stocked.ingest(card).json["sealed"] == 1
    check_evidence(stocked, "clip.mp4", earlier=1)


def test_an_ffprobe_that_hangs_costs_only_the_description_and_is_ended(
    stocked: Dock, card: Card, media_files: MediaFiles, tmp_path: Path
) -> None:
    sleeper = lasting(tmp_path, "sleeper", "sleep 1000")
    behaviours = {
        "hangs": str(sleeper),
        "has-children-that-hang": f"{sleeper} & {sleeper}",
        "stops-its-parent": "kill -STOP $PPID",
    }
    with_ffprobe_of_our_own(stocked, tmp_path, behaviours, time_limit_s=1)
    check_flagged(take_in_with_ffprobe(stocked, card, media_files, behaviours, hurried=True))
    assert running(sleeper) == []


def test_an_ffprobe_that_crashes_costs_only_the_description(
    stocked: Dock, card: Card, media_files: MediaFiles, tmp_path: Path
) -> None:
    behaviours = {
        "crashes": "kill -SEGV $$",
        "is-killed": "kill -KILL $$",
        "fails": "exit 1",
        "fails-silently": "exit 0",
        "kills-its-parent": "kill -KILL $PPID",
    }
    with_ffprobe_of_our_own(stocked, tmp_path, behaviours)
    check_flagged(take_in_with_ffprobe(stocked, card, media_files, behaviours))


def test_an_ffprobe_that_never_stops_talking_costs_only_the_description(
    stocked: Dock, card: Card, media_files: MediaFiles, tmp_path: Path
) -> None:
    talker = lasting(tmp_path, "talker", "yes")
    behaviours = {"answers-for-ever": str(talker), "complains-for-ever": f"{talker} >&2"}
    with_ffprobe_of_our_own(stocked, tmp_path, behaviours, time_limit_s=2)
    check_flagged(take_in_with_ffprobe(stocked, card, media_files, behaviours, hurried=True))
    assert running(talker) == []


_NONSENSE = {
    "nothing": "",
    "rubbish": "\x00\x01\x02 not json",
    "half": '{"format": {"format_name": "mov,mp4", "dura',
    "null": "null",
    "list": "[]",
    "number": "17",
    "text": '"format"',
    "empty-object": "{}",
    "format-is-a-list": '{"format": [], "streams": []}',
    "format-without-name": '{"format": {}, "streams": []}',
    "no-streams": '{"format": {"format_name": "mov"}}',
    "streams-are-a-number": '{"format": {"format_name": "mov"}, "streams": 5}',
    "streams-of-numbers": '{"format": {"format_name": "mov"}, "streams": [1, null]}',
    "tags-are-a-list": '{"format": {"format_name": "mov", "tags": [1]}, "streams": []}',
    "many-brackets": "[" * 100_000,
    "six-megabytes": '{"format": "' + "x" * 6_000_000 + '"}',
}


def test_an_ffprobe_whose_answer_makes_no_sense_costs_only_the_description(
    stocked: Dock, card: Card, media_files: MediaFiles, tmp_path: Path
) -> None:
    with_ffprobe_of_our_own(stocked, tmp_path, _answers(tmp_path, _NONSENSE))
    check_flagged(take_in_with_ffprobe(stocked, card, media_files, _NONSENSE))


def _answers(folder: Path, answers: Mapping[str, str]) -> dict[str, str]:
    """Put the answers into files; return the behaviours that print them."""
    for name, answer in answers.items():
        (folder / name).write_text(answer, encoding="utf-8")
    return {name: f"cat '{folder / name}'" for name in answers}


def _stream(**values: object) -> dict[str, object]:
    video = {"codec_type": "video", "codec_name": "mpeg4", "width": 320, "height": 240}
    return {"format": {"format_name": "mov,mp4"}, "streams": [{**video, **values}]}


def _format(**values: object) -> dict[str, object]:
    return {**_stream(), "format": {"format_name": "mov,mp4", **values}}


_ODD_VALUES: dict[str, dict[str, dict[str, object]]] = {
    "numbers": {
        "width-is-a-word": _stream(width="wide", height=[]),
        "width-beyond-exact-numbers": _stream(width=1 << 70, height=-1),
        "width-is-no-number": _stream(width=float("nan"), height=2.5),
        "rate-without-end": _stream(avg_frame_rate="1" * 400 + "/1"),
        "rate-is-a-number": _stream(avg_frame_rate=25),
    },
    "texts": {
        "codec-is-a-list": _stream(codec_name=["mpeg4", {"a": 1}]),
        "codec-is-no-text": _stream(codec_name="\ud800"),
        "container-is-no-text": _format(format_name="mov\udfff"),
        "tags-are-no-text": _format(tags={"\ud800": "\udfff", "title": "\x1b]0;owned\x07"}),
    },
    "times and places": {
        "duration-without-end": _format(duration="1e400"),
        "duration-is-no-number": _format(duration="nan"),
        "duration-is-a-list": _format(duration=[2]),
        "begins-at-the-end-of-time": _format(tags={"creation_time": "9999-12-31T23:59:59-23:59"}),
        "begins-at-the-beginning-of-time": _format(tags={"creation_time": "0001-01-01T00:00:00Z"}),
        "beyond-the-poles": _format(tags={"location": "+99.9999+999.9999/"}),
    },
}


@pytest.mark.parametrize("odd", _ODD_VALUES)
def test_an_ffprobe_with_odd_values_never_costs_a_recording(
    stocked: Dock, card: Card, media_files: MediaFiles, tmp_path: Path, odd: str
) -> None:
    answers = {name: json.dumps(answer) for name, answer in _ODD_VALUES[odd].items()}
    with_ffprobe_of_our_own(stocked, tmp_path, _answers(tmp_path, answers))
    assert set(take_in_with_ffprobe(stocked, card, media_files, answers)) == set(answers)


# -- media files


def test_rubbish_with_a_recordings_ending_is_sealed_and_flagged(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("good.mp4", media_files.video)
    rubbish = [f"rubbish.{ending}" for ending in ("mp4", "jpg", "png", "heic", "wav", "ts", "avi")]
    for name in rubbish:
        card.put(name, os.urandom(70_000))
    before = contents(card.path)
    done = stocked.ingest(card)
    assert contents(card.path) == before
    check_done(done, failed=0)
    flags = {r["original_name"]: r["flags"] for r in done.json["recordings"]}
    assert flags.pop("good.mp4") == []
    assert set(flags) == set(rubbish)
    assert all("unreadable" in found or "truncated" in found for found in flags.values())
    check_evidence(stocked, "good.mp4", *rubbish, earlier=1)


def test_a_photo_is_read_by_what_it_is_and_not_by_its_ending(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    from PIL import Image

    with Image.open(media_files.photo) as photo:
        photo.save(card.path / "honest.png")
        photo.rotate(90).save(card.path / "really a png.jpg", format="PNG")
    card.put("really a jpeg.png", media_files.photo.read_bytes() + b"another")
    done = stocked.ingest(card)
    check_done(done, sealed=3)
    read = {r["original_name"]: r["media"]["codec"] for r in done.json["recordings"]}
    assert read == {"honest.png": "png", "really a png.jpg": "png", "really a jpeg.png": "jpeg"}
    check_evidence(stocked, *read, earlier=1)


def test_a_playlist_never_makes_us_read_another_file(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("good.mp4", media_files.video)
    hls = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"
    concat = b"ffconcat version 1.0\nfile /etc/passwd\n"
    for name in ("hls.mp4", "hls.ts"):
        card.put(name, hls + name.encode())
    card.put("concat.mp4", concat)
    done = stocked.ingest(card)
    check_done(done, sealed=4)
    assert "root:" not in "".join(json.dumps(d) for d in descriptions(stocked))
    check_evidence(stocked, "good.mp4", "hls.mp4", "hls.ts", "concat.mp4", earlier=1)


# -- identity files

_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha" * 50}">' for n in range(12))
_WITHOUT_END = b"<r>" * 100_000
_OF_ANOTHER_FILE = b'<!DOCTYPE r [<!ENTITY x SYSTEM "file:///etc/passwd">]>'

_SAYS_NOTHING: dict[str, bytes] = {
    "000010_20261123.xml": f"<!DOCTYPE r [{_LAUGHS}]><r><officer>&l11;</officer></r>".encode(),
    "000011_20261123.xml": _OF_ANOTHER_FILE + b"<r><officer>&x;</officer></r>",
    "000012_20261123.xml": _WITHOUT_END,
    "000013_20261123.xml": b"\xff\xfe<\x00r\x00",
    "device.json": b"[" * 100_000,
    "recorder.json": b'{"device": ' + b"9" * 5_000 + b"}",
    "identity.json": b'"device"',
    "broken.ini": b"[recorder\nrecorder_serial\n==\n\x00\x01",
    "huge.ini": b"[recorder]\n" + b"recorder_serial = 0031\n" * 90_000,
    "sn.txt": bytes(range(256)) * 16,
}


def test_identity_files_that_say_nothing_are_named_to_a_person_and_cost_nothing(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video)
    for name, content in _SAYS_NOTHING.items():
        card.put(name, content)
    before = contents(card.path)
    done = stocked.run("ingest", card.path)
    assert done.code == 0, done.err
    assert contents(card.path) == before
    assert not set(done.out + done.err) & {"\x1b", "\x00", "\x07"}
    (found,) = (d for d in descriptions(stocked) if d["original_name"] == "clip.mp4")
    assert (found["device"], found["case"]) == (None, None)
    assert "ha" * 60 not in json.dumps(found)
    assert "root:" not in json.dumps(found)
    check_evidence(stocked, "clip.mp4", earlier=1)
    named = {name for name in _SAYS_NOTHING if f"identity file {name} says nothing" in done.err}
    assert named == set(_SAYS_NOTHING)


def test_an_identity_file_with_text_that_is_none_costs_nothing(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video)
    card.put("device.json", b'{"device": "\\ud800", "officer": "\\udfff\\u0000"}')
    before = contents(card.path)
    done = stocked.ingest(card)
    assert contents(card.path) == before
    assert "Traceback" not in done.err, done.err
    assert (done.json["sealed"], done.json["failed"]) == (1, 0)
    check_evidence(stocked, "clip.mp4", earlier=1)


def test_numbers_in_identity_files_cannot_drive_a_terminal(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    hostile = "\x1b]0;owned\x07\u202e[red]"
    card.put("20261123_160000.mp4", media_files.video)
    card.put("recorder.ini", f"recorder_serial = {hostile}\nuser_name = {hostile}\n".encode())
    card.put("device.json", json.dumps({"device": hostile, "case": hostile}).encode())
    card.put("sn.txt", hostile.encode())
    done = stocked.run("ingest", card.path)
    assert done.code in (0, 1), done.err
    (docking, _) = dockings(stocked)
    for shown in (
        done,
        ask(stocked, "dockings", "list"),
        ask(stocked, "dockings", "show", docking["docking"]),
        ask(stocked, "recordings", "list"),
        ask(stocked, "devices", "list"),
        ask(stocked, "officers", "list"),
    ):
        assert shown.code in (0, 1), shown.err
        assert not set(shown.out + shown.err) & {"\x1b", "\x07", "\u202e"}
    check_evidence(stocked, "20261123_160000.mp4", earlier=1)


@pytest.mark.parametrize("device", ["../../../..", "/etc", ".incoming", "B3SUMS", ".", "/"])
def test_a_device_number_that_is_a_path_stays_below_the_evidence_folder(
    stocked: Dock, card: Card, media_files: MediaFiles, device: str
) -> None:
    card.put("clip.mp4", media_files.video)
    card.put("recorder.ini", f"recorder_serial = {device}\n".encode())
    done = stocked.ingest(card)
    check_done(done, sealed=1)
    (recording,) = done.json["recordings"]
    assert recording["device"] == device
    parts = Path(recording["path"]).parts
    assert len(parts) == 5
    assert not set(parts) & {"..", ".", ".incoming", "/"}
    check_evidence(stocked, "clip.mp4", earlier=1)


def test_a_thousand_identity_files_cost_neither_time_nor_recordings(
    stocked: Dock, card: Card, media_files: MediaFiles
) -> None:
    card.put("clip.mp4", media_files.video)
    for number in range(1000):
        card.put(f"{number:06}_20261123.xml", b"<r><officer>1</officer></r>")
    done = stocked.ingest(card)
    assert done.code in (0, 1), done.err
    assert (done.json["sealed"], done.json["failed"]) == (1, 0)
    check_evidence(stocked, "clip.mp4", earlier=1)
