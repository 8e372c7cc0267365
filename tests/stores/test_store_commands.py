"""`stores list`, `check` and `bind`, as a person runs them."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from tests.conftest import Dock
from tests.stores.ssh_server import SshServer

Named = Callable[..., None]


@pytest.fixture
def nas(tmp_path: Path) -> Path:
    folder = tmp_path / "nas"
    folder.mkdir()
    return folder


@pytest.fixture
def named(dock: Dock) -> Named:
    """Name stores in the configuration."""
    smallest = dock.config.read_text()

    def name(*stores: dict[str, Any]) -> None:
        dock.config.write_text(smallest + tomli_w.dumps({"stores": list(stores)}))

    return name


def _directory(path: Path, **more: Any) -> dict[str, Any]:
    return {"name": "nas", "directory": {"path": str(path), "own_disk": True, **more}}


def test_a_store_is_bound_once_and_that_is_on_record(dock: Dock, named: Named, nas: Path) -> None:
    named(_directory(nas))
    assert dock.run("stores", "list", "--json").json["stores"][0]["bound"] is None
    done = dock.run("stores", "bind", "nas", "--json")
    assert done.code == 0, done.err
    marker = json.loads((nas / ".recorder-sync-store").read_text())["id"]
    assert done.json["bound"]["identity"] == {"marker": marker}
    assert dock.run("stores", "bind", "nas").code == 0
    (listed,) = dock.run("stores", "list", "--json").json["stores"]
    assert listed == done.json
    log = dock.run("custody", "log", "--json").json["entries"]
    (entry,) = [one for one in log if one["act"] == "store-bound"]
    assert entry["subject"] == "nas"
    assert entry["facts"]["identity"] == {"marker": marker}
    assert dock.run("catalogue", "rebuild").code == 0
    assert dock.run("stores", "list", "--json").json["stores"] == [listed]
    assert dock.run("custody", "verify").code == 0


def test_a_good_store_passes_and_says_what_was_looked_at(
    dock: Dock, named: Named, nas: Path
) -> None:
    named(_directory(nas))
    dock.run("stores", "bind", "nas")
    done = dock.run("stores", "check", "--json")
    assert done.code == 0, done.out
    (found,) = done.json["stores"]
    assert found["name"] == "nas"
    assert "it is the store that was bound" in [one["text"] for one in found["checks"]]
    plain = dock.run("stores", "check")
    assert "✔ it is the store that was bound" in plain.out
    assert "!" in plain.out  # it is on the disk of the evidence folder
    assert found["verdict"] == "doubtful"


def test_a_store_that_is_not_bound_fails_with_what_to_do(
    dock: Dock, named: Named, nas: Path
) -> None:
    named(_directory(nas))
    done = dock.run("stores", "check")
    assert done.code == 1
    assert "→ Run: recorder-sync stores bind nas" in done.out


def test_a_store_in_the_place_of_another_is_bound_only_when_that_is_said(
    dock: Dock, named: Named, nas: Path
) -> None:
    named(_directory(nas))
    dock.run("stores", "bind", "nas")
    (nas / ".recorder-sync-store").unlink()
    done = dock.run("stores", "check", "nas", "--json")
    assert done.code == 1
    assert done.json["stores"][0]["verdict"] == "bad"
    assert dock.run("stores", "bind", "nas").code == 3
    assert list(nas.glob(".recorder-sync-store")) == []
    assert dock.run("stores", "bind", "nas", "--another").code == 0
    assert dock.run("stores", "check", "nas").code == 0


def test_the_stations_own_disk_is_refused_unless_it_is_meant(
    dock: Dock, named: Named, nas: Path
) -> None:
    named({"name": "nas", "directory": {"path": str(nas)}})
    done = dock.run("stores", "bind", "nas")
    assert done.code == 3
    assert "own_disk = true" in done.err
    assert list(nas.iterdir()) == []


def test_one_store_that_is_away_does_not_hide_the_others(
    dock: Dock, named: Named, nas: Path, tmp_path: Path
) -> None:
    away = {"name": "away", "directory": {"path": str(tmp_path / "away")}}
    named(away, _directory(nas))
    dock.run("stores", "bind", "nas")
    done = dock.run("stores", "check", "--json")
    assert done.code == 1
    assert [one["verdict"] for one in done.json["stores"]] == ["bad", "doubtful"]
    assert dock.run("stores", "check", "nas").code == 0
    assert dock.run("stores", "check", "other").code == 2
    assert dock.run("stores", "bind", "away").code == 3


def test_a_server_is_bound_with_its_key(
    dock: Dock, named: Named, ssh: SshServer, ssh_folder: Path
) -> None:
    named({"name": "server", "sftp": ssh.place(path=str(ssh_folder / "evidence"))})
    done = dock.run("stores", "bind", "server", "--json")
    assert done.code == 0, done.err
    assert set(done.json["bound"]["identity"]) == {"marker", "host-key"}
    assert dock.run("stores", "check").code == 0
    shutil.rmtree(ssh_folder / "evidence")
    assert dock.run("stores", "check").code == 1


def test_without_stores_there_is_nothing_to_check(dock: Dock) -> None:
    assert dock.run("stores", "list", "--json").json == {"stores": []}
    assert dock.run("stores", "check", "--json").json == {"stores": []}


def test_a_station_without_an_sftp_store_does_not_load_ssh(
    dock: Dock, named: Named, nas: Path
) -> None:
    named(_directory(nas))
    dock.anew = True
    done = dock.run("stores", "bind", "nas", env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert done.code == 0
    assert "recorder_sync.stores.directory" in done.err
    assert "asyncssh" not in done.err
