"""Re-reads evidence and compares disk, descriptions, digest lists, catalogue and log.

The custody log is the measure: the chain of its entries is checked first, with its
checkpoints, then every row of the catalogue, then the files of every recording against its
seal. Bodies are read round the page cache, so that what is verified is the disk; without
bodies it is metadata only. What was re-read and whole is put on record as it goes: a
verification of everything that was cut off goes on where it was.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from recorder_sync.catalogue import brought_back, documents, recordings, verified
from recorder_sync.catalogue.database import FILE_NAME, explain, is_of_schema, transaction
from recorder_sync.custody.log import Act
from recorder_sync.direct_io import page_aligned
from recorder_sync.errors import CustodyProblem
from recorder_sync.ingest.stopping import Stopping
from recorder_sync.inspection.expected import Expected
from recorder_sync.inspection.findings import Finding, FindingKind
from recorder_sync.inspection.on_disk import (
    RecordingFiles,
    Seal,
    extras_and_lists,
    seal_of,
    seals_by_folder,
)
from recorder_sync.inspection.pace import Pace
from recorder_sync.inspection.records import checked_records
from recorder_sync.language import T
from recorder_sync.on_record import append
from recorder_sync.station import Station
from recorder_sync.timestamps import iso

_IN_ONE_ENTRY = 1_000
"""Recordings of which one custody entry says that they are whole."""

_AT_MOST_S = 60.0
"""Seconds of work that a power cut may cost."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What to verify: everything, or a part. Only everything finds what was added."""

    since: datetime | None = None
    sample: int | None = None
    case: str | None = None
    chosen: tuple[str, ...] | None = None
    """These recordings, in this order."""

    @property
    def is_everything(self) -> bool:
        return all(v is None for v in (self.since, self.sample, self.case, self.chosen))


@dataclass(slots=True)
class Verification:
    checked: int = 0
    """Recordings, and documents of cases, whose files were looked at."""
    size: int = 0
    """Bytes of recordings that were re-read."""
    findings: list[Finding] = field(default_factory=list)
    complete: bool = False
    """False: it was stopped."""
    began_at: datetime | None = None
    """Of everything: when the verification began that this one goes on with, or is."""
    earlier: int = 0
    """Recordings that it had re-read before it was cut off."""
    skipped: int = 0
    """Of those that were looked at, how many were not re-read because of that."""
    elsewhere: int = 0
    """Recordings that are only in a store, by the custody log: they were not looked at."""
    only_in: str | None = None
    """The store that has these."""

    @property
    def re_read(self) -> int:
        """Recordings that were to be re-read now, and not skipped; of bodies only."""
        return self.checked - self.skipped


def verify(
    station: Station,
    scope: Scope,
    checked: Callable[[str, int], None] = lambda _p, _s: None,
    *,
    bodies: bool = True,
    anew: bool = False,
    pace: Pace | None = None,
    found: Callable[[Finding], None] = lambda _f: None,
) -> Verification:
    """Verify the recordings in scope and enter the result in the custody log.

    `bodies` says whether recordings are re-read, `anew` that a verification of everything
    begins again where one was cut off. `checked` is told each recording's path and size,
    `found` each finding at once. When the pace stops it, the result is not complete.
    Raises MissingPart when the result cannot be entered.
    """
    return _Verifying(station, scope, bodies, anew, pace or Pace(), checked, found).run()


