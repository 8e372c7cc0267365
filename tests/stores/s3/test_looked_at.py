"""Copies that were confirmed by one checksum or another are looked at again night after night."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import tomli_w

from tests.conftest import Card
from tests.forward import passing_time
from tests.forward.timed import Timed
from tests.ingest.aftermath import until
from tests.on_the_day import today
from tests.stores.s3.conftest import Bucket
from tests.stores.s3.sending import PIECE
from tests.stores.s3.station import ToBucket

pytestmark = pytest.mark.long

NIGHT = {"nightly": False, "night_begins": "22:00", "night_ends": "06:00"}
SIX_HOURS = 6 * 3600


class TimedToBucket(Timed, ToBucket):
    """Time passes, and the store is a bucket."""

    def use(self, bucket: Bucket, **more: str) -> None:
        self.put_keys()
        place = self.place(bucket, **more)
        store = {"name": "nas", "look_again_percent": 100, "s3": place}
        kept = {"retention": [{"days": 30}]}
        stores = tomli_w.dumps({"stores": [store], "forward": kept})
        self.set_up(stores=stores, verification=NIGHT)


@pytest.fixture
def timed(tmp_path: Path, card: Card, monkeypatch: pytest.MonkeyPatch) -> Iterator[TimedToBucket]:
    today()
    monkeypatch.setenv(passing_time.VARIABLE, "")
    bed = TimedToBucket(tmp_path, card)
    yield bed
    bed.end()


def test_copies_confirmed_before_and_after_the_store_got_blake3_stand_by_their_checksums(
    timed: TimedToBucket, modern: Bucket
) -> None:
    timed.use(modern, checksum="crc64nvme")
    timed.bind()
    sealed = timed.seal(1, size=5000) + timed.seal(1, size=PIECE + 7, first=2)
    timed.start()
    timed.until_confirmed(2)
    timed.stop()
    timed.use(modern)
    sealed += timed.seal(1, size=6000, first=3) + timed.seal(1, size=PIECE + 8, first=4)
    timed.start()
    timed.until_confirmed(4)
    confirmed = {e["subject"]: e["facts"] for e in timed.entries("confirmed")}
    by = ["crc64nvme", "crc64nvme", "blake3", "blake3-of-parts"]
    for one, name in zip(sealed, by, strict=True):
        assert confirmed[one["id"]]["proof"] == "checksum"
        assert name in confirmed[one["id"]]["checksums"]
    digest = confirmed[sealed[2]["id"]]["checksums"]["blake3"]
    assert digest == sealed[2]["blake3"], "the store's own is that of the seal"
    timed.pass_time(SIX_HOURS)
    until(lambda: timed.entries("copies-looked-at"), "the night")
    until(lambda: len(_by_checksum(timed)) == 4, "all of them")
    assert _by_checksum(timed) == sorted(one["id"] for one in sealed)
    assert [one for e in timed.entries("copies-looked-at") for one in e["facts"]["read_back"]] == []
    assert timed.entries("copy-lost") == []


def _by_checksum(bed: Timed) -> list[str]:
    entries = bed.entries("copies-looked-at")
    return sorted(one for entry in entries for one in entry["facts"]["by_checksum"])
