"""A witness: its key, the logs that it trusts, and the last checkpoint that it saw of each.

    <folder>/witness-key.pem       Ed25519, for the witness's user only
    <folder>/verifier-key          one line, for the stations that it cosigns for
    <folder>/trusted               verifier keys of stations, one a line; of one station, the
                                   later is the newer
    <folder>/distrusted            those that are trusted no more: nothing they sign is cosigned
    <folder>/seen/HASH             the last note of one log, with our cosignature

HASH is SHA-256 of the log's origin, hex. A note is on stable storage before its cosignature
is given out: a witness that forgot would cosign a second, other log.
"""

import hashlib
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from recorder_sync.custody.checkpoint import Checkpoint, Verifier, claimed, opened
from recorder_sync.custody.cosignature import (
    Cosigner,
    WitnessKey,
    is_key_name,
    text_of,
    with_lines,
)
from recorder_sync.custody.unfit import Unfit, reason
from recorder_sync.custody.witness import Request, accepted, counting, successor
from recorder_sync.durable import exclusive, make_folders, read_regular, sync_folder, write_synced
from recorder_sync.errors import CustodyProblem, MissingPart, UsageProblem, os_reason
from recorder_sync.language import T

_KEY = "witness-key.pem"
_VERIFIER = "verifier-key"
_TRUSTED = "trusted"
_DISTRUSTED = "distrusted"