class _Verifying:
    """One verification under way."""

    def __init__(
        self,
        station: Station,
        scope: Scope,
        bodies: bool,
        anew: bool,
        pace: Pace,
        checked: Callable[[str, int], None],
        found: Callable[[Finding], None],
    ) -> None:
        self._station = station
        self._scope = scope
        self._bodies = bodies
        self._pace = pace
        self._checked = checked
        self._found = found
        self._result = Verification()
        self._whole: list[str] = []
        """Re-read, and not on record yet."""
        self._on_record_at = station.now()
        self._done: set[str] = set()
        """Re-read before this verification was cut off."""
        if bodies and scope.is_everything:
            self._begin(anew)

    def run(self) -> Verification:
        result = self._result
        try:
            with checked_records(self._station, self._pace) as (expected, findings):
                self._scoped(expected, findings)
                lists = self._files(expected)
                if self._scope.is_everything:
                    self._add(extras_and_lists(self._station, expected.db, lists, self._pace))
            result.complete = True
        except Stopping:
            result.complete = False
        self._enter()
        return result

    def _begin(self, anew: bool) -> None:
        """Go on with a verification that was cut off, or begin one."""
        result, db = self._result, self._station.catalogue
        under_way = None if anew else verified.under_way(db)
        result.began_at = under_way or self._station.now()
        if under_way is not None:
            self._done = verified.since(db, under_way)
            result.earlier = len(self._done)

    def _scoped(self, expected: Expected, findings: list[Finding]) -> None:
        """Keep what was found of the records, as far as it was asked for."""
        if self._scope.is_everything:
            self._add(findings)
            return
        inside = {seal.id for seal in self._seals(expected)}
        self._add([f for f in findings if f.recording in inside or _is_of_no_row(f)])

    def _files(self, expected: Expected) -> list[tuple[str, str, list[Seal]]]:
        """Check the files; return the digest lists that are to be looked at again."""
        everything = self._scope.is_everything
        with page_aligned() as buffer:
            files = RecordingFiles(self._station.evidence, self._pace, buffer)
            try:
                for seal, findings in files.check(
                    self._here(expected), self._reads_body, lists=everything
                ):
                    self._add(findings)
                    if self._reads_body(seal) and not findings:
                        self._note_whole(seal.id)
                    self._result.checked += 1
                    self._result.skipped += seal.id in self._done
                    self._checked(seal.path, seal.size)
            finally:
                self._result.size = files.size
        return files.unlike_lists

    def _here(self, expected: Expected) -> Iterator[Seal]:
        """Yield the seals but those of files that are only in a store."""
        only = brought_back.only_in_store(expected.db)
        for seal in self._seals(expected):
            is_older = only and seal.custody_seq is not None and seal.custody_seq < only[1]
            if is_older and not os.path.lexists(self._station.evidence.absolute(seal.path)):
                self._result.elsewhere += 1
            else:
                yield seal
        if only and self._result.elsewhere:
            self._result.only_in = only[0]

    def _reads_body(self, seal: Seal) -> bool:
        return self._bodies and seal.id not in self._done

    def _seals(self, expected: Expected) -> Iterator[Seal]:
        if self._scope.is_everything:
            yield from seals_by_folder(expected.db)
            return
        for identifier in self._chosen():
            seal = seal_of(expected.db, identifier)
            if seal is not None:  # else it was sealed since the log was read
                yield seal

    def _chosen(self) -> list[str]:
        scope, db = self._scope, self._station.catalogue
        if scope.chosen is None:
            if scope.sample is not None:
                ids = recordings.sample_ids(db, scope.sample)
            else:
                ids = recordings.sealed_ids(db, scope.since, scope.case)
                ids += documents.ids(db, scope.since, scope.case)
            self._scope = Scope(scope.since, scope.sample, scope.case, tuple(ids))
        assert self._scope.chosen is not None
        return list(self._scope.chosen)

    def _add(self, findings: list[Finding]) -> None:
        for finding in findings:
            self._result.findings.append(finding)
            self._found(finding)

    def _note_whole(self, recording: str) -> None:
        self._whole.append(recording)
        late = (self._station.now() - self._on_record_at).total_seconds() >= _AT_MOST_S
        if len(self._whole) >= _IN_ONE_ENTRY or late:
            self._enter_part()

    def _enter_part(self) -> None:
        """Put on record what is whole so far; a log too broken for that is a finding already."""
        self._on_record_at = self._station.now()
        try:
            self._append({"part": True, "complete": False})
        except CustodyProblem:
            if not self._log_is_broken():
                raise

    def _enter(self) -> None:
        """Put the result on record; a log too broken for that is a finding already."""
        result = self._result
        try:
            self._append(
                {
                    "bytes": result.size,
                    "checked": result.checked,
                    "complete": result.complete,
                    "findings": [
                        {"kind": f.kind.value, "path": f.path, "recording": f.recording}
                        for f in result.findings
                    ],
                }
            )
        except CustodyProblem as problem:
            if not self._log_is_broken():
                raise
            self._add([Finding(FindingKind.LOG_BROKEN, "custody", problem.text)])

    def _append(self, facts: dict[str, object]) -> None:
        station, scope, began = self._station, self._scope, self._result.began_at
        deed = station.deed(
            Act.VERIFICATION,
            "evidence",
            {
                "scope": {
                    "since": scope.since.isoformat() if scope.since else None,
                    "sample": scope.sample,
                    "case": scope.case,
                },
                "metadata": not self._bodies,
                "run": iso(began) if began else None,
                "verified": list(self._whole),
                **facts,
            },
        )
        try:
            with transaction(station.catalogue):
                append(station, [deed])
                verified.enter(station.catalogue, deed.facts, deed.time)
        except sqlite3.DatabaseError as error:
            if not is_of_schema(error):
                raise explain(error) from error
            text = T("the result cannot be entered: {why}", why=error)
            self._add([Finding(FindingKind.CATALOGUE_DAMAGED, FILE_NAME, text)])
        self._whole = []

    def _log_is_broken(self) -> bool:
        return any(f.kind is FindingKind.LOG_BROKEN for f in self._result.findings)


def _is_of_no_row(finding: Finding) -> bool:
    """Tell whether it is of the log, its checkpoints, or the catalogue as a whole."""
    return finding.recording is None and finding.row is None
