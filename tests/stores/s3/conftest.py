"""S3 servers that run while the tests do, buckets in them, and stores made of these."""

import secrets
from collections.abc import Iterator
from dataclasses import replace

import pytest

from recorder_sync.stores.s3 import S3Store
from recorder_sync.stores.s3_connection import S3Address, S3Credentials
from recorder_sync.stores.store import LockMode
from tests.stores.fault_proxy import FaultProxy, fault_proxy
from tests.stores.s3.server import MODERN, OLD, Release, S3Server, running


class Bucket:
    """A bucket of a server: new for each test, with Object Lock unless said otherwise."""

    def __init__(self, server: S3Server, *, lock: bool = True) -> None:
        self.server = server
        self.name = f"evidence-{secrets.token_hex(4)}"
        self.client = server.client
        self.client.create_bucket(Bucket=self.name, ObjectLockEnabledForBucket=lock)
        self.address = S3Address(
            server.endpoint, self.name, ca_file=server.certificates.authority, patience_s=20
        )
        self._stores: list[S3Store] = []

    def store(self, address: S3Address | None = None, **options: object) -> S3Store:
        """A store that is not bound yet."""
        keys = options.pop("credentials", S3Credentials("testdock", "secretdock"))
        options.setdefault("lock_mode", LockMode.COMPLIANCE)
        made = S3Store("remote", address or self.address, lambda: keys, **options)  # type: ignore[arg-type, return-value]
        self._stores.append(made)
        return made

    def bound(self, address: S3Address | None = None) -> S3Store:
        """A store that was bound, without what may be on the way to it."""
        address = address or self.address
        self.store(replace(address, endpoint=self.server.endpoint)).bind("test")
        return self.store(address)

    def through(self, proxy: FaultProxy, **changes: object) -> S3Address:
        return replace(self.address, endpoint=proxy.endpoint, **changes)  # type: ignore[arg-type]

    def versions(self, key: str) -> list[str]:
        """Return the versions that the server has of an object, by another client."""
        answer = self.client.list_object_versions(Bucket=self.name, Prefix=key)
        return [one["VersionId"] for one in answer.get("Versions", ()) if one["Key"] == key]

    def close(self) -> None:
        for store in self._stores:
            store.close()


def _server(release: Release, folders: pytest.TempPathFactory) -> Iterator[S3Server]:
    if release.place is None:
        pytest.skip(f"NO S3 SERVER {release.name}: make it with `sudo make stores` (minutes, once)")
    with running(release, folders.mktemp(release.name)) as server:
        yield server


@pytest.fixture(scope="session")
def modern_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    yield from _server(MODERN, tmp_path_factory)


@pytest.fixture(scope="session")
def old_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    yield from _server(OLD, tmp_path_factory)


@pytest.fixture(params=["modern", "old"])
def server(request: pytest.FixtureRequest) -> S3Server:
    """Both servers, one after the other."""
    running: S3Server = request.getfixturevalue(f"{request.param}_server")
    return running


@pytest.fixture
def bucket(server: S3Server) -> Iterator[Bucket]:
    made = Bucket(server)
    yield made
    made.close()


@pytest.fixture
def modern(modern_server: S3Server) -> Iterator[Bucket]:
    made = Bucket(modern_server)
    yield made
    made.close()


@pytest.fixture
def old(old_server: S3Server) -> Iterator[Bucket]:
    made = Bucket(old_server)
    yield made
    made.close()


@pytest.fixture
def proxy(server: S3Server) -> Iterator[FaultProxy]:
    """A faulty line to the server of `bucket`."""
    files = server.certificates
    with fault_proxy(server.http, files.certificate, files.key) as proxy:
        yield proxy


@pytest.fixture
def modern_proxy(modern_server: S3Server) -> Iterator[FaultProxy]:
    files = modern_server.certificates
    with fault_proxy(modern_server.http, files.certificate, files.key) as proxy:
        yield proxy


@pytest.fixture
def old_proxy(old_server: S3Server) -> Iterator[FaultProxy]:
    files = old_server.certificates
    with fault_proxy(old_server.http, files.certificate, files.key) as proxy:
        yield proxy
