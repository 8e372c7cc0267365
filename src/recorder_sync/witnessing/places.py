"""Places on this machine that keep checkpoints beside the log's own folder.

    <evidence>/.checkpoints/<station>/SIZE     every checkpoint, read-only
    <folder>/<station>.checkpoint              on a stick: the last one
    <folder>/<station>.checkpoints             on a stick: all, one after the other
    <state>/custody/witnessed/SIZE             those that a witness has cosigned

They show a state folder that was put back or copied, and a log that was cut or rewritten,
to somebody who did not think of all of them. They prove nothing against a person who
changes all of them: that takes a witness elsewhere. A stick that is not there is no error;
it gets the last checkpoint when it is back, and keeps those that it has.
"""

import math
import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path

from recorder_sync.config import Configuration
from recorder_sync.custody.checkpoints import Signed
from recorder_sync.custody.elsewhere import NoteElsewhere
from recorder_sync.custody.notes import LARGEST_FILE, notes_in_lines, origin_of, size_of
from recorder_sync.durable import open_regular, read_regular, sync_folder, write_all, write_synced
from recorder_sync.errors import NotRegular
from recorder_sync.station import evidence_and_custody
from recorder_sync.stores.evidence import CHECKPOINTS, INCOMING, EvidenceFolder, exists
from recorder_sync.witnessing.witnessed import Witnessed

_DIGITS = "[0-9]" * 20
_LARGEST_NOTE = 1 << 20
"""Bytes of one note; it has a few hundred."""

_PIECE = 1 << 16

_TAIL = 1 << 16
"""Bytes at the end of a growing file in which its last note stands."""


class Place(ABC):
    """Somewhere that keeps notes of one station's log."""

    is_missed = True
    """Whether somebody wants to know that it is not there."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @abstractmethod
    def is_there(self) -> bool:
        """Tell whether the disk or stick is there."""

    @property
    def disk(self) -> Path:
        """A folder on the disk or stick, which is there when that is."""
        return self.path

    @abstractmethod
    def keep(self, signed: Signed) -> None:
        """Keep a note, synced; one that is kept already is left alone. Raises OSError."""

    @abstractmethod
    def notes(self) -> Iterator[NoteElsewhere]:
        """Yield what is kept of this station's log, newest first. Raises OSError."""

    def sizes(self) -> set[int]:
        """Return how many entries each note kept here vouches for. Raises OSError."""
        return {size for size in map(_entries_of, self.notes()) if isinstance(size, int)}

    def newest(self) -> list[NoteElsewhere]:
        """Return the note with most entries, if any, by what it says and not by its name.

        Raises OSError.
        """
        return sorted(self.notes(), key=_entries_of, reverse=True)[:1]


class EvidencePlace(Place):
    """Beside the evidence: goes where the disk goes, and along when evidence is forwarded."""

    def __init__(self, evidence: EvidenceFolder, station: str) -> None:
        super().__init__(evidence.root / CHECKPOINTS / station)
        self._evidence = evidence
        self._relative = f"{CHECKPOINTS}/{station}"

    @property
    def disk(self) -> Path:
        return self._evidence.root

    def is_there(self) -> bool:
        return (self._evidence.root / INCOMING).is_dir()

    def sizes(self) -> set[int]:
        return {int(path.name) for path in self.path.glob(_DIGITS) if path.is_file()}

    def keep(self, signed: Signed) -> None:
        name = f"{signed.checkpoint.size:020d}"
        with self._evidence.folder(self._relative, make=True) as folder:
            for left in self.path.glob(f".{_DIGITS}.new"):
                if left.is_file():  # of a run that was cut off
                    os.unlink(left.name, dir_fd=folder)
            if not exists(name, folder):
                self._write(name, folder, signed.note.encode())
            self._evidence.protect(name, folder)
            os.fsync(folder)

    def _write(self, name: str, folder: int, note: bytes) -> None:
        beside = f".{name}.new"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        handle = os.open(beside, flags, 0o640, dir_fd=folder)
        try:
            write_all(handle, note)
            os.fsync(handle)
        finally:
            os.close(handle)
        os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)

    def notes(self) -> Iterator[NoteElsewhere]:
        for path in sorted(self.path.glob(_DIGITS), reverse=True):
            yield NoteElsewhere(str(path), _text(path))


