"""Who sees the dock screen, and what somebody at a tile may do."""

import json
import os
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from recorder_sync.access import pins
from recorder_sync.access.database import open_accounts
from recorder_sync.rules.docking import Stay
from recorder_sync.station import now
from tests.conftest import Card, Dock, MediaFiles
from tests.web.made_dock import row, shown_by
from tests.web.served import Service

PIN = "582931"


def test_from_elsewhere_the_screen_is_seen_by_who_may_see_the_station(dock: Dock) -> None:
    served = Service(dock)
    served.configure(web={"dock_networks": ["192.0.2.0/24"]})
    assert dock.run("officers", "add", "000001").code == 0
    with served:
        for path in ("/dock", "/dock/now", "/dock/stream", "/dock/officer/some-docking"):
            answer = httpx.get(served.address + path)
            assert (answer.status_code, answer.headers["location"][:8]) == (303, "/sign-in"), path
        served.account("zhou", "custodian")
        served.account("wang", "officer", "--officer", "000001")
        with served.signed_in("zhou") as client:
            assert client.get("/dock").status_code == 200
            assert client.get("/dock/now").json()["state"] == "down"
            with client.http.stream("GET", "/dock/stream") as answer:
                assert answer.headers["content-type"].startswith("text/event-stream")
                lines = (line for line in answer.iter_lines() if line.startswith("data: {"))
                assert json.loads(next(lines)[6:])["whole"]
        with served.signed_in("wang") as client:
            assert client.get("/dock").status_code == 403


@pytest.mark.parametrize("wrong_by", [timedelta(minutes=1), timedelta(days=-300)])
def test_a_status_that_a_dead_daemon_left_is_shown_as_unknown_from_the_first_moment(
    dock: Dock, tmp_path: Path, wrong_by: timedelta
) -> None:
    """Its process id may be another's by now, and the clock may have been set back since."""
    runtime = tmp_path / "run"
    served = Service(dock)
    served.configure(paths={"runtime": str(runtime)})
    file = runtime / "status.json"
    with shown_by(runtime, [row("1-1.1", Stay.SAFE, "0031")]):
        left = json.loads(file.read_text("utf-8"))
    left |= {"at": (now() - wrong_by).isoformat(), "pid": os.getpid()}
    file.write_text(json.dumps(left), encoding="utf-8")
    with served:
        shown = httpx.get(f"{served.address}/dock/now").json()
        assert (shown["state"], shown["tiles"][0]["kind"]) == ("stale", "lost")


def _taken_in(dock: Dock, card: Card, media_files: MediaFiles) -> tuple[str, dict[str, str]]:
    """Take in a card with clips of two officers; return the docking, and each one's clip."""
    clip = media_files.other_video.read_bytes()
    for officer in ("000001", "000010"):
        content = clip + officer.encode()
        card.put(f"DCIM/DCAM_ZFY0031_{officer}_20261123_160000.mp4", content)
        assert dock.run("officers", "add", officer, "--unit", f"unit {officer}").code == 0
    done = dock.ingest(card).json
    for number, party in (("冀石执〔2026〕17号", "李四餐饮"), ("2026-21", "王五建材")):
        assert dock.run("cases", "add", number, "--party", party).code == 0
    with closing(open_accounts(dock.state)) as accounts:
        for officer in ("000001", "000010"):
            pins.set_pin(accounts, officer, PIN, now())
    return done["docking"], {one["officer"]["cert_no"]: one["id"] for one in done["recordings"]}


def test_an_officer_reaches_their_own_clips_for_a_minute_and_nothing_else(
    service: Service, card: Card, media_files: MediaFiles
) -> None:
    docking, clips = _taken_in(service.dock, card, media_files)
    mine, other = clips["000001"], clips["000010"]
    at = f"/dock/officer/{docking}"
    with httpx.Client(base_url=service.address, timeout=30) as client:
        nobody = client.post(f"{at}/important", data={"clip": mine, "is_so": "yes"})
        assert nobody.status_code == 401
        wrong = client.post(f"{at}/identify", data={"officer": "000001", "pin": "111222"})
        assert (wrong.status_code, "dock" in wrong.cookies) == (401, False)

        sheet = client.post(f"{at}/identify", data={"officer": "000001", "pin": PIN})
        assert sheet.status_code == 200
        assert mine in sheet.text
        assert other not in sheet.text
        assert "HttpOnly" in sheet.headers["set-cookie"]
        assert "SameSite=strict" in sheet.headers["set-cookie"]

        foreign = client.post(f"{at}/important", data={"clip": other, "is_so": "yes"})
        assert foreign.status_code == 422
        assert client.get(f"{at}/picture/{other}").status_code == 404
        invented = client.post(f"{at}/case", data={"clip": mine, "case": "17"})
        assert invented.status_code == 422, "a case that there is not"
        elsewhere = client.post("/dock/officer/another/important", data={"clip": mine})
        assert elsewhere.status_code == 401, "the session is of one docking"
        cross = client.post(
            f"{at}/important", data={"clip": mine}, headers={"origin": "https://evil.example"}
        )
        assert cross.status_code == 403

        assert client.post(f"{at}/important", data={"clip": mine}).status_code == 200
        assert client.post("/dock/officer/leave").status_code == 204
        assert client.post(f"{at}/notified", data={"clip": mine}).status_code == 401

        for _ in range(5):
            client.post(f"{at}/identify", data={"officer": "000010", "pin": "111222"})
        locked = client.post(f"{at}/identify", data={"officer": "000010", "pin": PIN})
        assert locked.status_code == 401
        assert "15 minutes" in locked.text

    log = service.dock.run("custody", "log", "--json").json["entries"]
    by_officer = {(e["act"], e["subject"]) for e in log if e["actor"] == "officer:000001"}
    assert by_officer == {("view", mine), ("mark", mine)}


