"""What the custody log says each recording is: the measure for everything else.

A seal entry says what was sealed; later corrections say which tags changed. Together
they give the row and the description that the catalogue must have.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from blake3 import blake3

from recorder_sync.catalogue.recordings import Sealed, columns
from recorder_sync.custody.log import Act, CustodyLog
from recorder_sync.description import as_json, from_json


@dataclass(frozen=True, slots=True)
class Measure:
    """One recording as it should be."""

    path: str
    size: int
    blake3: str
    sha256: str
    description_blake3: str
    description_sha256: str
    index: str
    """Digest of all that the catalogue should say of it, corrections included."""


def read_measures(custody: CustodyLog) -> dict[str, Measure]:
    """Return the measure of every recording in the log, by id.

    Raises CustodyProblem where the log is broken.
    """
    corrections = {
        entry.deed.subject: entry.deed.facts["after"]
        for entry in custody.entries()
        if entry.deed.act is Act.TAG
    }
    return {
        entry.deed.subject: _measure(
            entry.deed.facts, corrections.get(entry.deed.subject, {}), entry.seq
        )
        for entry in custody.entries()
        if entry.deed.act is Act.SEAL
    }


def _measure(facts: Mapping[str, Any], correction: Mapping[str, Any], seq: int) -> Measure:
    sealed = facts["recording"]
    recording = from_json({**sealed, **correction})
    described = {
        "description_blake3": facts["description_blake3"],
        "description_sha256": facts["description_sha256"],
    }
    row = {**columns(recording), **described, "custody_seq": seq}
    return Measure(
        path=sealed["path"],
        size=sealed["size"],
        blake3=sealed["blake3"],
        sha256=sealed["sha256"],
        **described,
        index=_digest(row, as_json(recording)),
    )


def of_catalogue(sealed: Sealed) -> Measure:
    """Return what the catalogue says of a recording."""
    recording = sealed.recording
    return Measure(
        path=recording.path,
        size=recording.size,
        blake3=recording.digests.blake3,
        sha256=recording.digests.sha256,
        description_blake3=sealed.description.blake3,
        description_sha256=sealed.description.sha256,
        index=_digest(sealed.row, as_json(recording)),
    )


def _digest(row: Mapping[str, Any], description: Mapping[str, Any]) -> str:
    text = json.dumps([row, description], sort_keys=True)
    return blake3(text.encode()).hexdigest()