class FolderPlace(Place):
    """A folder such as one on a stick. File systems without links and modes will do."""

    def __init__(self, folder: Path, station: str, origin: str) -> None:
        super().__init__(folder)
        self._last = folder / f"{station}.checkpoint"
        self._all = folder / f"{station}.checkpoints"
        self._origin = origin

    def is_there(self) -> bool:
        return self.path.is_dir()

    def keep(self, signed: Signed) -> None:
        note = signed.note.encode()
        self._append(note)
        if os.path.lexists(self._last) and read_regular(self._last) == note:
            return
        beside = self._last.with_name(f"{self._last.name}.new")
        write_synced(beside, note)
        os.rename(beside, self._last)
        sync_folder(self.path)

    def notes(self) -> Iterator[NoteElsewhere]:
        """Yield the last note and those of the growing file; what was torn is passed over."""
        yield from sorted(self._found(), key=_entries_of, reverse=True)

    def newest(self) -> list[NoteElsewhere]:
        kept = max(self._found(), key=_entries_of, default=None)
        return [] if kept is None else [kept]

    def _found(self) -> Iterator[NoteElsewhere]:
        for path in (self._last, self._all):
            if os.path.lexists(path):
                for note in notes_in_lines(_lines(path)):
                    if origin_of(note) == self._origin:
                        yield NoteElsewhere(str(path), note)

    def _append(self, note: bytes) -> None:
        is_new = not self._all.exists()
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        safely = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a stick is anybody's
        handle = os.open(self._all, flags | safely, 0o640)
        try:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise NotRegular(self._all)
            size = os.fstat(handle).st_size
            tail = os.pread(handle, _TAIL, max(0, size - _TAIL))
            if tail.endswith(note):
                return
            gap = b"" if not tail or tail.endswith(b"\n") else b"\n"
            try:
                write_all(handle, gap + note)
                os.fsync(handle)
            except OSError:
                os.ftruncate(handle, size)
                raise
        finally:
            os.close(handle)
        if is_new:
            sync_folder(self.path)


class WitnessedPlace(Place):
    """What came back from witnesses; kept where it is taken in."""

    is_missed = False

    def __init__(self, custody: Path) -> None:
        super().__init__(custody / "witnessed")
        self._witnessed = Witnessed(custody)

    def is_there(self) -> bool:
        return self.path.is_dir()

    def keep(self, signed: Signed) -> None:
        """Nothing: a note comes here with a cosignature only."""

    def notes(self) -> Iterator[NoteElsewhere]:
        for path, note in self._witnessed.notes():
            yield NoteElsewhere(str(path), note)


def places_of(settings: Configuration) -> list[Place]:
    """Return every place that the settings name, and those that there always are."""
    station = settings.station.id
    evidence, _ = evidence_and_custody(settings)
    return [
        EvidencePlace(evidence, station),
        WitnessedPlace(settings.paths.state / "custody"),
        *(
            FolderPlace(folder, station, f"recorder-sync/{station}")
            for folder in settings.witness.folders
        ),
    ]


def _entries_of(kept: NoteElsewhere) -> float:
    """Return the entries of a note; what is none comes first, and is told of."""
    try:
        return size_of(kept.note)
    except (ValueError, IndexError):
        return math.inf


def _text(path: Path) -> str:
    """Read one note; a pipe or a link in its place is an error, and never waits."""
    with open_regular(path) as file:
        return file.read(_LARGEST_NOTE).decode("utf-8", "replace")


def _lines(path: Path) -> Iterator[str]:
    """Yield the lines of a file of notes; of one that is too large, those at its end."""
    with open_regular(path) as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - LARGEST_FILE))
        while piece := file.readline(_PIECE):
            yield from piece.decode("utf-8", "replace").splitlines()