@dataclass(frozen=True)
class Tile:
    dock: Dock
    client: httpx.Client
    at: str
    mine: str
    other: str

    def identify(self) -> None:
        self.client.post(f"{self.at}/identify", data={"officer": "000001", "pin": PIN})


@pytest.fixture(scope="module")
def tile(tmp_path_factory: pytest.TempPathFactory, media_files: MediaFiles) -> Iterator[Tile]:
    """The tile of a device with clips of two officers; the first of them stands there."""
    folder = tmp_path_factory.mktemp("tile")
    dock = Dock(folder)
    service = Service(dock)
    service.configure()
    docking, clips = _taken_in(dock, Card(folder / "camera"), media_files)
    with service, httpx.Client(base_url=service.address, timeout=30) as client:
        at = f"/dock/officer/{docking}"
        yield Tile(dock, client, at, clips["000001"], clips["000010"])


def test_art_6_to_9_an_officer_says_at_the_tile_what_the_clips_show(tile: Tile) -> None:
    tile.identify()
    of_other, unknown = {"clip": tile.other, "item": "7.3"}, {"clip": tile.mine, "item": "99"}
    for wrong in (of_other, unknown, {"item": "7.3"}):
        assert tile.client.post(f"{tile.at}/shows", data=wrong).status_code == 422
    for fields in ({"item": "7.3"}, {"stage": "service and execution"}, {}):
        sheet = tile.client.post(f"{tile.at}/shows", data={"clip": tile.mine, **fields})
        assert sheet.status_code == 200, sheet.text
    log = tile.dock.run("custody", "log", "--json").json["entries"]
    made = sorted((e for e in log if e["act"] == "mark"), key=lambda e: e["seq"])
    after = [(e["facts"]["after"]["stage"], e["facts"]["after"]["item"]) for e in made]
    assert after == [("investigation", "7.3"), ("service and execution", None), (None, None)]
    assert {(e["actor"], e["subject"]) for e in made} == {("officer:000001", tile.mine)}
    assert made[-1]["facts"]["reason"] == "taken back at the dock"


def test_an_officer_finds_the_units_open_cases_by_digits(tile: Tile) -> None:
    dock, number = tile.dock, "冀石执〔2026〕17号"
    assert dock.run("cases", "add", "2026-17-99", "--party", "别队").code == 0
    moved = ("--case", "2026-17-99", "--by", "x", "--reason", "x")
    assert dock.run("recordings", "tag", tile.other, *moved).code == 0
    assert dock.run("cases", "add", "2026-171").code == 0
    assert dock.run("cases", "close", "2026-171", "--on", "2026-11-20").code == 0
    tile.client.post("/dock/officer/leave")
    assert tile.client.get(f"{tile.at}/cases", params={"q": "17"}).status_code == 401

    def found(typed: str) -> list[str]:
        answer = tile.client.get(f"{tile.at}/cases", params={"q": typed})
        assert answer.status_code == 200
        return re.findall(r'name="case" value="([^"]+)"', answer.text)

    def chosen(case: str) -> int:
        form = {"clip": tile.mine, "case": case}
        return tile.client.post(f"{tile.at}/case", data=form).status_code

    tile.identify()
    assert found("") == ["2026-21", number]
    assert found("202617") == [number], "none of another unit, none that is closed"
    assert found("王五") == ["2026-21"]
    assert found("'\"%_<") == []
    assert chosen("2026-171") == chosen("2026-17-99") == 422
    assert chosen(number) == 200
    shown = dock.run("recordings", "show", tile.mine, "--json").json
    assert (shown["case"], shown["tags"]["case"]["source"]) == (number, "person")
