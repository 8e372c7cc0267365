"""Real servers and real disks for the stores."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.conftest import disk
from tests.stores.ssh_server import SshServer, ssh_server


@pytest.fixture(scope="session")
def ssh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """One server for the run; each test has a folder of its own there (`ssh_place`)."""
    with ssh_server(tmp_path_factory.mktemp("ssh")) as server:
        yield server


@pytest.fixture
def ssh_folder(ssh: SshServer, tmp_path: Path) -> Path:
    folder = tmp_path / "at-the-server"
    folder.mkdir()
    return folder


__all__ = ["disk"]
