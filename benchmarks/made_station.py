"""A whole station of many small recordings: evidence, descriptions, lists, log, catalogue.

Everything is as an intake leaves it, with one difference: nothing is synced, and a recording
holds only its id. The log is written by the product, and the catalogue rebuilt from it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from blake3 import blake3
from made_catalogue import make_descriptions

from recorder_sync.catalogue.rebuild import rebuild
from recorder_sync.config import load
from recorder_sync.custody.checkpoints import Checkpoints
from recorder_sync.custody.log import Act, Deed
from recorder_sync.description import as_text
from recorder_sync.durable import READ_ONLY
from recorder_sync.model import Digests
from recorder_sync.protection import unprotect
from recorder_sync.station import evidence_and_custody, now
from recorder_sync.stores.evidence import EvidenceFolder
from recorder_sync.timestamps import iso, moment

Json = dict[str, Any]

_DOCKINGS_AT_ONCE = 500
"""In one append to the log: each is synced."""


@dataclass(frozen=True, slots=True)
class _Made:
    described: Json
    description: Digests
    protection: str


def make_station(folder: Path, recordings: int, *, immutable: bool) -> Path:
    """Make the station in `folder`; return its configuration file."""
    config = folder / "config.toml"
    config.write_text(
        f'[station]\nid = "benchmark"\n[ingest]\nimmutable = {str(immutable).lower()}\n'
        f'[paths]\nstate = "{folder}/state"\nevidence = "{folder}/evidence"\n'
    )
    settings = load(config)
    evidence, custody = evidence_and_custody(settings)
    evidence.prepare(in_use=False)
    deeds: list[Deed] = []
    dockings = groupby(make_descriptions(recordings), key=lambda one: one["docking"])
    for number, (docking, together) in enumerate(dockings, start=1):
        deeds += _docking(evidence, docking, list(together))
        if number % _DOCKINGS_AT_ONCE == 0:
            custody.append(deeds)
            deeds = []
    custody.append(deeds)
    rebuild(settings.paths.state, custody, now())
    Checkpoints(settings.paths.state / "custody", custody, settings.station.id).make()
    return config


def remove_protection(folder: Path) -> None:
    """Make a station removable."""
    for path in (folder / "evidence").rglob("*"):
        if path.is_file() and not path.is_symlink():
            unprotect(path)


def _docking(evidence: EvidenceFolder, docking: str, together: list[Json]) -> Iterator[Deed]:
    made = [
        one
        for folder, inside in groupby(sorted(together, key=_folder), key=_folder)
        for one in _files(evidence, folder, list(inside))
    ]
    at = moment(together[0]["sealed_at"])
    device = together[0]["device"]

    def deed(act: Act, subject: str, facts: Json) -> Deed:
        return Deed(act, subject, "os:benchmark", at, facts)

    yield deed(
        Act.DOCKING_OPENED,
        docking,
        {
            "source": "/media/card",
            "port": "1-2",
            "device": device,
            "storage": None,
            "identity_source": "name",
            "identity_state": "known",
            "claims": [],
            "started_at": iso(at - timedelta(minutes=5)),
        },
    )
    files = [_inventory_file(one.described) for one in made]
    yield deed(Act.INVENTORY, docking, {"files": files, "of": len(files)})
    for one in made:
        yield deed(
            Act.SEAL,
            one.described["id"],
            {
                "recording": one.described,
                "description_blake3": one.description.blake3,
                "description_sha256": one.description.sha256,
                "fingerprint": one.described["blake3"][:32],
                "protection": one.protection,
            },
        )
    closing = {"outcome": "done", "sealed": len(made), "already_sealed": [], "failed": []}
    yield deed(Act.DOCKING_CLOSED, docking, closing)


def _folder(described: Json) -> str:
    return str(described["path"]).rpartition("/")[0]


def _inventory_file(described: Json) -> Json:
    return {
        "path": described["original_path"],
        "size": described["size"],
        "mtime": described["mtime"],
        "kind": described["kind"],
        "skipped": None,
        "failure": None,
    }


def _files(evidence: EvidenceFolder, folder: str, inside: list[Json]) -> Iterator[_Made]:
    evidence.absolute(folder).mkdir(parents=True, exist_ok=True)
    b3, sha = [], []
    for described in inside:
        path = evidence.absolute(described["path"])
        body = str(described["id"]).encode()
        described |= {
            "size": len(body),
            "blake3": blake3(body).hexdigest(),
            "sha256": hashlib.sha256(body).hexdigest(),
        }
        text = as_text(described).encode()
        digests = Digests(blake3(text).hexdigest(), hashlib.sha256(text).hexdigest())
        beside = path.with_name(path.name + ".json")
        for file, data in ((path, body), (beside, text)):
            file.write_bytes(data)
            file.chmod(READ_ONLY)
        protection = evidence.protect(path).protection
        evidence.protect(beside)
        b3 += [f"{described['blake3']}  {path.name}\n", f"{digests.blake3}  {beside.name}\n"]
        sha += [f"{described['sha256']}  {path.name}\n", f"{digests.sha256}  {beside.name}\n"]
        yield _Made(described, digests, protection.value)
    for name, lines in (("B3SUMS", b3), ("SHA256SUMS", sha)):
        with (evidence.absolute(folder) / name).open("a") as listed:
            listed.writelines(lines)
