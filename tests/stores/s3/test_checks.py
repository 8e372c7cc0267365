"""`stores check` says what a bucket can do; a binding tells one bucket from another."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from recorder_sync.stores.s3 import S3Store
from recorder_sync.stores.s3_marker import KEY as MARKER
from recorder_sync.stores.store import LockMode, StoreProblem, Trouble, Verdict
from tests.stores.fault_proxy import PASS, Asked, Fault, FaultProxy
from tests.stores.s3.conftest import Bucket
from tests.stores.s3.sending import KEY, PIECE, Record, content, for_a_while, outgoing, source
from tests.stores.s3.server import S3Server


def _found(store: S3Store, verdict: Verdict, now: datetime | None = None) -> list[str]:
    checks = store.check(now or datetime.now(UTC))
    return [str(check.text) for check in checks if check.verdict is verdict]


@pytest.fixture
def without_lock(modern_server: S3Server) -> Iterator[Bucket]:
    made = Bucket(modern_server, lock=False)
    yield made
    made.close()


@pytest.mark.parametrize("mode", list(LockMode))
def test_a_modern_store_with_object_lock_passes_everything(modern: Bucket, mode: LockMode) -> None:
    store = modern.store(lock_mode=mode)
    store.bind("test")
    checks = list(store.check(datetime.now(UTC)))
    assert [c for c in checks if c.verdict is not Verdict.GOOD] == []
    assert len([c for c in checks if "refuses to delete" in str(c.text)]) == 2


def test_an_old_store_can_be_used_and_its_gaps_are_named(old: Bucket) -> None:
    store = old.store()
    store.bind("test")
    assert _found(store, Verdict.BAD) == []
    assert _found(store, Verdict.DOUBTFUL) == [
        "The store verifies MD5 only.",
        "The store ignores If-None-Match: two processes could store one object twice.",
        "The store drops or weakens the lock of what is sent in parts.",
    ]


def test_a_bucket_without_object_lock_is_no_place_for_locked_evidence(
    without_lock: Bucket,
) -> None:
    bad = _found(without_lock.store(), Verdict.BAD)
    assert any("does not keep versions" in text for text in bad)
    assert any("Object Lock is not enabled" in text for text in bad)
    unlocked = without_lock.store(lock_mode=None)
    assert _found(unlocked, Verdict.BAD) == []
    assert any("Object Lock is not enabled" in t for t in _found(unlocked, Verdict.DOUBTFUL))


def test_the_retention_of_the_bucket_itself_is_told(modern: Bucket) -> None:
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 3}}
    modern.client.put_object_lock_configuration(
        Bucket=modern.name,
        ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule},
    )
    assert any("GOVERNANCE, 3 d" in text for text in _found(modern.store(), Verdict.GOOD))


@pytest.mark.parametrize(
    ("apart", "verdict"),
    [(timedelta(minutes=1), Verdict.DOUBTFUL), (timedelta(minutes=16), Verdict.BAD)],
)
def test_a_clock_that_is_wrong_is_told(modern: Bucket, apart: timedelta, verdict: Verdict) -> None:
    found = _found(modern.store(), verdict, datetime.now(UTC) - apart)
    assert any("clocks" in text for text in found)


def test_a_store_that_lets_locked_objects_go_is_found_out(
    modern: Bucket, modern_proxy: FaultProxy
) -> None:
    done: list[str] = []

    def lets_go(asked: Asked) -> Fault:
        if asked.method == "DELETE":
            done.append(asked.target)
            return Fault(answer=(204, {}, b""))
        return Fault(answer=(404, {}, b"")) if done and asked.method == "HEAD" else PASS

    modern_proxy.fault = lets_go
    bad = _found(modern.store(modern.through(modern_proxy)), Verdict.BAD)
    assert "The store lets a locked object be deleted." in bad


def test_a_store_that_looks_at_no_checksum_is_refused(
    modern: Bucket, modern_proxy: FaultProxy
) -> None:
    taken = Fault(answer=(200, {"etag": '"x"'}, b""))
    modern_proxy.fault = lambda asked: taken if asked.method == "PUT" else PASS
    bad = _found(modern.store(modern.through(modern_proxy)), Verdict.BAD)
    assert any("do not have the checksum" in text for text in bad)


def test_a_bucket_that_is_not_there_and_one_of_somebody_else_are_told_apart(
    modern: Bucket,
) -> None:
    bad = _found(modern.store(replace(modern.address, bucket="not-there")), Verdict.BAD)
    assert len(bad) == 1
    assert "404 NoSuchBucket" in bad[0]
    other = _found(modern.store(credentials=modern.server.other), Verdict.BAD)
    assert "403 AccessDenied" in other[0]


def test_bound_twice_is_bound_once(bucket: Bucket) -> None:
    first = bucket.store().bind("one")
    assert bucket.store().bind("two") == first
    assert len(bucket.versions(MARKER)) == 1


def test_another_bucket_is_another_store(modern: Bucket, without_lock: Bucket) -> None:
    assert (
        modern.store().bind("test").facts["marker"]
        != (without_lock.store().bind("test").facts["marker"])
    )


def test_an_emptied_bucket_takes_nothing(bucket: Bucket) -> None:
    store = bucket.bound()
    bucket.client.delete_object(Bucket=bucket.name, Key=MARKER)
    with pytest.raises(StoreProblem) as raised:
        store.identity()
    assert raised.value.trouble is Trouble.WRONG_PLACE


def test_a_marker_that_somebody_wrote_over_is_no_marker(bucket: Bucket) -> None:
    store = bucket.bound()
    bucket.client.put_object(Bucket=bucket.name, Key=MARKER, Body=b"[]")
    with pytest.raises(StoreProblem) as raised:
        store.identity()
    assert raised.value.trouble is Trouble.WRONG_PLACE


def test_the_rights_that_the_page_names_are_enough_and_no_more(bucket: Bucket) -> None:
    page = (Path(__file__).parents[3] / "docs/stores-s3.md").read_text(encoding="utf-8")
    policy = json.loads(page.partition("```json\n")[2].partition("```")[0])
    for statement in policy["Statement"]:
        statement["Principal"] = {"AWS": ["arn:aws:iam:::user/other"]}
        statement["Resource"] = statement["Resource"].replace(":::evidence", f":::{bucket.name}")
    bucket.client.put_bucket_policy(Bucket=bucket.name, Policy=json.dumps(policy))
    store, data = bucket.store(credentials=bucket.server.other), content(PIECE + 1)
    store.bind("test")
    assert _found(store, Verdict.BAD) == []
    version = store.send(outgoing(data, for_a_while()), source(data), Record()).version
    assert list(store.unfinished()) == []
    with pytest.raises(StoreProblem, match="AccessDenied"):
        store._connection.call("delete_object", KEY)
    store.lock(KEY, version, for_a_while(hold=True))
    assert bucket.versions(KEY) == [version]
