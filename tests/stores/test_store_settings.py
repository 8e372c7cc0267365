"""`[[stores]]`: what may stand there, what may not, and which recordings a store takes."""

from pathlib import Path
from typing import Any

import pytest

from recorder_sync.config import parse
from recorder_sync.errors import ConfigurationProblem, MissingPart
from recorder_sync.stores.credentials import Secret
from recorder_sync.stores.store import LockMode
from recorder_sync.stores.store_settings import StoreSettings

_NAS = {"name": "nas", "directory": {"path": "/mnt/nas"}}
_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGZ4WBnBBqfF2lC4hM0GGJBNWtbzUPPnkQkHBCXXXfpr"
_SFTP = {
    "host": "store.example.org",
    "user": "dock",
    "path": "evidence",
    "host_keys": [_KEY],
    "key": {"file": "/etc/key"},
}
_S3 = {
    "bucket": "evidence",
    "access_key": {"environment": "ACCESS"},
    "secret_key": {"credential": "secret"},
}


def _parsed(*stores: dict[str, Any]) -> tuple[StoreSettings, ...]:
    values = {
        "station": {"id": "dock-01"},
        "paths": {"state": "/var/lib/recorder-sync", "evidence": "/srv/evidence"},
        "stores": list(stores),
    }
    return parse(values, Path("config.toml")).stores


def _problems(*stores: dict[str, Any]) -> str:
    with pytest.raises(ConfigurationProblem) as caught:
        _parsed(*stores)
    return "\n".join(problem.english for problem in caught.value.problems)


def test_a_store_of_each_kind_can_be_named() -> None:
    found = _parsed(_NAS, {"name": "server", "sftp": _SFTP}, {"name": "district", "s3": _S3})
    assert [one.kind for one in found] == ["directory", "sftp", "s3"]
    assert [one.lock_mode for one in found] == [None, None, LockMode.GOVERNANCE]
    assert found[1].place.address == "sftp://dock@store.example.org:22/evidence"


@pytest.mark.parametrize(
    ("store", "words"),
    [
        ({"name": "nas"}, ("stores.0", "one table of directory, sftp and s3")),
        ({**_NAS, "sftp": _SFTP}, ("one table of directory, sftp and s3",)),
        ({**_NAS, "name": "a/b"}, ("stores.0.name",)),
        ({**_NAS, "layout": "{device}"}, ("stores.0.layout", "{id}")),
        ({**_NAS, "colour": 1}, ("stores.0.colour", "layout")),
        ({**_NAS, "parallel": 0}, ("stores.0.parallel",)),
        ({**_NAS, "kinds": ["film"]}, ("stores.0.kinds.0", "video")),
        ({"name": "nas", "directory": {"path": "nas"}}, ("directory.path", "absolute")),
        ({"name": "nas", "directory": {"pfad": "/"}}, ("directory.pfad", "own_disk")),
        ({"name": "s", "sftp": {**_SFTP, "host_keys": []}}, ("one of host_keys and known_hosts",)),
        ({"name": "s", "sftp": {**_SFTP, "host_keys": ["x"]}}, ("public keys",)),
        ({"name": "s", "sftp": {**_SFTP, "key": None}}, ("sftp",)),
        (
            {"name": "s", "sftp": {**_SFTP, "password": {"file": "/p"}}},
            ("one of key and password",),
        ),
        ({"name": "s", "s3": {**_S3, "endpoint": "s3.example.org"}}, ("s3.endpoint",)),
        ({"name": "s", "s3": {**_S3, "lock": "loose"}}, ("s3.lock", "compliance")),
        ({"name": "s", "s3": {**_S3, "access_key": {}}}, ("one of file, environment",)),
    ],
)
def test_a_bad_store_is_named_by_its_key(store: dict[str, Any], words: tuple[str, ...]) -> None:
    found = _problems(store)
    assert all(word in found for word in words), found


def test_two_stores_have_neither_one_name_nor_one_place() -> None:
    assert "a name of its own" in _problems(_NAS, {"name": "nas", "sftp": _SFTP})
    assert "a place of its own" in _problems(_NAS, {**_NAS, "name": "other"})


@pytest.mark.parametrize("kind", ["sftp", "s3"])
def test_a_secret_that_somebody_wrote_into_the_file_is_not_repeated(kind: str) -> None:
    place = {**_SFTP, "key": "hunter2-key"} if kind == "sftp" else {**_S3, "secret_key": "hunter2"}
    found = _problems({"name": "s", kind: place})
    assert "hunter2" not in found
    assert "stores.0" in found
    found = _problems({"name": "s", kind: {**place, "key" if kind == "sftp" else "secret_key": {
        "file": "hunter2"}}})  # fmt: skip
    assert "hunter2" not in found


def test_secrets_come_from_a_file_the_environment_or_systemd(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret"
    file.write_text("from a file\n")
    file.chmod(0o640)
    assert Secret(file=file).read() == "from a file"
    monkeypatch.setenv("STORE_SECRET", "from the environment")
    assert Secret(environment="STORE_SECRET").read() == "from the environment"
    with pytest.raises(MissingPart):
        Secret(credential="secret").read()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert Secret(credential="secret").read() == "from a file"


@pytest.mark.parametrize("fault", ["open to all", "empty", "not there", "a folder", "no text"])
def test_a_secret_that_cannot_be_used_says_which(tmp_path: Path, fault: str) -> None:
    file = tmp_path / "secret"
    match fault:
        case "a folder":
            file.mkdir()
        case "no text":
            file.write_bytes(b"\xff")
        case "not there":
            pass
        case _:
            file.write_text("" if fault == "empty" else "hunter2")
    if file.is_file():
        file.chmod(0o644 if fault == "open to all" else 0o600)
    with pytest.raises(MissingPart) as caught:
        Secret(file=file).read()
    assert str(file) in str(caught.value)
    assert "hunter2" not in f"{caught.value} {caught.value.hint}"
