"""The custody log: append-only, hash-linked, synced before anything is reported done.

An entry is one line of canonical JSON (RFC 8785). It holds the leaf hash of the
entry before it, computed as RFC 6962 does (SHA-256 of a zero byte and the line), so
the chain of today and a Merkle tree over the same lines share their hashes. Any line
changed, dropped from the middle, moved or inserted breaks the chain. Changing the last
line or dropping lines from the end does not: that needs a witness outside this machine.

Segments are files named by the sequence number of their first entry; a full one is never
written again. A line that a power cut tore was never reported as done; it is set aside, not
silently dropped.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from recorder_sync.custody import segment as segment_file
from recorder_sync.custody.entry import (
    FIRST_PREVIOUS,
    Act,
    Deed,
    Entry,
    beginning_of,
    leaf_hash,
    line_of,
    link_of,
    parsed,
)
from recorder_sync.custody.unfit import reason
from recorder_sync.durable import (
    exclusive,
    make_folders,
    open_for_writing,
    open_regular,
    sync_folder,
    write_all,
)
from recorder_sync.errors import CustodyProblem, MissingPart, os_reason
from recorder_sync.language import T
from recorder_sync.protection import Protection, Wanted, protect

SEGMENT_ENTRIES = 65_536
"""Entries in a segment before the next one is begun."""

__all__ = ["FIRST_PREVIOUS", "SEGMENT_ENTRIES", "Act", "CustodyLog", "Deed", "Entry", "leaf_hash"]


class CustodyLog:
    """The log in one folder. Several processes may append; they take turns."""

    def __init__(self, folder: Path, station: str, *, immutable: bool = False) -> None:
        """`immutable` has full segments made immutable, where file system and rights allow."""
        self._folder = folder
        self._station = station
        self._immutable = immutable

    def append(self, deeds: Sequence[Deed]) -> list[Entry]:
        """Append and sync; when this returns, the deeds are on stable storage.

        Raises CustodyProblem when the end of the log cannot be read, MissingPart when
        it cannot be written (and then nothing of it stands in the log).
        """
        if not deeds:
            return []
        with self._turn():
            segment, seq, previous = self._end()
            entries = []
            lines = []
            for deed in deeds:
                line = line_of(seq, previous, self._station, deed)
                leaf = leaf_hash(line)
                entries.append(Entry(seq, previous, self._station, deed, leaf))
                lines.append(line + b"\n")
                seq, previous = seq + 1, leaf
            self._write(segment, entries[0].seq, b"".join(lines))
            return entries

    def sync(self) -> int:
        """Put on stable storage what a run that was cut off wrote and perhaps did not sync.

        Returns the number of entries, all of which are on stable storage now. Raises
        CustodyProblem when the end of the log cannot be read, or MissingPart.
        """
        with self._turn():
            segments = self._segments()
            if not segments:
                return 0
            with open_regular(segments[-1]) as segment:
                os.fsync(segment.fileno())
            sync_folder(self._folder)
            return self._end()[1]

    def entries(self, first: int = 0) -> Iterator[Entry]:
        """Yield the entries from number `first` on, checking every link on the way.

        Raises CustodyProblem at the first line that is not what it was.
        """
        for entry, _ in self.lines(first):
            yield entry

    def lines(self, first: int = 0) -> Iterator[tuple[Entry, bytes]]:
        """Yield the entries with their exact lines, as `entries` does.

        Entry `first` is looked up by its number, and held against the one before it.
        """
        start = max(0, first - 1)
        expected = None if start else 0
        previous = None if start else FIRST_PREVIOUS
        for segment in self._segments_from(start):
            _check_name(segment, expected)
            for line in _lines(segment, start):
                entry = _parse(line, segment, expected)
                if expected is None and int(segment.stem) <= entry.seq <= start:
                    expected, previous = entry.seq, entry.previous
                if entry.seq != expected or entry.previous != previous:
                    raise _broken(segment, expected, entry.seq)
                expected, previous = entry.seq + 1, entry.leaf
                if entry.seq >= first:
                    yield entry, line

    def lines_of(self, act: Act, first: int = 0) -> Iterator[bytes]:
        """Yield the exact lines of one act, from entry `first` on.

        Fast: nothing else is looked at, and no link is checked. Raises CustodyProblem or
        OSError.
        """
        beginning = beginning_of(act)
        for segment in self._segments_from(first):
            for line in _lines(segment, first):
                if line.startswith(beginning) and _parse(line, segment, None).seq >= first:
                    yield line

    def entries_of(self, acts: Iterable[Act], first: int = 0) -> Iterator[Entry]:
        """Yield the entries of some acts, from entry `first` on.

        Fast, as `lines_of`: no link is checked. Raises CustodyProblem or OSError.
        """
        beginnings = tuple(beginning_of(act) for act in acts)
        for segment in self._segments_from(first):
            for line in _lines(segment, first):
                if line.startswith(beginnings):
                    entry = _parse(line, segment, None)
                    if entry.seq >= first:
                        yield entry

    def newest_of(self, acts: Iterable[Act], among: int) -> Iterator[Entry]:
        """Yield the entries of some acts among the last so many lines, the newest first.

        Fast, as `lines_of`: no link is checked. Raises CustodyProblem or OSError.
        """
        beginnings = tuple(beginning_of(act) for act in acts)
        left = among
        for segment in reversed(self._segments()):
            for line in segment_file.lines_backwards(segment):
                if left <= 0:
                    return
                left -= 1
                if line.startswith(beginnings):
                    yield _parse(line, segment, None)

    def newest_first(self) -> Iterator[Entry]:
        """Yield the entries from the last one back, checking every link on the way.

        Raises CustodyProblem at the first line that is not what it was.
        """
        later: Entry | None = None
        for segment in reversed(self._segments()):
            for line in segment_file.lines_backwards(segment):
                entry = _parse(line, segment, None if later is None else later.seq - 1)
                if later and (later.seq, later.previous) != (entry.seq + 1, entry.leaf):
                    raise _broken(segment, later.seq, later.seq)
                yield entry
                later = entry
        if later and (later.seq, later.previous) != (0, FIRST_PREVIOUS):
            raise _broken(self._segments()[0], 0, later.seq)

    def last_sealed(self) -> str | None:
        """Return the id of the recording that was sealed last. Raises OSError.

        Looked for from the end, and not checked: it tells whether somebody else is behind.
        """
        beginning = beginning_of(Act.SEAL)
        for segment in reversed(self._segments()):
            for line in segment_file.lines_backwards(segment):
                if line.startswith(beginning):
                    with suppress(ValueError, KeyError, TypeError, RecursionError):  # verify's
                        return str(json.loads(line)["subject"])
        return None

    def extents(self) -> dict[Path, int]:
        """Return each segment with the bytes that hold whole, synced entries.

        Raises MissingPart or CustodyProblem.
        """
        with self._turn():
            self._end()  # sets a torn line aside
            return {segment: segment.stat().st_size for segment in self._segments()}

    def protect_full_segments(self) -> Protection | None:
        """Make segments that nothing is added to any more immutable, where that can be.

        Returns what protects them: the weakest, None where there is no full one. Raises
        OSError.
        """
        wanted = Wanted(self._immutable, verity=False)
        found = [protect(segment, None, wanted).protection for segment in self._segments()[:-1]]
        weaker = [one for one in found if one is not Protection.IMMUTABLE]
        return next(iter(weaker or found), None)

    def leaves(self, first: int = 0) -> Iterator[bytes]:
        """Yield the leaf hashes of the entries from number `first` on, checking every link.

        Raises CustodyProblem as `entries` does.
        """
        for _, _, leaf in self._linked(first):
            yield leaf

    def numbered_lines(self, first: int = 0) -> Iterator[tuple[int, bytes]]:
        """Yield the number and exact line of the entries from `first` on, checking every link.

        Raises CustodyProblem as `entries` does.
        """
        for seq, line, _ in self._linked(first):
            yield seq, line

    def _linked(self, first: int) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield number, line and leaf hash; lines are read no further than the links need,
        which takes a tenth of the time."""
        start = max(0, first - 1)
        expected = None if start else 0
        previous = None if start else FIRST_PREVIOUS.encode()
        for segment in self._segments_from(start):
            _check_name(segment, expected)
            for line in _lines(segment, start):
                seq, link = link_of(line)
                if expected is None and seq is not None and int(segment.stem) <= seq <= start:
                    expected, previous = seq, link
                if expected is None or (seq, link) != (expected, previous):
                    raise _broken(segment, expected, _parse(line, segment, expected).seq)
                leaf = hashlib.sha256(b"\0" + line)
                if expected >= first:
                    yield expected, line, leaf.digest()
                expected, previous = expected + 1, leaf.hexdigest().encode()

    def is_begun(self) -> bool:
        """Tell whether anything was ever put on record here."""
        return bool(self._segments())

    def size(self) -> int:
        """Return the number of entries."""
        with self._turn():
            return self._end()[1]

    def _segments(self) -> list[Path]:
        return sorted(self._folder.glob("[0-9]" * 20 + ".jsonl"))

    def _segments_from(self, first: int) -> list[Path]:
        """Return the segment that holds entry `first`, and those after it."""
        segments = self._segments()
        earlier = sum(1 for s in segments if int(s.stem) <= first)
        return segments[max(0, earlier - 1) :]

    @contextmanager
    def _turn(self) -> Iterator[None]:
        try:
            make_folders(self._folder)
            with exclusive(self._folder / "lock"):
                yield
        except OSError as error:
            raise _cannot_write(self._folder, error) from error

    def _end(self) -> tuple[Path | None, int, str]:
        """Return the segment to append to (None: begin one), next number, last leaf."""
        segments = self._segments()
        if not segments:
            return None, 0, FIRST_PREVIOUS
        segment = segments[-1]
        last = segment_file.last_line(segment)
        if last is None:
            kept = segments[-2] if len(segments) > 1 else None
            last = None if kept is None else segment_file.last_line(kept)
            if last is None:
                _check_name(segment, 0)
                return segment, 0, FIRST_PREVIOUS
            entry = _parse(last, segment, None)
            _check_name(segment, entry.seq + 1)
        else:
            entry = _parse(last, segment, None)
        full = entry.seq + 1 - int(segment.stem) >= SEGMENT_ENTRIES
        return (None if full else segment), entry.seq + 1, entry.leaf

    def _write(self, segment: Path | None, first: int, data: bytes) -> None:
        path = segment or self._folder / f"{first:020d}.jsonl"
        handle = open_for_writing(path, os.O_CREAT | os.O_APPEND)
        try:
            before = os.fstat(handle).st_size
            try:
                write_all(handle, data)
                os.fsync(handle)
                if segment is None:
                    sync_folder(self._folder)
            except OSError:
                os.ftruncate(handle, before)
                raise
        finally:
            os.close(handle)


