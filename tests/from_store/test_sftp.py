"""A lost dock PC comes back from a folder at an SSH server."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w

from tests.conftest import Card, Dock
from tests.forward.conftest import Forwarded
from tests.from_store.conftest import Lost
from tests.on_the_day import today
from tests.stores.conftest import ssh
from tests.stores.ssh_server import SshServer

pytestmark = pytest.mark.long

__all__ = ["ssh"]


@pytest.fixture
def station(dock: Dock, tmp_path: Path, card: Card, ssh: SshServer) -> Iterator[Lost]:
    today()
    bed = Forwarded(dock, tmp_path, card)
    place = ssh.place(path=str(bed.nas), timeout_s=30.0)
    bed.set_up(stores=tomli_w.dumps({"stores": [{"name": "nas", "sftp": place}]}))
    bed.bind()
    bed.seal(3)
    yield Lost(bed, tmp_path)
    bed.end()


def test_state_and_evidence_come_back_from_an_ssh_server_as_they_were(station: Lost) -> None:
    station.forward_everything()
    station.lose()
    done = station.rebuild("--with-recordings")
    assert done.code == 0, done.err + done.out
    assert done.json["files"] == {"fetched": 3, "already_here": 0, "failed": 0}
    assert station.files() == station.evidence
    assert station.dock.run("recordings", "list", "--json").json == station.before
    assert station.dock.run("verify", "--all", "--json").json["findings"] == []
