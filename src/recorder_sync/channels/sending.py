"""Has one message at a time sent by a process of its own, never longer than a set time.

The process is started with the first message and kept for the next ones; the library that
it loads takes a second to load. It is killed when the time is over, with everything that it
was doing: nothing of a delivery outlives its limit.
"""

import email.utils
import json
import os
import select
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recorder_sync.child import Child
from recorder_sync.errors import os_reason
from recorder_sync.language import T, Text
from recorder_sync.rules.matter import Severity

_TYPE = {Severity.NOTICE: "info", Severity.WARNING: "warning", Severity.BREACH: "failure"}
_PART = 1 << 16
_ASK_EVERY_S = 0.2
_LOADS_WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in words."""

    title: str
    text: str
    severity: Severity


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one attempt."""

    delivered: bool
    why: Text | None = None
    """Why not; holds no secret."""
    retry_after_s: float | None = None
    """How long the server asks to be left alone."""


class Sender:
    """Sends to one channel, from one thread."""

    def __init__(self, is_stopped: Callable[[], bool] = lambda: False) -> None:
        """`is_stopped` is asked again and again while a message is sent, to break that off."""
        self._is_stopped = is_stopped
        self._child: Child | None = None
        self._url: str | None = None
        """The address that the process was started for."""

    def send(self, url: str, letter: Letter, limit_s: float, now: datetime) -> Outcome:
        """Send, and return what became of it. `now` is for servers that name a time of day."""
        request = {
            "url": url,
            "title": letter.title,
            "text": letter.text,
            "type": _TYPE[letter.severity],
        }
        try:
            child, line = self._running(url)
            if line is not None and line.endswith(b"\n"):
                line = self._asked(child, request, limit_s)
        except OSError as error:
            self.close()
            return Outcome(False, T("the sender cannot be run: {why}", why=os_reason(error)))
        if line is None:
            self.close()
            return Outcome(False, T("no answer within {seconds} s", seconds=round(limit_s)))
        if not line.endswith(b"\n"):
            self.close()
            return Outcome(False, T("the sender ended in the middle"))
        return _outcome(json.loads(line), now)

    def close(self) -> None:
        """End the process; the next message starts another."""
        if self._child is not None:
            self._child.kill()
            self._child = None

    def _running(self, url: str) -> tuple[Child, bytes | None]:
        """Return the process, once it has loaded what it needs, and what it said of that."""
        if self._child is not None and (self._child.has_ended() or url != self._url):
            self.close()
        if self._child is not None:
            return self._child, b"\n"
        self._child = Child("recorder_sync.channels.sender", silent=True)
        self._url = url
        return self._child, self._asked(self._child, {"url": url, "load": ""}, _LOADS_WITHIN_S)

    def _asked(self, child: Child, request: Mapping[str, str], limit_s: float) -> bytes | None:
        """Return a line of the child, cut short where it ended; None when the time is over."""
        until = time.monotonic() + limit_s
        child.requests.write(json.dumps(request).encode() + b"\n")
        child.requests.flush()
        found = b""
        handle = child.answers.fileno()
        watch = select.poll()
        watch.register(handle, select.POLLIN)
        while not found.endswith(b"\n"):
            left = until - time.monotonic()
            if left <= 0 or self._is_stopped():
                return None
            if watch.poll(min(left, _ASK_EVERY_S) * 1000):
                part = os.read(handle, _PART)
                if not part:
                    break
                found += part
        return found


def _outcome(answer: dict[str, Any], now: datetime) -> Outcome:
    if answer["delivered"]:
        return Outcome(True)
    if answer.get("unknown"):
        return Outcome(
            False, T("the address is not one that can be sent to: {why}", why=answer["why"])
        )
    why = T("{why}", why=answer["why"] or "?")
    return Outcome(False, why, _seconds(answer.get("retry_after"), now))


def _seconds(retry_after: str | None, now: datetime) -> float | None:
    """Read a Retry-After: seconds, or a time (RFC 9110, 10.2.3). None for rubbish."""
    if retry_after is None:
        return None
    if retry_after.isascii() and retry_after.isdigit() and len(retry_after) < 10:
        return float(retry_after)
    try:
        at = email.utils.parsedate_to_datetime(retry_after)
        return max(0.0, (at - now).total_seconds())
    except (ValueError, TypeError):
        return None
