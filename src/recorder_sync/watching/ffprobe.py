"""Whether the program that describes recordings runs, and is as new as the distribution's.

The programs are asked for their versions when the service starts, and again when one of the
files is another: the minutes between cost a look at their names.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from recorder_sync.catalogue import measured
from recorder_sync.config import Media
from recorder_sync.errors import MissingPart
from recorder_sync.journal import Log
from recorder_sync.language import T
from recorder_sync.media.ffprobe import SMALL, Notice, candidates, notice_of
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import Matter, Severity, key_of
from recorder_sync.watching.source import Look, Undecided

_BEGUN = "ffprobe"

_log = Log()


class Ffprobe:
    """The program as it was when it was asked last."""

    name = "ffprobe"
    what = T("The program that describes recordings")
    kinds = frozenset({AlertKind.FFPROBE})

    def __init__(self, small: Path = SMALL) -> None:
        self._small = small
        self._asked: object = None
        """What the last answer holds for; None: nothing, as the program did not run."""
        self._notice: Notice | None = None
        self._severity = Severity.NOTICE

    def matters(self, look: Look) -> Iterator[Matter | Undecided]:
        settings, db = look.station.settings.media, look.station.catalogue
        self._ask_if_changed(settings)
        if self._notice is None:
            measured.end(db, _BEGUN)
            return
        yield Matter(
            AlertKind.FFPROBE,
            key_of(AlertKind.FFPROBE),
            self._severity,
            measured.begin(db, _BEGUN, look.now).since,
            self._notice.text,
            self._notice.hint,
        )

    def _ask_if_changed(self, settings: Media) -> None:
        files = (settings, [_identity(path) for path in candidates(settings, self._small)])
        if files == self._asked:
            return
        before, self._asked = self._notice, files
        try:
            self._notice = notice_of(settings, self._small)
            self._severity = Severity.NOTICE
        except MissingPart as error:
            self._notice = Notice(error.text, error.hint or T("See docs/dock.md."))
            self._severity = Severity.WARNING
            self._asked = None
        if self._notice is not None and self._notice != before:
            _log.warning(self._notice.text.english, hint=self._notice.hint.english)


def _identity(path: str) -> tuple[object, ...]:
    """Return what is another when the file is; of one that is not there, its path alone."""
    try:
        found = os.stat(path)
    except OSError:
        return (path,)
    return path, found.st_dev, found.st_ino, found.st_mtime_ns, found.st_ctime_ns