def _lines(segment: Path, first: int) -> Iterator[bytes]:
    try:
        yield from segment_file.lines(segment, first)
    except ValueError as error:
        raise _no_entry(segment, None, error) from error


def _check_name(segment: Path, expected: int | None) -> None:
    """A segment is named by its first entry: another name hides entries, or makes room."""
    if expected is not None and expected != int(segment.stem):
        raise _broken(segment, int(segment.stem), expected)


def _parse(line: bytes, segment: Path, seq: int | None) -> Entry:
    """Read a line that should be of entry `seq`, where that is known."""
    try:
        return parsed(line)
    except ValueError as error:
        raise _no_entry(segment, seq, error) from error


def _no_entry(segment: Path, seq: int | None, why: ValueError) -> CustodyProblem:
    return CustodyProblem(
        T(
            "The custody log has a line that is no entry: {file} line {line} ({why}).",
            file=segment.name,
            line="?" if seq is None else _line_number(segment, seq),
            why=reason(why),
        ),
        T("Keep the folder as it is and compare it with a backup or a forwarded copy."),
    )


def _broken(segment: Path, expected: int | None, found: int) -> CustodyProblem:
    return CustodyProblem(
        T(
            "The custody log is broken at {file} line {line}: "
            "entry {seq} does not follow the one before it.",
            file=segment.name,
            line="?" if expected is None else _line_number(segment, expected),
            seq=found,
        ),
        T(
            "Lines were changed, moved or removed. Keep the folder as it is "
            "and compare it with a backup or a forwarded copy."
        ),
    )


def _line_number(segment: Path, seq: int) -> int:
    return seq - int(segment.stem) + 1


def _cannot_write(path: Path, error: OSError) -> MissingPart:
    return MissingPart(
        T("The custody log {path} cannot be written: {why}.", path=path, why=os_reason(error)),
        T(
            "Nothing is done without an entry. Free space, or run the command as a user "
            "who may write there."
        ),
    )
