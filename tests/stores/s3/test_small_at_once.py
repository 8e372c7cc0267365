"""Small recordings go to a bucket many at a time, large ones a few, and each of them once."""

import os
import random
import signal
import threading
from multiprocessing import get_context
from pathlib import Path

import pytest

from recorder_sync.forward_service import ForwardService
from tests.ingest.aftermath import until
from tests.stores.fault_proxy import Asked, Fault, FaultProxy
from tests.stores.s3.conftest import Bucket
from tests.stores.s3.sending import MIB
from tests.stores.s3.station import ToBucket, bed

__all__ = ["bed"]

_SENDING = "select count(*), coalesce(sum(size > 65536), 0) from uploads where state = 'sending'"


def _is_evidence(asked: Asked) -> bool:
    """Tell whether it begins a recording or its description, and not a record."""
    return asked.method in ("PUT", "POST") and ".jpg" in asked.target


def test_many_small_ones_are_on_their_way_at_once_and_no_more_large_ones_than_usual(
    bed: ToBucket, modern: Bucket, modern_proxy: FaultProxy
) -> None:
    bed.name_bucket(modern, modern_proxy, parallel=2, small_at_once=6, timeout_s=60)
    bed.bind()
    sealed = bed.seal(4, size=2 * MIB) + bed.seal(10, size=1000, first=11)
    modern_proxy.fault = lambda asked: Fault(hang=True) if _is_evidence(asked) else Fault()
    bed.start()
    until(lambda: sum(map(_is_evidence, modern_proxy.asked)) == 6, "six hang")
    assert bed.rows(_SENDING) == [(6, 2)], "the large ones were sealed first"
    bed.end()
    modern_proxy.fault = lambda _: Fault()
    bed.start()
    bed.until_confirmed(14)
    bed.assert_each_is_locked_there_once(modern, sealed)


def test_a_store_with_one_at_once_gets_one_at_once(
    bed: ToBucket, modern: Bucket, modern_proxy: FaultProxy
) -> None:
    bed.name_bucket(modern, modern_proxy, parallel=1, small_at_once=1, timeout_s=60)
    bed.bind()
    bed.seal(5, size=1000)
    most = 0

    def count(asked: Asked) -> Fault:
        nonlocal most
        if _is_evidence(asked):
            most = max(most, bed.rows(_SENDING)[0][0])
        return Fault()

    modern_proxy.fault = count
    bed.start()
    bed.until_confirmed(5)
    assert most == 1


def _serve(config: Path, journal: Path) -> None:
    with journal.open("ab") as log:
        os.dup2(log.fileno(), 2)
        ForwardService(config).run()


@pytest.mark.timeout(3000)
def test_promise_3_killed_at_any_moment_with_many_on_their_way_each_is_there_once(
    bed: ToBucket, bucket: Bucket, rounds: int
) -> None:
    """The service is forked off, as a start of Python would take most of the time."""
    bed.name_bucket(bucket, parallel=2, small_at_once=16)
    bed.bind()
    sealed = bed.seal(max(40, 2 * rounds), size=20_000)
    fork = get_context("fork")
    for number in range(rounds):
        journal = bed.dock.state.parent / f"journal-k{number:03d}"
        process = fork.Process(target=_serve, args=(bed.dock.config, journal))
        process.start()
        threading.Event().wait(random.uniform(0.0, 0.4))  # the attack: any moment
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    bed.start()
    bed.until_confirmed(len(sealed))
    until(lambda: bed.rows("select count(*) from uploads") == [(0,)], "an empty queue")
    bed.end()
    bed.assert_each_is_locked_there_once(bucket, sealed)
