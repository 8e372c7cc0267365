"""An answer that is on record before its first byte, and taken back where it did not arrive.

Whoever asked may be gone before anything was sent, in the middle, or when the service ends. A
generator that was never begun has no end of its own, so it is the answer that looks at whether
all of it went out. What the network has taken counts as arrived: more cannot be known here.
"""

import asyncio
from collections.abc import Callable, Generator, Mapping

from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from recorder_sync.journal import Log

_log = Log()


class Answer(StreamingResponse):
    """Sends the pieces; calls `take_back` with the reason where they did not all go out."""

    def __init__(
        self,
        pieces: Generator[bytes],
        take_back: Callable[[str], None],
        kind: str,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(self._noted(pieces), media_type=kind, headers=headers)
        self._pieces = pieces
        self._take_back = take_back
        self._is_whole = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        why = "broken off"
        try:
            await super().__call__(scope, receive, send)
        except Exception as error:
            why = str(error) or type(error).__name__
            _log.error("what was asked for was not sent", why=why)
            raise
        finally:
            if not self._is_whole:
                # Not in the loop, where every page would wait; and not broken off with it.
                end = asyncio.get_running_loop().run_in_executor(None, self._end, why)
                await asyncio.shield(end)

    def _noted(self, pieces: Generator[bytes]) -> Generator[bytes]:
        yield from pieces
        self._is_whole = True

    def _end(self, why: str) -> None:
        self._pieces.close()  # what it reads from is free again
        self._take_back(why)
