"""Faults of a line and a server through the whole service, against a real object store.

What the custodian is told, that the others go on, and that afterwards each recording is there
once, locked, and confirmed once.
"""

import random
import re
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from recorder_sync.model import AlertKind
from tests.ingest.aftermath import until
from tests.stores.fault_proxy import PASS, Asked, Fault, FaultProxy
from tests.stores.s3.certificates import Certificates
from tests.stores.s3.conftest import Bucket
from tests.stores.s3.sending import PIECE
from tests.stores.s3.station import ToBucket, bed

__all__ = ["bed"]


def _said(status: int, code: str, **headers: str) -> Fault:
    body = f"<Error><Code>{code}</Code><Message>what the server says</Message></Error>"
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(answer=(status, {"content-type": "application/xml", **fields}, body.encode()))


def _is_evidence(asked: Asked) -> bool:
    """Tell whether it is about a recording or its description, and not about a record."""
    return re.search(r"\.jpg(\.json)?([?]|$)", asked.target) is not None


def _is_sent(asked: Asked) -> bool:
    return asked.method in ("PUT", "POST") and _is_evidence(asked)


def _is_first_part(asked: Asked) -> bool:
    return re.search(r"[?&]partNumber=1(&|$)", asked.target) is not None


@dataclass
class At:
    """Notes when requests of a kind came."""

    fault: Callable[[Asked], Fault]
    is_meant: Callable[[Asked], bool]
    times: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, asked: Asked) -> Fault:
        with self.lock:
            if self.is_meant(asked):
                self.times.append(time.monotonic())
        return self.fault(asked)


def test_a_line_that_is_reset_at_any_byte_of_request_or_answer_costs_time_and_no_more(
    bed: ToBucket, modern: Bucket, modern_proxy: FaultProxy
) -> None:
    bed.name_bucket(modern, modern_proxy)
    bed.bind()
    sealed = bed.seal(3, size=200_000) + bed.seal(1, size=2 * PIECE + 77, first=9)
    chance, turn = random.Random(), threading.Lock()
    left = [Fault(reset_after=chance.randrange(PIECE)) for _ in range(4)]
    left += [Fault(answer_bytes=chance.randrange(400)) for _ in range(4)]
    chance.shuffle(left)

    def breaks(asked: Asked) -> Fault:
        with turn:
            return left.pop() if left and _is_evidence(asked) and chance.random() < 0.6 else PASS

    modern_proxy.fault = breaks
    bed.start()
    failing = "select 1 from stores where failing_since is not null"
    for _ in range(20):
        until(lambda: len(bed.confirmed()) == 4 or bed.rows(failing), "a break")
        if len(bed.confirmed()) == 4:
            break
        bed.retry()
    bed.until_confirmed(4)
    bed.until_back()
    bed.assert_each_is_locked_there_once(modern, sealed)


@pytest.mark.parametrize(("status", "code"), [(503, "SlowDown"), (500, "InternalError")])
def test_the_pause_that_a_store_asks_for_is_kept(
    bed: ToBucket, modern: Bucket, modern_proxy: FaultProxy, status: int, code: str
) -> None:
    bed.name_bucket(modern, modern_proxy, parallel=1)
    bed.bind()
    sealed = bed.seal(2, size=1000)
    modern_proxy.once(_said(status, code, retry_after="5"), _is_sent)
    asked = At(modern_proxy.fault, lambda _: True)
    modern_proxy.fault = asked
    bed.start()
    said = bed.until_failing("transient")
    assert f"{status} {code} what the server says" in said["why"]
    bed.until_confirmed(2)
    gaps = [later - one for one, later in zip(asked.times, asked.times[1:], strict=False)]
    # Another small one may be asked for until the refusal has come back.
    assert max(gaps) >= 4.5, "nothing at all is asked meanwhile"
    bed.assert_each_is_locked_there_once(modern, sealed)


