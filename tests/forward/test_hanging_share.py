"""A share that hangs in the kernel holds up its own threads, and nothing else."""

import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.forward.conftest import Forwarded
from tests.forward.hanging_share import HangingShare, hanging_share
from tests.ingest.aftermath import until

pytestmark = pytest.mark.long

STOPS_WITHIN_S = 10
"""The unit gives the service 15."""


@pytest.fixture
def share(tmp_path: Path) -> Iterator[HangingShare]:
    with hanging_share(tmp_path / "at-the-server", tmp_path / "share") as share:
        yield share


def _two_stores(bed: Forwarded, share: HangingShare) -> None:
    bed.set_up(
        stores=f'[[stores]]\nname = "share"\n{bed.directory(share.path)}\n'
        f'[[stores]]\nname = "nas"\n{bed.directory(bed.nas)}'
    )
    bed.bind("share", "nas")


def test_promise_9_a_share_that_hangs_blocks_no_other_store_no_command_and_no_stop(
    forwarded: Forwarded, share: HangingShare
) -> None:
    bed = forwarded
    _two_stores(bed, share)
    sealed = bed.seal(1)
    bed.start()
    bed.until_confirmed(1, "share")
    share.go_silent()
    sealed += bed.seal(2, first=2)
    bed.until_confirmed(3)
    assert bed.confirmed("share") == {sealed[0]["id"]}
    assert bed.store("share")["waiting"] == 2
    assert bed.dock.run("forward", "pause").code == 0
    until(lambda: bed.journal().count("paused") == 2, "both stores are paused")
    assert bed.dock.run("forward", "resume").code == 0
    sealed += bed.seal(1, first=4)
    bed.until_confirmed(4)
    began = time.monotonic()
    assert bed.stop() == 128 + signal.SIGTERM
    assert time.monotonic() - began < STOPS_WITHIN_S
    share.resume()
    bed.start()
    bed.until_confirmed(4, "share")
    bed.stop()
    bed.assert_each_is_there_once(sealed, share.folder, "share")
    bed.assert_each_is_there_once(sealed)


def test_what_not_even_the_kernel_can_end_keeps_no_other_process_from_forwarding(
    forwarded: Forwarded, share: HangingShare
) -> None:
    """The share's server has taken the call: the process that made it cannot end before."""
    bed = forwarded
    _two_stores(bed, share)
    share.hang("fsync")
    sealed = bed.seal(1)
    first = bed.start()
    share.await_hanging()
    bed.until_confirmed(1)
    first.send_signal(signal.SIGTERM)
    until(lambda: "stopped" in bed.journal(), "it has ended all else", STOPS_WITHIN_S)
    with pytest.raises(subprocess.TimeoutExpired):
        first.wait(0.5)
    second = bed.start()
    sealed += bed.seal(1, first=2)
    bed.until_confirmed(2)
    share.resume()
    first.wait(20)
    bed.retry()  # it was refused what the first one had open
    bed.until_confirmed(2, "share")
    second.terminate()
    second.wait(20)
    bed.assert_each_is_there_once(sealed, share.folder, "share")


def test_a_share_that_hangs_while_it_is_listed_blocks_no_other_store(
    forwarded: Forwarded, share: HangingShare
) -> None:
    bed = forwarded
    _two_stores(bed, share)
    assert bed.dock.run("custody", "checkpoint").code == 0
    share.hang("readdir")
    bed.start()
    share.await_hanging()
    bed.seal(1)
    bed.until_confirmed(1)
    share.resume()
    bed.until_confirmed(1, "share")
    assert bed.stop() == 128 + signal.SIGTERM
