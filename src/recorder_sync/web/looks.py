"""Puts on record who looks at which evidence, before the first byte of it (Art. 4, 21).

A player asks for a recording in many pieces, and a contact sheet for many pictures: one look is
on record once, however often it is asked for within ten minutes of one session.
"""

import threading
import time
from collections.abc import Sequence
from enum import StrEnum

from fastapi import Request

from recorder_sync.custody.log import Act
from recorder_sync.on_record import put
from recorder_sync.web.visits import Visit

_HOLDS_S = 600.0
_MOST = 20_000

_Look = tuple[str, str, str]


class Look(StrEnum):
    """What somebody looks at, as the custody log names it."""

    DESCRIPTION = "description"
    RECORDING = "recording"
    PREVIEW = "preview"
    THUMBNAIL = "thumbnail"
    TRACK = "positions"
    """Where the device was, second by second."""
    DOCUMENT = "document"


class Looks:
    """What is on record already, of the sessions of this process."""

    def __init__(self) -> None:
        self._known: dict[_Look, float] = {}
        self._lock = threading.Lock()

    def enter(self, visit: Visit, recordings: Sequence[str], what: Look) -> None:
        """Put on record that somebody looks at these. Raises MissingPart or CustodyProblem."""
        with self._lock:  # two pictures asked for at once are one look
            now = time.monotonic()
            looks = {one: (visit.csrf, one, what.value) for one in dict.fromkeys(recordings)}
            due = [
                one
                for one, look in looks.items()
                if now - self._known.get(look, -_HOLDS_S) >= _HOLDS_S
            ]
            if not due:
                return
            facts = {"what": what.value}
            station = visit.station
            put(station, [station.deed(Act.VIEW, one, facts) for one in due])
            if len(self._known) > _MOST:
                self._known = {k: at for k, at in self._known.items() if now - at < _HOLDS_S}
            self._known.update({looks[one]: now for one in due})


def looked_at(request: Request, visit: Visit, recordings: Sequence[str], what: Look) -> None:
    """Do it for a page. Raises MissingPart or CustodyProblem: then nothing may be sent."""
    looks = request.app.state.looks
    assert isinstance(looks, Looks)
    looks.enter(visit, recordings, what)