def test_a_part_that_is_refused_with_a_pause_is_not_tried_within_it(
    bed: ToBucket, modern: Bucket, modern_proxy: FaultProxy
) -> None:
    bed.name_bucket(modern, modern_proxy, parallel=1, parts=1)
    bed.bind()
    sealed = bed.seal(1, size=2 * PIECE)
    modern_proxy.once(_said(503, "SlowDown", retry_after="4"), _is_first_part)
    asked = At(modern_proxy.fault, _is_first_part)
    modern_proxy.fault = asked
    bed.start()
    bed.until_confirmed(1)
    first, second = asked.times[:2]
    assert second - first >= 3.9
    bed.assert_each_is_locked_there_once(modern, sealed)


def test_a_server_that_hangs_is_given_up_told_and_does_not_keep_the_service_from_stopping(
    bed: ToBucket, modern: Bucket, modern_proxy: FaultProxy
) -> None:
    bed.name_bucket(modern, modern_proxy, timeout_s=60)
    bed.bind()
    sealed = bed.seal(1, size=2 * PIECE)
    modern_proxy.asked.clear()
    modern_proxy.fault = lambda asked: Fault(hang=True) if _is_evidence(asked) else PASS
    bed.start()
    until(lambda: any(map(_is_evidence, modern_proxy.asked)), "a request hangs")
    began = time.monotonic()
    assert bed.stop() == 128 + signal.SIGTERM
    assert time.monotonic() - began < 10, "the unit gives 15 s"
    modern_proxy.fault = lambda asked: Fault(hang=True) if "partNumber" in asked.target else PASS
    bed.start()
    until(lambda: modern_proxy.count("PUT", "partNumber"), "parts hang")
    began = time.monotonic()
    assert bed.stop() == 128 + signal.SIGTERM
    assert time.monotonic() - began < 10
    text = bed.dock.config.read_text("utf-8").replace("timeout_s = 60", "timeout_s = 0.5")
    bed.dock.config.write_text(text, "utf-8")
    bed.start()
    said = bed.until_failing("transient")
    assert "cannot be reached" in said["why"]
    modern_proxy.fault = lambda _: PASS
    bed.retry()
    bed.until_confirmed(1)
    bed.assert_each_is_locked_there_once(modern, sealed)


REFUSALS = [
    (507, "InsufficientStorage", "full", "room"),
    (403, "QuotaExceeded", "full", "room"),
    (400, "ExpiredToken", "refused", "session_token"),
    (403, "RequestTimeTooSkewed", "refused", "clock"),
]


@pytest.mark.parametrize(("status", "code", "trouble", "word"), REFUSALS)
def test_what_a_store_refuses_is_an_alert_at_once_with_its_words_and_what_to_do(
    bed: ToBucket,
    modern: Bucket,
    modern_proxy: FaultProxy,
    status: int,
    code: str,
    trouble: str,
    word: str,
) -> None:
    bed.name_bucket(modern, modern_proxy)
    bed.bind()
    sealed = bed.seal(2)
    is_refusing = [True]
    # A store that is full can be read; one that refuses keys or clock refuses everything.
    of_all = trouble == "refused"
    modern_proxy.fault = lambda asked: (
        _said(status, code) if is_refusing[0] and (of_all or _is_sent(asked)) else PASS
    )
    bed.start()
    said = bed.until_failing(trouble)
    assert f"{status} {code} what the server says" in said["why"]
    assert word in said["hint"]
    (alert,) = bed.alerts(AlertKind.STORE_STOPPED)
    assert code in alert.text.english
    is_refusing[0] = False
    bed.retry()
    bed.until_confirmed(2)
    bed.until_back()
    assert bed.alerts(AlertKind.STORE_STOPPED) == []
    bed.assert_each_is_locked_there_once(modern, sealed)


def test_keys_that_expired_are_told_and_fresh_ones_taken_up_without_a_restart(
    bed: ToBucket, modern: Bucket
) -> None:
    bed.name_bucket(modern)
    bed.bind()
    bed.put_keys(secret="of last year")
    sealed = bed.seal(1)
    bed.start()
    said = bed.until_failing("refused")
    assert "SignatureDoesNotMatch" in said["why"]
    assert "of last year" not in bed.journal() + str(said)
    bed.put_keys()
    bed.retry()
    bed.until_confirmed(1)
    assert bed.stop() == 128 + signal.SIGTERM
    bed.assert_each_is_locked_there_once(modern, sealed)


