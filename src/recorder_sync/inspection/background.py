"""Verifies some recordings beside the pages: one sample at a time, in a process of its own."""

import json
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from recorder_sync.catalogue.alert_facts import text_of
from recorder_sync.child import Child
from recorder_sync.errors import MissingPart, UsageProblem, os_reason
from recorder_sync.language import T, Text
from recorder_sync.station import Station

_SECTIONS = {"station", "paths", "ingest", "verification"}
_GOODBYE_S = 5.0


@dataclass(frozen=True, slots=True)
class Check:
    """How far one is, or what came of it. Times in UTC."""

    began_at: datetime
    by: str
    sample: int | None
    case: str | None
    checked: int = 0
    size: int = 0
    findings: int = 0
    ended: bool = False
    complete: bool = False
    error: Text | None = None
    hint: Text | None = None


class BackgroundChecks:
    """The one that is under way, or was last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._check: Check | None = None
        self._child: Child | None = None
        self._reader: threading.Thread | None = None

    @property
    def newest(self) -> Check | None:
        with self._lock:
            return self._check

    def begin(
        self, station: Station, by: str, sample: int | None = None, case: str | None = None
    ) -> None:
        """Have so many recordings verified, or those of a case, under the station's actor.

        Raises UsageProblem while another check is under way, MissingPart where the process
        cannot be started.
        """
        with self._lock:
            if self._check is not None and not self._check.ended:
                raise UsageProblem(
                    T("A check is under way already."), T("Wait until it has ended.")
                )
            try:
                child = Child("recorder_sync.inspection.checking")
            except OSError as error:
                raise MissingPart(
                    T("The check cannot be started: {why}.", why=os_reason(error)),
                    T("Run on the station: recorder-sync verify --sample 100"),
                ) from error
            self._child = child
            self._check = Check(station.now(), by, sample, case)
        asked = {
            "settings": station.settings.model_dump(mode="json", include=_SECTIONS),
            "actor": station.actor,
            "sample": sample,
            "case": case,
        }
        with suppress(BrokenPipeError):  # the reader says that it is gone
            child.requests.write(json.dumps(asked).encode() + b"\n")
            child.requests.flush()
        self._reader = threading.Thread(
            target=self._follow, args=(child,), name="check", daemon=True
        )
        self._reader.start()

    def stop(self) -> None:
        """End it; what was re-read so far is on record."""
        with self._lock:
            child, reader = self._child, self._reader
        if child is None or reader is None:
            return
        with suppress(BrokenPipeError):
            child.requests.close()
        reader.join(_GOODBYE_S)
        child.kill()

    def _follow(self, child: Child) -> None:
        for line in child.answers:
            said = json.loads(line)
            with self._lock:
                assert self._check is not None
                self._check = replace(
                    self._check,
                    checked=said.get("checked", self._check.checked),
                    size=said.get("size", self._check.size),
                    findings=said.get("findings", 0),
                    ended=said.get("ended", False),
                    complete=said.get("complete", False),
                    error=text_of(said["error"]) if said.get("error") else None,
                    hint=text_of(said["hint"]) if said.get("hint") else None,
                )
        child.kill()  # it has ended; nothing of it is left behind
        with self._lock:
            if self._check is not None and not self._check.ended:
                self._check = replace(
                    self._check,
                    ended=True,
                    error=T("The check ended before it was through."),
                    hint=T("Run on the station: recorder-sync verify --sample 100"),
                )
