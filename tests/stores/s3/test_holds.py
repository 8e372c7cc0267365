"""Legal hold and retention at real object stores: on copies that were confirmed before."""

import signal
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.forward.conftest import Forwarded
from tests.ingest.aftermath import until
from tests.stores.s3.conftest import Bucket
from tests.stores.s3.test_forwarded import bed, bucket_settings

__all__ = ["bed"]

_WHY = ("--reason", "诉讼", "--by", "王队")


def _heads(bed: Forwarded, bucket: Bucket, recording: str) -> list[dict[str, Any]]:
    """Return what the server says of a recording and its description, by another client."""
    ((key,),) = bed.rows("select key from copies where recording = ?", recording)
    return [
        bucket.client.head_object(Bucket=bucket.name, Key=name) for name in (key, f"{key}.json")
    ]


def _holds(bed: Forwarded, bucket: Bucket, recording: str) -> set[object]:
    heads = _heads(bed, bucket, recording)
    return {head.get("ObjectLockLegalHoldStatus", "OFF") for head in heads}


def test_art_25_a_hold_and_a_longer_policy_reach_what_was_confirmed_before(
    bed: Forwarded, bucket: Bucket
) -> None:
    settings = bucket_settings(bed, bucket)
    bed.set_up(stores=settings)
    bed.bind()
    (small, *_) = bed.seal(2)
    (large,) = bed.seal(1, size=9 << 20, first=5)
    bed.start()
    bed.until_confirmed(3)
    assert bed.dock.run("recordings", "hold", small["id"], large["id"], *_WHY).code == 0
    until(lambda: len(bed.entries("copy-locked")) == 2, "both holds are on record")
    for one in (small, large):
        assert _holds(bed, bucket, one["id"]) == {"ON"}
    (status,) = bed.dock.run("forward", "status", "--json").json["stores"]
    assert status["legal_holds"] == {"can": True, "wanted": 2, "kept": 2}
    assert bed.dock.run("recordings", "release", small["id"], *_WHY).code == 0
    until(lambda: len(bed.entries("copy-locked")) == 3, "the release is on record")
    assert _holds(bed, bucket, small["id"]) == {"OFF"}
    assert bed.stop() == 128 + signal.SIGTERM
    bed.set_up(stores=settings.replace("days = 30", "days = 400"))
    bed.start()
    until(lambda: len(bed.entries("copy-locked")) == 6, "the new dates are on record")
    for head in _heads(bed, bucket, large["id"]):
        assert head["ObjectLockRetainUntilDate"] > datetime.now(UTC) + timedelta(days=390)
        assert head["ObjectLockMode"] == "COMPLIANCE"
        assert head["ObjectLockLegalHoldStatus"] == "ON", "the hold stays"
    assert bed.dock.run("verify", "--metadata", "--json").json["findings"] == []