def test_a_certificate_of_somebody_else_gets_nothing_until_it_is_trusted(
    bed: ToBucket, modern: Bucket, tmp_path: Path
) -> None:
    bed.name_bucket(modern)
    bed.bind()
    sealed = bed.seal(1)
    folder = tmp_path / "theirs"
    folder.mkdir()
    theirs, ours = Certificates(folder).authority, modern.server.certificates.authority
    text = bed.dock.config.read_text("utf-8")
    bed.dock.config.write_text(text.replace(str(ours), str(theirs)), "utf-8")
    service = bed.start()
    said = bed.until_failing("refused")
    assert "certificate verify failed" in said["why"].lower()
    assert "ca_file" in said["hint"]
    assert bed.alerts(AlertKind.STORE_STOPPED)
    bed.dock.config.write_text(text, "utf-8")
    service.send_signal(signal.SIGHUP)
    bed.until_confirmed(1)
    bed.assert_each_is_locked_there_once(modern, sealed)


def test_a_name_that_is_not_found_and_a_server_that_is_off_are_tried_again(
    bed: ToBucket, modern: Bucket
) -> None:
    bed.name_bucket(modern)
    bed.bind()
    sealed = bed.seal(1)
    text, endpoint = bed.dock.config.read_text("utf-8"), modern.server.endpoint
    wrong = "https://no-such-store.invalid"
    bed.dock.config.write_text(text.replace(endpoint, wrong), "utf-8")
    service = bed.start()
    said = bed.until_failing("transient")
    assert "cannot be reached" in said["why"]
    assert "endpoint" in said["hint"]
    tried = bed.journal().count("cannot be reached")
    bed.dock.config.write_text(text.replace(endpoint, "https://localhost:9"), "utf-8")
    service.send_signal(signal.SIGHUP)
    until(lambda: bed.journal().count("cannot be reached") > tried, "nobody listens")
    bed.dock.config.write_text(text, "utf-8")
    service.send_signal(signal.SIGHUP)
    bed.until_confirmed(1)
    bed.until_back()
    bed.assert_each_is_locked_there_once(modern, sealed)


def test_a_server_that_has_other_bytes_never_confirms_them_and_a_person_is_told(
    bed: ToBucket, modern: Bucket, modern_proxy: FaultProxy
) -> None:
    bed.name_bucket(modern, modern_proxy)
    bed.bind()
    good, bad = bed.seal(2, size=5000)
    wrong = {"x-rgw-checksum-blake3": "A" * 43 + "=", "etag": f'"{"0" * 32}"'}

    def lies(asked: Asked) -> Fault:
        is_bad = bad["id"] in asked.target and ".json" not in asked.target
        return Fault(other_headers=wrong) if is_bad and asked.method in ("HEAD", "PUT") else PASS

    modern_proxy.fault = lies
    bed.start()
    bed.until_failed(1)
    bed.until_confirmed(1)
    assert bed.confirmed() == {good["id"]}
    (failure,) = bed.store()["failures"]
    assert failure["recording"] == bad["id"]
    assert "other bytes" in failure["why"]
    (alert,) = bed.alerts(AlertKind.COPY_DIFFERS)
    assert bad["id"] in alert.text.english
    assert bed.store()["state"] != "failing", "the others go on"
    modern_proxy.fault = lambda _: PASS
    bed.retry()
    bed.until_confirmed(2)
    assert bed.alerts(AlertKind.COPY_DIFFERS) == [alert], "it stays until a person has looked"


def test_promise_9_an_object_that_the_server_fails_on_holds_up_no_other(
    bed: ToBucket, modern: Bucket, modern_proxy: FaultProxy
) -> None:
    bed.name_bucket(modern, modern_proxy)
    bed.bind()
    sealed = bed.seal(4)
    [(first,)] = bed.rows("select id from recordings order by deadline, sealed_at, id limit 1")
    modern_proxy.fault = lambda asked: (
        _said(500, "InternalError") if first in asked.target else PASS
    )
    bed.start()
    bed.until_confirmed(3)
    assert first not in bed.confirmed()
    bed.until_failed(1)
    modern_proxy.fault = lambda _: PASS
    bed.retry()
    bed.until_confirmed(4)
    bed.assert_each_is_locked_there_once(modern, sealed)
