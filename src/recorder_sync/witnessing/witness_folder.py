"""A witness: its key, the logs that it trusts, and the last checkpoint that it saw of each.

    <folder>/witness-key.pem       Ed25519, for the witness's user only
    <folder>/verifier-key          one line, for the stations that it cosigns for
    <folder>/trusted               verifier keys of stations, one a line
    <folder>/seen/HASH             the last note of one log, with our cosignature

HASH is SHA-256 of the log's origin, hex. A note is on stable storage before its cosignature
is given out: a witness that forgot would cosign a second, other log.
"""

import hashlib
import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from recorder_sync.custody.checkpoint import Checkpoint, Verifier, opened
from recorder_sync.custody.cosignature import (
    Cosigner,
    WitnessKey,
    is_key_name,
    text_of,
    with_lines,
)
from recorder_sync.custody.witness import Request, accepted
from recorder_sync.durable import exclusive, make_folders, sync_folder, write_synced
from recorder_sync.errors import CustodyProblem, MissingPart, UsageProblem, os_reason
from recorder_sync.language import T

_KEY = "witness-key.pem"
_VERIFIER = "verifier-key"
_TRUSTED = "trusted"


class WitnessFolder:
    """The folder of one witness. Several processes may use it; they take turns."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._now = now

    def prepare(self, name: str) -> WitnessKey:
        """Make the folder and its key where they are missing; return what is handed out.

        `name` is that of a new key. Raises UsageProblem for another name than the key has,
        CustodyProblem or MissingPart.
        """
        if not is_key_name(name):
            raise UsageProblem(
                T("{name} cannot be the name of a witness.", name=name),
                T("Use letters, digits and . _ - without spaces."),
            )
        try:
            make_folders(self._folder / "seen")
            with exclusive(self._folder / "lock"):
                if not (self._folder / _KEY).exists():
                    self._new_key(name)
                return self._cosigner().witness
        except OSError as error:
            raise self._unusable(error) from error

    def trust(self, verifier: Verifier) -> None:
        """Cosign for the station with this key from now on. Raises MissingPart."""
        try:
            with exclusive(self._folder / "lock"):
                known = self.trusted()
                if verifier in known:
                    return
                lines = "".join(f"{one}\n" for one in (*known, verifier))
                self._replace(self._folder / _TRUSTED, lines)
        except OSError as error:
            raise self._unusable(error) from error

    def trusted(self) -> list[Verifier]:
        """Return the stations' keys. Raises CustodyProblem or OSError."""
        try:
            lines = (self._folder / _TRUSTED).read_text("utf-8").splitlines()
            return [Verifier.parse(line) for line in lines if line.strip()]
        except FileNotFoundError:
            return []
        except ValueError as error:
            raise self._broken(_TRUSTED, error) from error

    def seen(self, origin: str) -> Checkpoint | None:
        """Return the last checkpoint that was cosigned of a log.

        Raises CustodyProblem or OSError: a witness that cannot read what it saw cosigns
        nothing.
        """
        path = self._seen(origin)
        try:
            note = path.read_text("utf-8")
            return opened(note, [v for v in self.trusted() if v.name == origin])
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise self._broken(path.name, error) from error

    def cosign(self, body: str) -> str:
        """Return the signature line for a request, its newline included.

        Raises Refused, CustodyProblem or MissingPart.
        """
        request = Request.parse(body)
        try:
            with exclusive(self._folder / "lock"):
                trusted: dict[str, list[Verifier]] = {}
                for verifier in self.trusted():
                    trusted.setdefault(verifier.name, []).append(verifier)
                origin = request.note.partition("\n")[0]
                seen = self.seen(origin) if origin in trusted else None
                checkpoint = accepted(request, trusted, {} if seen is None else {origin: seen})
                line = self._cosigner().cosignature(text_of(request.note), self._now())
                note = with_lines(request.note, [line])
                self._replace(self._seen(checkpoint.origin), note)
                return f"{line}\n"
        except OSError as error:
            raise self._unusable(error) from error

    def _seen(self, origin: str) -> Path:
        return self._folder / "seen" / hashlib.sha256(origin.encode()).hexdigest()

    def _cosigner(self) -> Cosigner:
        try:
            key = load_pem_private_key((self._folder / _KEY).read_bytes(), password=None)
            name = (self._folder / _VERIFIER).read_text("utf-8")
            if not isinstance(key, Ed25519PrivateKey):
                raise ValueError("it is no Ed25519 key")
            cosigner = Cosigner(WitnessKey.parse(name).name, key)
            if str(cosigner.witness) != name.strip():
                raise ValueError("key and verifier key do not belong together")
        except (ValueError, TypeError) as error:
            raise self._broken(_KEY, error) from error
        return cosigner

    def _new_key(self, name: str) -> None:
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        beside = self._folder / f"{_KEY}.new"
        beside.unlink(missing_ok=True)
        write_synced(beside, pem, 0o600)
        self._replace(self._folder / _VERIFIER, f"{Cosigner(name, key).witness}\n")
        os.rename(beside, self._folder / _KEY)
        sync_folder(self._folder)

    def _replace(self, path: Path, text: str) -> None:
        beside = path.with_name(f"{path.name}.new")
        write_synced(beside, text.encode())
        os.rename(beside, path)
        sync_folder(path.parent)

    def _broken(self, name: str, error: Exception) -> CustodyProblem:
        return CustodyProblem(
            T(
                "The file {file} of the witness {folder} cannot be relied on: {why}.",
                file=name,
                folder=self._folder,
                why=error,
            ),
            T("Nothing is cosigned. Put the folder back from a backup, or begin a new witness."),
        )

    def _unusable(self, error: OSError) -> MissingPart:
        return MissingPart(
            T(
                "The folder {path} of the witness cannot be used: {why}.",
                path=error.filename or self._folder,
                why=os_reason(error),
            ),
            T("Check the disk's free space, and that this user may write there."),
        )
