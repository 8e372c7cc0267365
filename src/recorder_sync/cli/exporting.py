"""A checkable copy by a command, of recordings or of documents of cases."""

import json as json_format
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from recorder_sync.cli.screen import answers, print_json
from recorder_sync.language import T
from recorder_sync.station import Station

if TYPE_CHECKING:  # it brings cryptography, and a list is no copy
    from recorder_sync.inspection.sealing_proof import Provable


def export_copies(
    station: Station,
    wanted: "Sequence[Provable]",
    to: Path,
    by: str | None,
    reason: str | None,
    *,
    proof: bool,
    json: bool,
) -> None:
    """Make the copy, with proofs where that is asked for, and say how it is checked."""
    from recorder_sync.inspection.export import export

    proof_of = partial(_proof_of, station) if proof else None
    copies = export(station, wanted, to, by=by, reason=reason, proof_of=proof_of)
    if json:
        print_json({"to": str(to.resolve()), "files": [str(copy) for copy in copies]})
        return
    for copy in copies:
        answers.print(str(copy), markup=False)
    answers.print(
        T("Check the copy with: cd {folder} && sha256sum -c SHA256SUMS", folder=to).shown,
        markup=False,
    )
    against = (
        T(
            "Or against its seals: python3 {folder}/verify_evidence.py export {folder} "
            "--verifier KEY",
            folder=to,
        )
        if proof
        else T(
            "Without proofs only the custody log shows that it is what was sealed: python3 "
            "{folder}/verify_evidence.py export {folder} --log CUSTODY --verifier KEY",
            folder=to,
        )
    )
    answers.print(against.shown, markup=False)


def _proof_of(station: Station, sealed: "Provable") -> str:
    """Return the text of one proof file."""
    from recorder_sync.cli.witnessing import signed_now
    from recorder_sync.inspection.sealing_proof import proof_on_record
    from recorder_sync.witnessing.making import checkpoints_of

    checkpoints = checkpoints_of(station.settings)
    proof = proof_on_record(
        station, checkpoints, sealed, lambda: signed_now(station.settings, checkpoints)
    )
    return json_format.dumps(proof, ensure_ascii=False, indent=2) + "\n"
