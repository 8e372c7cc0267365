"""Makes thumbnails and previews in the background: one at a time, what is looked at first.

What somebody has on the screen comes first, the newest wish before older ones; without wishes the
newest recordings get their thumbnails. A preview, which may take many minutes, is put aside for
nothing: whoever waits for a thumbnail meanwhile sees that it is being made.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass

from recorder_sync.catalogue import recordings
from recorder_sync.catalogue.database import FILE_NAME, open_catalogue
from recorder_sync.config import Configuration
from recorder_sync.errors import NotFound, RecorderSyncError
from recorder_sync.inspection.pace import step_back
from recorder_sync.journal import Log
from recorder_sync.language import T
from recorder_sync.media.rendering import (
    BrokenOff,
    NotRendered,
    preview,
    render,
    thumbnail,
    track,
)
from recorder_sync.model import Recording
from recorder_sync.previews.folder import Form, PreviewFolder, State, Wanted
from recorder_sync.station import evidence_and_custody
from recorder_sync.stores.evidence import EvidenceFolder

_MOST_WISHES = 500
_NEWEST = 200
"""Recordings that get a thumbnail before anybody asks."""
_IDLE_S = 60.0
_TURN_WITHIN_S = 30.0
_LATER_S = 600.0

_log = Log()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the one that is being made just now is."""

    wanted: Wanted
    done_s: float
    of_s: float | None


class PreviewMaker:
    def __init__(self, settings: Callable[[], Configuration]) -> None:
        self._settings = settings
        self._wishes: list[Wanted] = []
        self._lock = threading.Condition()
        self._ending = False
        self._now: Progress | None = None
        self._later: dict[Wanted, float] = {}
        """What could not be read just now, and when to try it again."""
        self._handing_out = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="previews", daemon=True)

    @property
    def folder(self) -> PreviewFolder:
        settings = self._settings()
        return PreviewFolder(settings.paths.state, settings.previews.size_mib << 20)

    def start(self) -> None:
        if self._settings().previews.enabled:
            self._thread.start()

    def stop(self) -> None:
        with self._lock:
            self._ending = True
            self._lock.notify()
        if self._thread.is_alive():
            self._thread.join(5)

    def wish(self, wishes: Sequence[Wanted]) -> None:
        """Have these made next, the first of them first."""
        with self._lock:
            kept = [one for one in self._wishes if one not in wishes]
            self._wishes = [*kept, *reversed(wishes)][-_MOST_WISHES:]
            self._lock.notify()

    def progress(self, wanted: Wanted) -> Progress | None:
        """Return how far it is, where it is being made just now."""
        now = self._now
        return now if now is not None and now.wanted == wanted else None

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Have the place of a preview that is handed out: one at a time, beside those that are
        made in the background, which may take long.

        Raises NotRendered where another has it for long: whoever waits keeps a thread of the
        pages waiting.
        """
        if not self._handing_out.acquire(timeout=_TURN_WITHIN_S):
            raise NotRendered(T("Another preview is being handed out. Try again in some minutes."))
        try:
            yield
        finally:
            self._handing_out.release()

    def _run(self) -> None:
        step_back()
        while (wanted := self._next()) is not None:
            self._make(wanted)

    def _next(self) -> Wanted | None:
        """Return what to make next, None at the end."""
        while True:
            with self._lock:
                if self._ending:
                    return None
                if self._wishes:
                    return self._wishes.pop()
            if wanted := self._newest_without():
                return wanted
            with self._lock:
                if not (self._ending or self._wishes):
                    self._lock.wait(_IDLE_S)

    def _newest_without(self) -> Wanted | None:
        folder = self.folder
        try:
            with closing(open_catalogue(self._settings().paths.state / FILE_NAME)) as db:
                newest = recordings.newest_ids(db, _NEWEST)
        except (RecorderSyncError, sqlite3.DatabaseError, OSError) as error:
            _log.error("no thumbnails just now", why=str(error))
            return None
        now = time.monotonic()
        self._later = {one: at for one, at in self._later.items() if at > now}
        wishes = (Wanted(one, Form.THUMBNAIL) for one in newest)
        return next(
            (w for w in wishes if w not in self._later and folder.state(w) is State.MISSING), None
        )

    def _make(self, wanted: Wanted) -> None:
        folder = self.folder
        if folder.state(wanted) is not State.MISSING:
            return
        try:
            settings = self._settings()
            with closing(open_catalogue(settings.paths.state / FILE_NAME)) as db:
                found = recordings.recording(db, wanted.recording).recording
            self._render(folder, wanted, found, settings)
        except (NotFound, BrokenOff):
            return
        except NotRendered as error:
            _log.info("no picture", recording=wanted.recording, why=str(error))
            folder.note_failure(wanted, str(error))
        except (RecorderSyncError, sqlite3.DatabaseError, OSError) as error:
            _log.error("no picture just now", recording=wanted.recording, why=str(error))
            self._later[wanted] = time.monotonic() + _LATER_S
        except Exception as error:  # noqa: BLE001 - a defect must not end all pictures unseen
            _log.exception("no picture", recording=wanted.recording, error=repr(error))
            folder.note_failure(wanted, repr(error))
        finally:
            self._now = None

    def _render(
        self, folder: PreviewFolder, wanted: Wanted, found: Recording, settings: Configuration
    ) -> None:
        chosen = settings.previews
        match wanted.form:
            case Form.THUMBNAIL:
                work = thumbnail(found.media, chosen)
            case Form.PREVIEW:
                work = preview(found.media.kind, chosen)
            case Form.TRACK:
                work = track(found.media.kind, chosen)
        if work is None:
            folder.note_failure(wanted, "there is nothing to be seen or heard in it")
            return
        self._now = Progress(wanted, 0.0, found.media.duration_s)

        def told(seconds: float) -> None:
            self._now = Progress(wanted, seconds, found.media.duration_s)

        evidence, _ = evidence_and_custody(settings)
        with opened(evidence, found.path) as source:
            pieces = render(
                source, work, chosen.memory_limit_mib, told, is_ending=lambda: self._ending
            )
            folder.put(wanted, pieces)


@contextmanager
def opened(evidence: EvidenceFolder, relative: str) -> Iterator[int]:
    """Hold a sealed file open for reading, reached without following a link. Raises OSError."""
    handle = evidence.opened(relative)
    try:
        yield handle
    finally:
        os.close(handle)