class WitnessFolder:
    """The folder of one witness. Several processes may use it; they take turns."""

    def __init__(self, folder: Path, now: Callable[[], datetime]) -> None:
        self._folder = folder
        self._now = now

    def prepare(self, name: str, *, new: bool) -> WitnessKey:
        """Return what is handed out.

        Where there is no witness in the folder, `new` has one made, whose key gets this `name`.
        Raises UsageProblem where there is none and none is to be made, or it cannot have that
        name, CustodyProblem or MissingPart.
        """
        if not is_key_name(name):
            raise UsageProblem(
                T("{name} cannot be the name of a witness.", name=name),
                T("Use letters, digits and . _ - without spaces."),
            )
        try:
            if not new and not os.path.lexists(self._folder / _KEY):
                raise UsageProblem(
                    T("There is no witness in {path}.", path=self._folder),
                    T("Check the name of the folder, or begin a new witness there with --new."),
                )
            make_folders(self._folder / "seen")
            with exclusive(self._folder / "lock"):
                if not os.path.lexists(self._folder / _KEY):
                    self._new_key(name)
                return self._cosigner().witness
        except OSError as error:
            raise self._unusable(error) from error

    def trust(self, verifier: Verifier) -> None:
        """Cosign for the station with this key from now on. Raises CustodyProblem or MissingPart.

        Once it has signed a checkpoint that was cosigned, the station's earlier keys count no
        more.
        """
        with self._turn():
            self._trust(verifier)

    def distrust(self, verifier: Verifier) -> None:
        """Cosign nothing any more that only this key has signed.

        Raises UsageProblem when it is not trusted, CustodyProblem or MissingPart.
        """
        with self._turn():
            if verifier not in self.trusted():
                raise UsageProblem(
                    T("The witness does not trust the key {key}.", key=verifier),
                    T("The keys that it trusts are in {path}.", path=self._folder / _TRUSTED),
                )
            self._distrust([verifier])

    def follow(self, document: Mapping[str, Any]) -> Verifier:
        """Trust the key that a consistency file leads to, and those before it no more.

        Returns it. Raises UsageProblem when the file does not lead from what the witness has
        seen, and from a key that counts, to another one; CustodyProblem or MissingPart.
        """
        with self._turn():
            try:
                origin = claimed(str(document.get("new"))).origin
                counts = self._counting(origin)
                keys = successor(document, counts, self.seen(origin))
                if keys.newest in self._verifiers(_DISTRUSTED):
                    raise Unfit(T("it leads to a key that is distrusted"))
            except ValueError as error:
                raise UsageProblem(
                    T("The file leads to no new key: {why}.", why=reason(error)),
                    T(
                        "On the station run: recorder-sync custody consistency OLD NEW, where OLD "
                        "is the number of entries that recorder-sync custody witness shows here."
                    ),
                ) from error
            self._trust(keys.newest)
            self._distrust([one for one in self.trusted() if one in keys.verifiers[:-1]])
            return keys.newest

    def trusted(self) -> list[Verifier]:
        """Return the stations' keys. Raises CustodyProblem or OSError."""
        distrusted = self._verifiers(_DISTRUSTED)
        return [one for one in self._verifiers(_TRUSTED) if one not in distrusted]

    def seen(self, origin: str) -> Checkpoint | None:
        """Return the last checkpoint that was cosigned of a log.

        Raises CustodyProblem or OSError: a witness that cannot read what it saw cosigns
        nothing.
        """
        note = self._seen_note(origin)
        if note is None:
            return None
        try:
            everyone = [*self._verifiers(_TRUSTED), *self._verifiers(_DISTRUSTED)]
            return opened(note, [one for one in everyone if one.name == origin])
        except ValueError as error:
            raise self._broken(self._seen(origin).name, error) from error

    def cosign(self, body: str) -> str:
        """Return the signature line for a request, its newline included.

        Raises Refused, CustodyProblem or MissingPart.
        """
        request = Request.parse(body)
        with self._turn():
            origin = request.note.partition("\n")[0]
            keys = self._counting(origin)
            seen = self.seen(origin) if keys else None
            checkpoint = accepted(request, {origin: keys}, {} if seen is None else {origin: seen})
            line = self._cosigner().cosignature(text_of(request.note), self._now())
            self._replace(self._seen(checkpoint.origin), with_lines(request.note, [line]))
            return f"{line}\n"

    @contextmanager
    def _turn(self) -> Iterator[None]:
        try:
            with exclusive(self._folder / "lock"):
                yield
        except OSError as error:
            raise self._unusable(error) from error

    def _trust(self, verifier: Verifier) -> None:
        known, distrusted = self._verifiers(_TRUSTED), self._verifiers(_DISTRUSTED)
        if verifier not in known:
            self._write(_TRUSTED, [*known, verifier])
        if verifier in distrusted:
            self._write(_DISTRUSTED, [one for one in distrusted if one != verifier])

    def _distrust(self, verifiers: list[Verifier]) -> None:
        """They are kept, to read what they have signed; first there, so that none is lost."""
        self._write(_DISTRUSTED, [*self._verifiers(_DISTRUSTED), *verifiers])
        self._write(_TRUSTED, [v for v in self._verifiers(_TRUSTED) if v not in verifiers])

    def _counting(self, origin: str) -> list[Verifier]:
        """Return whose signature counts for the next checkpoint of a log."""
        trusted = [one for one in self.trusted() if one.name == origin]
        try:
            return counting(trusted, self._seen_note(origin)) if trusted else []
        except Unfit as error:
            raise self._broken(self._seen(origin).name, error) from error

    def _seen_note(self, origin: str) -> str | None:
        path = self._seen(origin)
        try:
            return read_regular(path).decode()
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise self._broken(path.name, error) from error

    def _verifiers(self, name: str) -> list[Verifier]:
        try:
            lines = read_regular(self._folder / name).decode().splitlines()
            return [Verifier.parse(line) for line in lines if line.strip()]
        except FileNotFoundError:
            return []
        except ValueError as error:
            raise self._broken(name, error) from error

    def _write(self, name: str, verifiers: list[Verifier]) -> None:
        lines = "".join(f"{one}\n" for one in dict.fromkeys(verifiers))
        self._replace(self._folder / name, lines)

    def _seen(self, origin: str) -> Path:
        return self._folder / "seen" / hashlib.sha256(origin.encode()).hexdigest()

    def _cosigner(self) -> Cosigner:
        try:
            key = load_pem_private_key(read_regular(self._folder / _KEY), password=None)
            name = read_regular(self._folder / _VERIFIER).decode()
            if not isinstance(key, Ed25519PrivateKey):
                raise Unfit(T("it is no Ed25519 key"))
            cosigner = Cosigner(WitnessKey.parse(name).name, key)
            if str(cosigner.witness) != name.strip():
                raise Unfit(T("key and verifier key do not belong together"))
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
                why=reason(error) if isinstance(error, ValueError) else error,
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
