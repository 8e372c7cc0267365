"""The API of a station with some recordings, served once for a whole file of tests."""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest

from tests.conftest import Card, Dock, MediaFiles
from tests.web.served import Service

Caller = Callable[..., httpx.Client]
_NUMBERS = count(1)


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, media_files: MediaFiles) -> Iterator[Service]:
    folder: Path = tmp_path_factory.mktemp("api")
    dock = Dock(folder)
    served = Service(dock)
    served.configure(
        ingest={"immutable": False}, web={"requests_per_s": 10_000.0, "tries_at_once": 20}
    )
    card = Card(folder / "card")
    card.put("DCIM/0031_000010_20261123_080000.mp4", media_files.video)
    card.put("DCIM/0031_000010_20261123_090000.mp4", media_files.other_video)
    card.put("DCIM/0031_000010_20261123_100000.wav", media_files.audio)
    assert dock.run("devices", "add", "0031", "--officer", "000010").code == 0
    assert dock.ingest(card, "--device", "0031").code == 0
    with served:
        yield served


@pytest.fixture
def caller(api: Service, request: pytest.FixtureRequest) -> Iterator[Caller]:
    """Make clients with a token of their own."""
    clients: list[httpx.Client] = []

    def made(*scopes: str, cleared: str = "none") -> httpx.Client:
        name = f"{request.node.name.partition('[')[0][:50]}-{next(_NUMBERS)}"
        options = [word for scope in scopes for word in ("--scope", scope)]
        done = api.dock.run("tokens", "add", name, *options, "--cleared", cleared, "--json")
        assert done.code == 0, done.err
        clients.append(
            httpx.Client(
                base_url=f"{api.address}/api/v1",
                headers={"authorization": f"Bearer {done.json['token']}"},
                timeout=30,
            )
        )
        return clients[-1]

    yield made
    for client in clients:
        client.close()
