"""Sends one HTTP request and reads a short answer, never longer than a set time.

Redirections are not followed: who is asked is what the configuration says. Certificates of
https servers are checked with those of the system.
"""

import http.client
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import Any

from recorder_sync.errors import os_reason
from recorder_sync.language import T, Text

LARGEST_ANSWER = 256 << 10
"""Bytes of an answer; a time stamp with its certificates has some thousand."""

_SILENT_S = 15.0
_IN_ALL_S = 60.0
_PART = 1 << 14


@dataclass(frozen=True, slots=True)
class Answered:
    status: int
    kind: str
    """Content type without parameters, in small letters."""
    body: bytes


class NoAnswer(Exception):
    """Nothing usable came back."""

    def __init__(self, why: Text) -> None:
        super().__init__(why.english)
        self.why = why


class _NoRedirection(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args: Any, **_more: Any) -> None:
        return None


_opener = urllib.request.build_opener(_NoRedirection)


def post(url: str, body: bytes, kind: str, *, silent_s: float = _SILENT_S) -> Answered:
    """Post `body` and return what was answered, whatever its status.

    `silent_s` is how long the other side may say nothing. Raises NoAnswer.
    """
    request = urllib.request.Request(url, body, {"Content-Type": kind}, method="POST")
    until = time.monotonic() + _IN_ALL_S
    try:
        try:
            answer = _opener.open(request, timeout=silent_s)
        except urllib.error.HTTPError as error:  # a status from 300 on is an answer, too
            answer = error
        with answer:
            found = bytearray()
            while part := answer.read1(_PART):
                found += part
                if len(found) > LARGEST_ANSWER:
                    raise NoAnswer(T("the answer is too long"))
                if time.monotonic() > until:
                    raise NoAnswer(T("the answer takes too long"))
            named = answer.headers.get_content_type().lower()
            return Answered(answer.status, named, bytes(found))
    except TimeoutError as error:
        raise NoAnswer(T("there was no answer in time")) from error
    except urllib.error.URLError as error:
        raise NoAnswer(_reason(error.reason)) from error
    except http.client.HTTPException as error:
        raise NoAnswer(T("what answered does not speak HTTP")) from error
    except (OSError, ValueError) as error:
        raise NoAnswer(_reason(error)) from error


def _reason(reason: object) -> Text:
    if isinstance(reason, TimeoutError):
        return T("there was no answer in time")
    if isinstance(reason, OSError):
        return os_reason(reason)
    return T("{why}", why=reason)
