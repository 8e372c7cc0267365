"""A thread that does one work until it is told to end, whatever fails meanwhile."""

import threading
from collections.abc import Callable

import pytest
import structlog
from structlog.testing import capture_logs

from recorder_sync.errors import MissingPart
from recorder_sync.language import T
from recorder_sync.lasting import LastingThread

_LOG = structlog.get_logger("test")


class _Work:
    """A work that fails the first time and says when it is done the second."""

    def __init__(self, failure: Exception | None) -> None:
        self._failure = failure
        self.begun = 0
        self.again = threading.Event()
        self.thread: LastingThread | None = None

    def __call__(self) -> None:
        assert self.thread is not None
        self.begun += 1
        if self.begun == 1 and self._failure is not None:
            raise self._failure
        if self.begun == 2:
            self.again.set()
            self.thread.wait(20)


def _lasting(work: _Work, broken_s: float = 0.0) -> LastingThread:
    work.thread = LastingThread("nas-0", work, _LOG, "nothing is sent", broken_s=broken_s)
    return work.thread


@pytest.mark.parametrize(
    ("failure", "level"),
    [
        (OSError("the disk is away"), "error"),
        (MissingPart(T("There is no key.")), "error"),
        (ZeroDivisionError("a defect"), "error"),
    ],
)
def test_a_work_that_fails_is_begun_anew_and_the_journal_says_what_it_means(
    failure: Exception, level: str
) -> None:
    work = _Work(failure)
    with capture_logs() as lines, _lasting(work).at_work(20):
        assert work.again.wait(20)
    (line,) = lines
    assert (line["event"], line["at"], line["log_level"]) == ("nothing is sent", "nas-0", level)
    is_defect = isinstance(failure, ZeroDivisionError)
    assert bool(line.get("exc_info")) is is_defect, "where a defect is stands in the journal"


def test_what_returns_is_begun_anew_at_once_and_is_no_failure() -> None:
    work = _Work(None)
    with capture_logs() as lines, _lasting(work, broken_s=60).at_work(20):
        assert work.again.wait(20)
    assert lines == []


@pytest.mark.parametrize("from_within", [False, True])
def test_what_is_to_end_is_not_begun_anew_and_waits_no_longer(from_within: bool) -> None:
    begun: list[LastingThread] = []

    def ended(thread: Callable[[], LastingThread]) -> None:
        begun.append(thread())
        if from_within:
            thread().stop()
        assert thread().wait(20)

    thread = LastingThread("nas-0", lambda: ended(lambda: thread), _LOG, "nothing is sent")
    thread.start()
    if not from_within:
        thread.stop()
    assert thread.join(10)
    assert thread.is_to_end
    assert len(begun) <= 1


def test_a_wait_after_a_failure_ends_with_the_thread() -> None:
    failed = threading.Event()

    def work() -> None:
        failed.set()
        raise OSError("the disk is away")

    thread = LastingThread("nas-0", work, _LOG, "nothing is sent")
    with thread.at_work(20):
        assert failed.wait(20)
    assert thread.join(0), "it ended well before its minute was over"


def test_what_hangs_is_not_waited_for_longer_than_told() -> None:
    let_go = threading.Event()

    def work() -> None:
        let_go.wait(20)

    thread = LastingThread("nas-0", work, _LOG, "nothing is sent")
    with thread.at_work(0.01):
        pass
    assert not thread.join(0)
    let_go.set()
    assert thread.join(20)
