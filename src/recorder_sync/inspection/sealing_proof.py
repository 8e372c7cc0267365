"""The file that proves the sealing of one recording or document, complete in itself.

The entry, its proof and the checkpoint are what counts. The description and the digests are
repeated from the entry as they were sealed, so that nobody has to take them out of it; the
recording or document as the catalogue has it now, corrections included, is for people only.
"""

import hashlib
import json
from collections.abc import Callable
from typing import Any

from recorder_sync.catalogue.documents import SealedDocument
from recorder_sync.catalogue.recordings import Sealed
from recorder_sync.custody.checkpoints import Checkpoints, Signed
from recorder_sync.custody.log import Act
from recorder_sync.custody.proof import DIGESTS, prove
from recorder_sync.description import as_json, as_text, from_json
from recorder_sync.document_json import document_json, document_of
from recorder_sync.errors import CustodyProblem, NotFound
from recorder_sync.language import T
from recorder_sync.on_record import put
from recorder_sync.station import Station

Provable = Sealed | SealedDocument

_WHAT: dict[type, str] = {Sealed: "recording", SealedDocument: "document"}
"""Where the facts of its entry have it."""
_ACT: dict[type, Act] = {Sealed: Act.SEAL, SealedDocument: Act.DOCUMENT}


def sealing_proof(
    station: Station, checkpoints: Checkpoints, sealed: Provable, sign: Callable[[], Signed]
) -> dict[str, Any]:
    """Return the proof; that it was made is on record.

    `sign` makes the checkpoint that it is under. Raises NotFound, CustodyProblem or
    MissingPart.
    """
    _number_of(sealed)
    deed = station.deed(Act.EXPORT, sealed.id, {"what": "proof"})
    put(station, [deed])
    return proof_on_record(station, checkpoints, sealed, sign)


def proof_on_record(
    station: Station, checkpoints: Checkpoints, sealed: Provable, sign: Callable[[], Signed]
) -> dict[str, Any]:
    """Return the proof, where an entry says already that it is handed out.

    Raises NotFound, CustodyProblem or MissingPart.
    """
    what, act, number = _WHAT[type(sealed)], _ACT[type(sealed)], _number_of(sealed)
    proof = prove(station.custody, checkpoints, sign(), number)
    entry = json.loads(proof["entry"])
    if (entry["act"], entry["subject"]) != (act.value, sealed.id):
        raise CustodyProblem(
            T(
                "The catalogue says that entry {number} of the custody log is the seal of {id}, "
                "and it is not.",
                number=number,
                id=sealed.id,
            ),
            T("Run recorder-sync verify: it names what was changed."),
        )
    facts = entry["facts"]
    return {
        **proof,
        "digests": {name: facts[what][name] for name in DIGESTS},
        "description": _description(station, facts, what),
        what: _as_known(sealed),
    }


def _as_known(sealed: Provable) -> dict[str, Any]:
    if isinstance(sealed, SealedDocument):
        return document_json(sealed.document)
    return as_json(sealed.recording)


def _number_of(sealed: Provable) -> int:
    if sealed.custody_seq is None:
        raise NotFound(
            T("The recording {id} has no seal in the custody log yet.", id=sealed.id),
            T("Run the command again when the docking has ended."),
        )
    return sealed.custody_seq


def _description(station: Station, facts: dict[str, Any], what: str) -> str | None:
    """Return the description file's text as it was sealed.

    One that an earlier version of the program wrote in another form is read from its file;
    None where neither is what was sealed.
    """
    written = (
        document_json(document_of(facts[what]))
        if what == "document"
        else as_json(from_json(facts[what]))
    )
    made = as_text(written).encode()
    if _is_sealed(made, facts):
        return made.decode()
    try:
        found = station.evidence.absolute(f"{facts[what]['path']}.json").read_bytes()
    except OSError:
        return None
    return found.decode() if _is_sealed(found, facts) else None


def _is_sealed(text: bytes, facts: dict[str, Any]) -> bool:
    sealed: str = facts["description_sha256"]
    return hashlib.sha256(text).hexdigest() == sealed
