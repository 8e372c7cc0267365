"""A station whose recordings go to a bucket, and the forward service in a process of its own."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from tests.conftest import Card, Dock
from tests.forward.conftest import Forwarded
from tests.on_the_day import today
from tests.stores.fault_proxy import FaultProxy
from tests.stores.s3.conftest import Bucket

KEYS = {"access": "testdock", "secret": "secretdock"}


class ToBucket(Forwarded):
    """The bed of the forward tests, with a bucket as its one store."""

    @property
    def keys(self) -> Path:
        return self.dock.state.parent / "keys"

    def put_keys(self, **values: str) -> None:
        self.keys.mkdir(exist_ok=True)
        for name, value in {**KEYS, **values}.items():
            (self.keys / name).write_text(value)
            (self.keys / name).chmod(0o600)

    def place(
        self, bucket: Bucket, proxy: FaultProxy | None = None, /, **more: Any
    ) -> dict[str, Any]:
        """Return the table `[stores.s3]`."""
        return {
            "bucket": bucket.name,
            "endpoint": proxy.endpoint if proxy else bucket.server.endpoint,
            "ca_file": str(bucket.server.certificates.authority),
            "access_key": {"file": str(self.keys / "access")},
            "secret_key": {"file": str(self.keys / "secret")},
            "lock": "compliance",
            **more,
        }

    def name_bucket(
        self, bucket: Bucket, proxy: FaultProxy | None = None, /, *, parallel: int = 2, **more: Any
    ) -> None:
        self.put_keys()
        store = {"name": "nas", "parallel": parallel, "s3": self.place(bucket, proxy, **more)}
        kept = {"retention": [{"days": 30}]}
        self.set_up(stores=tomli_w.dumps({"stores": [store], "forward": kept}))

    def assert_each_is_locked_there_once(
        self, bucket: Bucket, sealed: Sequence[dict[str, Any]]
    ) -> None:
        """One version of each, the sealed bytes, locked; and one confirmation of each."""
        entries = self.entries("confirmed")
        assert sorted(e["subject"] for e in entries) == sorted(one["id"] for one in sealed)
        paths = {one["id"]: one["path"] for one in sealed}
        for entry in entries:
            facts = entry["facts"]
            assert facts["lock"] == "compliance"
            assert facts["kept_until"] > entry["time"]
            assert bucket.versions(facts["key"]) == [facts["version"]]
            found = bucket.client.get_object(Bucket=bucket.name, Key=facts["key"])["Body"].read()
            assert found == (self.dock.evidence / paths[entry["subject"]]).read_bytes()
            description = facts["description"]
            assert bucket.versions(description["key"]) == [description["version"]]
        assert not bucket.client.list_multipart_uploads(Bucket=bucket.name).get("Uploads")


@pytest.fixture
def bed(dock: Dock, tmp_path: Path, card: Card) -> Iterator[ToBucket]:
    today()
    made = ToBucket(dock, tmp_path, card)
    yield made
    made.end()
