"""The pages when something below them is gone: nothing is shown that is not on record, and what
is wrong is said."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from recorder_sync.access import pins
from recorder_sync.access.database import open_accounts
from recorder_sync.previews.folder import Form, PreviewFolder, Wanted
from recorder_sync.station import now
from recorder_sync.timestamps import iso
from tests.conftest import Card, Dock, MediaFiles
from tests.faults.target import fill
from tests.ingest.aftermath import mounted
from tests.web.served import Client, Service

MARK = b"these bytes are of a recording"
PICTURE = b"\xff\xd8\xff" + MARK
PIN = "582931"


class Office:
    """A station with one recording, its pictures, and a custodian signed in."""

    def __init__(self, folder: Path, media_files: MediaFiles) -> None:
        self.dock = Dock(folder)
        self.service = Service(self.dock)
        self.service.configure(ingest={"immutable": False}, previews={"enabled": False})
        assert self.dock.run("officers", "add", "000001").code == 0
        card = Card(folder / "card")
        card.put(
            "DCIM/DCAM_CAM001_000001_20261123_100000.mp4", media_files.video.read_bytes() + MARK
        )
        done = self.dock.ingest(card).json
        self.docking, self.recording = done["docking"], done["recordings"][0]["id"]
        with closing(open_accounts(self.dock.state)) as accounts:
            pins.set_pin(accounts, "000001", PIN, now())
        pictures = PreviewFolder(self.dock.state, 1 << 20)
        for form in Form:
            pictures.put(Wanted(self.recording, form), [PICTURE])
        self.service.account("zhou", "custodian")
        made = self.dock.run("tokens", "add", "p", "--scope", "recordings:read",
                             "--scope", "proofs:read", "--json")  # fmt: skip
        self.token = made.json["token"]


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, media_files: MediaFiles) -> Iterator[Office]:
    found = Office(tmp_path_factory.mktemp("trouble"), media_files)
    with found.service:
        yield found


@pytest.fixture(scope="module")
def zhou(office: Office) -> Iterator[Client]:
    with office.service.signed_in("zhou") as client:
        yield client


@contextmanager
def gone(path: Path) -> Iterator[None]:
    """Have a file in the place of a folder, as where a disk was taken away."""
    aside = path.with_name(f"{path.name}.aside")
    path.rename(aside)
    path.touch()
    try:
        yield
    finally:
        path.unlink()
        aside.rename(path)


def ways(office: Office, zhou: Client) -> Iterator[tuple[str, bytes]]:
    """Yield what is answered on each way to evidence."""

    def answered(name: str, answer: httpx.Response) -> tuple[str, bytes]:
        assert answer.status_code in (404, 500, 503), f"{name}: {answer.status_code}"
        return name, answer.content

    at = f"/recordings/{office.recording}"
    yield answered("description", zhou.get(at))
    yield answered("playing", zhou.get(f"{at}/media"))
    yield answered("a range", zhou.get(f"{at}/media", headers={"range": "bytes=-40"}))
    yield answered("preview", zhou.get(f"{at}/preview"))
    yield answered("thumbnail", zhou.get(f"{at}/thumbnail"))
    yield answered("copy", zhou.post("/recordings-copy", ids=office.recording, reason="x"))
    yield answered("marked preview", zhou.post(f"{at}/marked-preview", reason="x"))
    yield answered("proof", zhou.get(f"/custody/proof/{office.recording}"))
    with httpx.Client(base_url=office.service.address, timeout=30) as other:
        bearer = {"authorization": f"Bearer {office.token}"}
        yield answered("api", other.get(f"/api/v1{at}", headers=bearer))
        yield answered("api proof", other.get(f"/api/v1{at}/proof", headers=bearer))
        tile = f"/dock/officer/{office.docking}"
        yield answered(
            "tile", other.post(f"{tile}/identify", data={"officer": "000001", "pin": PIN})
        )
        yield answered("tile picture", other.get(f"{tile}/picture/{office.recording}"))


def test_art_21_nothing_is_shown_on_any_way_that_cannot_be_put_on_record(
    office: Office, zhou: Client
) -> None:
    with gone(office.dock.state / "custody"):
        for name, content in ways(office, zhou):
            assert MARK not in content, name
            assert b"DCAM_CAM001" not in content, name
    assert zhou.get(f"/recordings/{office.recording}/media").content.endswith(MARK)
    assert zhou.get(f"/recordings/{office.recording}/thumbnail").content == PICTURE


def test_where_the_evidence_is_not_mounted_the_pages_say_so_and_go_on(
    office: Office, zhou: Client
) -> None:
    with gone(office.dock.evidence):
        answer = zhou.get(f"/recordings/{office.recording}/media")
        assert answer.status_code == 503
        assert "Check the rights and the disk." in answer.text or "evidence" in answer.text
        for path in (
            "/",
            "/recordings",
            "/dock",
            "/dock/now",
            "/alerts",
            "/verification",
            "/stores",
        ):
            assert zhou.get(path).status_code == 200, path
        assert httpx.get(f"{office.service.address}/metrics").status_code in (200, 503)
    assert zhou.get(f"/recordings/{office.recording}/media").status_code == 200


def test_a_copy_that_cannot_be_read_is_taken_back_on_record(office: Office, zhou: Client) -> None:
    with gone(office.dock.evidence), pytest.raises(httpx.HTTPError):
        zhou.post("/recordings-copy", ids=office.recording, reason="x")
    log = office.dock.run("custody", "log", "--json").json["entries"]
    acts = [one["act"] for one in log if one["subject"] == office.recording]
    assert acts[:2] == ["export-failed", "export"], "newest first"


def test_where_the_catalogue_is_held_by_another_a_page_reads_on_and_a_change_is_told(
    office: Office, zhou: Client
) -> None:
    station = office.dock.station()
    with closing(station.catalogue) as db:
        db.execute("begin immediate")
        for path in ("/", "/recordings", "/devices", "/dock/now"):
            assert zhou.get(path).status_code == 200, path
        db.execute("rollback")


def test_on_a_full_disk_of_the_catalogue_who_is_signed_in_still_reads_what_is_wrong(
    dock: Dock,
) -> None:
    """Nothing can be put on record, so no evidence is shown; but lists and alerts are."""
    dock.state.mkdir()
    with mounted("-t", "tmpfs", "-o", "size=12m", "tmpfs", dock.state):
        service = Service(dock)
        service.configure()
        with service, service.signed_in(service.account("zhou", "custodian")) as client:
            earlier = iso(now() - timedelta(minutes=5))
            with closing(open_accounts(dock.state)) as accounts, accounts.conn:
                accounts.execute("update sessions set seen_at = ?", [earlier])
            fill(dock.state)
            for path in ("/", "/alerts", "/recordings", "/devices", "/dock"):
                assert client.get(path).status_code == 200, path
            assert "cannot be noted" in service.log


def test_every_answer_has_its_headers_whatever_it_is(office: Office, zhou: Client) -> None:
    at = f"/recordings/{office.recording}"
    answers = {
        "page": zhou.get("/"),
        "redirect": httpx.get(f"{office.service.address}/"),
        "none": zhou.get("/none"),
        "refused": zhou.get("/accounts"),
        "media": zhou.get(f"{at}/media"),
        "range": zhou.get(f"{at}/media", headers={"range": "bytes=0-9"}),
        "beyond": zhou.get(f"{at}/media", headers={"range": "bytes=999999999-"}),
        "thumbnail": zhou.get(f"{at}/thumbnail"),
        "same": zhou.get(
            f"{at}/media", headers={"if-none-match": zhou.http.head(f"{at}/media").headers["etag"]}
        ),
        "form": zhou.http.post("/alerts"),
        "cross": zhou.http.post("/alerts", headers={"origin": "https://evil.example"}),
        "large": zhou.http.post("/alerts", content=b"a" * (2 << 20)),
        "api": httpx.get(f"{office.service.address}/api/v1/cases"),
        "metrics": httpx.get(f"{office.service.address}/metrics"),
        "csv": zhou.get("/statistics/table.csv"),
        "method": zhou.http.put("/alerts"),
        "copy": zhou.post("/recordings-copy", ids=office.recording, reason="x"),
    }
    codes = {name: one.status_code for name, one in answers.items()}
    assert (codes["range"], codes["beyond"], codes["same"]) == (206, 416, 304)
    assert (codes["cross"], codes["large"], codes["method"]) == (403, 403, 405)
    with gone(office.dock.state / "custody"):
        answers["trouble"] = zhou.get(f"/custody/proof/{office.recording}")
    for name, one in answers.items():
        assert "default-src 'none'" in one.headers["content-security-policy"], name
        assert one.headers["x-content-type-options"] == "nosniff", name
        assert one.headers["x-frame-options"] == "DENY", name
        assert one.headers["referrer-policy"] == "same-origin", name
        cache = one.headers["cache-control"]
        assert cache == ("private, max-age=600" if name == "thumbnail" else "no-store"), name
        assert "server" not in one.headers, name
