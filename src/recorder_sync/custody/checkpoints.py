"""Makes, keeps and checks the log's checkpoints, with the key that signs them.

    <state>/custody/signing-key.pem     Ed25519, for the service's user only
    <state>/custody/verifier-key        what others check with: one line, to be handed out
    <state>/custody/checkpoints/        one signed note a file, named by its size
    <state>/custody/tree/               hashes, made from the log; may be removed

A checkpoint is made only of a log that extends the last one: a station whose log was
rewritten, cut or put back from a backup signs nothing any more, and says so.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from recorder_sync.custody.checkpoint import Checkpoint, Signer, Verifier, opened
from recorder_sync.custody.log import CustodyLog
from recorder_sync.custody.tree import HashTree
from recorder_sync.durable import exclusive, make_folders, sync_folder, write_synced
from recorder_sync.errors import CustodyProblem, MissingPart, os_reason
from recorder_sync.language import T, Text

_KEY = "signing-key.pem"
_VERIFIER = "verifier-key"


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint and the note that it was read from."""

    checkpoint: Checkpoint
    note: str


class Checkpoints:
    """The checkpoints of one log."""

    def __init__(self, folder: Path, log: CustodyLog, station: str) -> None:
        """`folder` is the log's."""
        self._folder = folder
        self._notes = folder / "checkpoints"
        self._log = log
        self._origin = f"recorder-sync/{station}"
        self.tree = HashTree(folder / "tree")

    def make(self) -> Signed:
        """Sign the log as it is now, and keep the note. An unchanged log has its note already.

        Raises CustodyProblem when the log does not extend the last checkpoint, MissingPart
        when something cannot be read or written.
        """
        try:
            make_folders(self._notes)
            with exclusive(self._folder / "checkpoint.lock"):
                signer = self._signer()
                last = self.last()
                self._catch_up(last)
                size = self.tree.size
                if last is not None and last.checkpoint.size == size:
                    return last
                checkpoint = Checkpoint(self._origin, size, self.tree.root(size))
                note = signer.signed(checkpoint)
                write_synced(self._notes / f"{size:020d}", note.encode())
                sync_folder(self._notes)
                return Signed(checkpoint, note)
        except OSError as error:
            raise MissingPart(
                T(
                    "No checkpoint can be made in {path}: {why}.",
                    path=error.filename or self._folder,
                    why=os_reason(error),
                ),
                T("Check the disk's free space, and that this user may write the state folder."),
            ) from error

    def last(self) -> Signed | None:
        """Return the newest checkpoint. Raises CustodyProblem when it is not ours, or OSError."""
        return next(iter(self.kept()), None)

    def kept(self) -> Iterator[Signed]:
        """Yield every checkpoint, newest first. Raises CustodyProblem or OSError."""
        verifiers = [self.verifier()]
        for path in sorted(self._notes.glob("[0-9]" * 20), reverse=True):
            note = path.read_text("utf-8")
            try:
                checkpoint = opened(note, verifiers)
            except ValueError as error:
                raise _problem(
                    T(
                        "The checkpoint {file} cannot be relied on: {why}.",
                        file=path.name,
                        why=error,
                    )
                ) from error
            if checkpoint.origin != self._origin or checkpoint.size != int(path.name):
                raise _problem(T("The checkpoint {file} is of another log.", file=path.name))
            yield Signed(checkpoint, note)

    def verifier(self) -> Verifier:
        """Return what the station's checkpoints are checked with. Raises OSError."""
        return self._signer().verifier

    def check(self) -> int:
        """Make all hashes anew from the log and hold every checkpoint against them.

        Returns how many checkpoints there are. Raises CustodyProblem, MissingPart or OSError.
        """
        make_folders(self._folder)
        with exclusive(self._folder / "checkpoint.lock"):
            self.tree.forget()
            kept = list(self.kept())
            self._catch_up(kept[0] if kept else None)
            for signed in kept:
                self._compare(signed)
            return len(kept)

    def _catch_up(self, last: Signed | None) -> None:
        """Bring the tree up to the log, and hold the last checkpoint against it."""
        try:
            self.tree.extend(self._log.leaves(self.tree.size))
            if last is not None:
                self._compare(last)
        except ValueError:  # a level was cut or removed: the log has it all
            self.tree.forget()
            self.tree.extend(self._log.leaves())
            if last is not None:
                self._compare(last)

    def _compare(self, signed: Signed) -> None:
        checkpoint = signed.checkpoint
        if checkpoint.size > self.tree.size:
            raise _problem(
                T(
                    "The custody log has {size} entries, and a checkpoint vouches for {more}: "
                    "entries were removed from its end.",
                    size=self.tree.size,
                    more=checkpoint.size,
                )
            )
        if self.tree.root(checkpoint.size) != checkpoint.root:
            raise _problem(
                T(
                    "The first {size} entries of the custody log are not those that the "
                    "checkpoint vouches for.",
                    size=checkpoint.size,
                )
            )

    def _signer(self) -> Signer:
        """Return the station's key, made when it is first needed."""
        path = self._folder / _KEY
        try:
            key = load_pem_private_key(path.read_bytes(), password=None)
        except FileNotFoundError:
            if any(self._notes.glob("[0-9]" * 20)):
                raise _problem(
                    T("The key {file} that signs checkpoints is gone.", file=_KEY)
                ) from None
            key = self._new_key(path)
        except (ValueError, TypeError) as error:
            raise _problem(
                T("The key {file} cannot be read: {why}.", file=_KEY, why=error)
            ) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise _problem(T("The key {file} is no Ed25519 key.", file=_KEY))
        return Signer(self._origin, key)

    def _new_key(self, path: Path) -> Ed25519PrivateKey:
        make_folders(self._folder)
        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        beside = path.with_suffix(".new")
        beside.unlink(missing_ok=True)
        write_synced(beside, pem, 0o600)
        verifier = Signer(self._origin, key).verifier
        write_synced(self._folder / _VERIFIER, f"{verifier}\n".encode(), 0o644)
        os.rename(beside, path)
        sync_folder(self._folder)
        return key


def _problem(text: Text) -> CustodyProblem:
    return CustodyProblem(
        text,
        T(
            "Keep the folder as it is, and compare it with a backup, a forwarded copy and the "
            "checkpoints that others keep."
        ),
    )
