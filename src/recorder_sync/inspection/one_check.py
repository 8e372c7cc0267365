"""Re-reads one recording and holds it against its seal; the result is on record.

A verification replays the whole custody log first. This takes the seal from the log by its
number, whatever the catalogue says of the digests, and re-reads the two files round the page
cache; of other recordings and of the rest of the log it says nothing.
"""

from collections.abc import Callable

from recorder_sync.catalogue import verified
from recorder_sync.catalogue.database import transaction
from recorder_sync.catalogue.recordings import Sealed
from recorder_sync.custody.log import Act, Entry
from recorder_sync.direct_io import page_aligned
from recorder_sync.errors import CustodyProblem
from recorder_sync.ingest.stopping import Stop
from recorder_sync.inspection.findings import Finding
from recorder_sync.inspection.on_disk import RecordingFiles, Seal
from recorder_sync.inspection.pace import Pace
from recorder_sync.language import T
from recorder_sync.on_record import append
from recorder_sync.station import Station


class _Told(Pace):
    """As fast as it goes; tells how far it is."""

    def __init__(self, took: Callable[[int], None], stop: Stop | None) -> None:
        super().__init__(stop=stop)
        self._told = took

    def took(self, size: int) -> None:
        self._told(size)


def check(
    station: Station, sealed: Sealed, took: Callable[[int], None], stop: Stop | None = None
) -> list[Finding]:
    """Return what is wrong with the files of a recording; `took` is told of bytes as they are
    re-read. Raises CustodyProblem where its seal cannot be read, MissingPart, and Stopping where
    `stop` asks for it: then nothing is on record.
    """
    entry = seal_entry(station, sealed)
    found = entry.deed.facts["recording"]
    seal = Seal(
        id=found["id"],
        folder=found["path"].rpartition("/")[0],
        path=found["path"],
        size=found["size"],
        blake3=found["blake3"],
        sha256=found["sha256"],
        description_blake3=entry.deed.facts["description_blake3"],
        description_sha256=entry.deed.facts["description_sha256"],
        protection=entry.deed.facts.get("protection"),
        fs_verity=entry.deed.facts.get("fs_verity"),
        custody_seq=entry.seq,
    )
    with page_aligned() as buffer:
        files = RecordingFiles(station.evidence, _Told(took, stop), buffer)
        ((_, findings),) = files.check(iter([seal]), lambda _: True, lists=False)
    _enter(station, seal, files.size, findings)
    return findings


def seal_entry(station: Station, sealed: Sealed) -> Entry:
    """Return the entry of a recording's seal. Raises CustodyProblem."""
    number, identifier = sealed.custody_seq, sealed.recording.id
    entry = None if number is None else next(station.custody.entries(number), None)
    if entry is None or (entry.deed.act, entry.deed.subject) != (Act.SEAL, identifier):
        raise CustodyProblem(
            T("The custody log has no seal of {id} where the catalogue says.", id=identifier),
            T("Run recorder-sync verify: it names what was changed."),
        )
    return entry


def _enter(station: Station, seal: Seal, size: int, findings: list[Finding]) -> None:
    facts = {
        "scope": {"since": None, "sample": None, "case": None},
        "metadata": False,
        "run": None,
        "bytes": size,
        "checked": 1,
        "complete": True,
        "verified": [] if findings else [seal.id],
        "findings": [
            {"kind": f.kind.value, "path": f.path, "recording": f.recording} for f in findings
        ],
    }
    deed = station.deed(Act.VERIFICATION, "evidence", facts)
    with transaction(station.catalogue):
        append(station, [deed])
        verified.enter(station.catalogue, deed.facts, deed.time)
