"""Does what a request asks for once, however often it is sent with one idempotency key.

The header is `Idempotency-Key` (the IETF's draft of that name). A key that comes with another
request than before is refused, as is one whose first request is still being worked on.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Annotated

from fastapi import Header
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from recorder_sync.access import answered
from recorder_sync.errors import RecorderSyncError
from recorder_sync.web.api.callers import Caller

Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="Any text of your choice, the same when the request is sent again.",
    ),
]


_worked_on: set[tuple[str, str]] = set()
"""Tokens and keys whose requests this process works on."""
_lock = Lock()


class KeyInUse(Exception):
    """The key came with another request before, or its request is under way."""


def once(
    caller: Caller, key: str | None, asked: BaseModel, do: Callable[[], BaseModel], code: int = 200
) -> JSONResponse:
    """Do it and return its answer; or the answer of the first time. Raises KeyInUse."""
    if key is None:
        return JSONResponse(do().model_dump(mode="json"), code)
    with _worked_on_alone(caller.token.name, key):
        return _once(caller, key, asked, do, code)


@contextmanager
def _worked_on_alone(token: str, key: str) -> Iterator[None]:
    """Have a key for one request at a time; a process that died works on none. Raises KeyInUse."""
    one = (token, key)
    with _lock:
        if one in _worked_on:
            raise KeyInUse
        _worked_on.add(one)
    try:
        yield
    finally:
        with _lock:
            _worked_on.discard(one)


def _once(
    caller: Caller, key: str, asked: BaseModel, do: Callable[[], BaseModel], code: int
) -> JSONResponse:
    db, token = caller.desk.accounts, caller.token.name
    text = f"{type(asked).__name__}{asked.model_dump_json()}"
    digest = hashlib.sha256(text.encode()).hexdigest()
    known = answered.before(db, token, key, digest, caller.station.now())
    if known is not None and known.asked != digest:
        raise KeyInUse
    if known is not None and known.answer is not None:
        return JSONResponse(
            json.loads(known.answer), known.code or code, {"idempotency-replayed": "true"}
        )
    try:
        answer = do()
    except RecorderSyncError:
        answered.forget(db, token, key)
        raise
    answered.note(db, token, key, code, answer.model_dump_json())
    return JSONResponse(answer.model_dump(mode="json"), code)
