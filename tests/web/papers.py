"""Documents handed in by somebody signed in, as a browser sends them."""

from pathlib import Path

import httpx

from recorder_sync.catalogue import documents
from recorder_sync.ingest.tray import FOLDER
from tests.conftest import Dock
from tests.documents.handing_in import PDF
from tests.web import duties
from tests.web.served import Client

FIELDS = {
    "case": duties.CASE,
    "title": "行政处罚决定书",
    "kind": "issued document",
    "number": "冀石执罚〔2026〕17号",
}


def token_of(client: Client) -> str:
    return client.get("/my-account").text.partition('name="csrf" value="')[2].partition('"')[0]


def hand_in(
    client: Client, content: bytes = PDF, name: str = "决定书.pdf", **fields: str
) -> httpx.Response:
    data = {"csrf": token_of(client), **FIELDS, **fields}
    return client.http.post(
        "/case-documents", data=data, files={"file": (name, content, "application/pdf")}
    )


def id_in(answer: httpx.Response) -> str:
    """Return the id of a document that was handed in."""
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("document=")[2].partition("#")[0].split("&")[0]


def in_tray(dock: Dock) -> list[str]:
    folder: Path = dock.state / FOLDER
    return sorted(path.name for path in folder.glob("*"))


def titles(dock: Dock, case: str = duties.CASE) -> list[str]:
    station = dock.station()
    try:
        return [one.document.given.title for one in documents.of_case(station.catalogue, case)]
    finally:
        station.catalogue.close()
