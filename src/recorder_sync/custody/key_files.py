"""The private keys of a station on disk, and the change from one to the next.

    signing-key.pem             Ed25519, for the service's user only
    next-signing-key.pem        while a rotation is under way: the key that takes over
    retired-signing-key.pem     for a moment: the key that was given up, to be destroyed

Every step leaves a whole signing key under its name, so that a power cut between any two of
them is gone on from. A key that was given up is overwritten and removed. That keeps it from
whoever looks at the files later. It does not reach copies: those of a file system that
never writes in place (btrfs, snapshots), of an SSD's spare blocks, of a backup.
"""

import os
from pathlib import Path

from recorder_sync.custody.checkpoint import Signer
from recorder_sync.custody.problem import unreliable
from recorder_sync.durable import (
    open_for_writing,
    read_regular,
    replace_synced,
    sync_folder,
    write_all,
)
from recorder_sync.language import T

KEY = "signing-key.pem"
_NEXT = "next-signing-key.pem"
_RETIRED = "retired-signing-key.pem"


class KeyFiles:
    """The keys in the log's folder. Only one process may change them at a time."""

    def __init__(self, folder: Path, origin: str) -> None:
        self._folder = folder
        self._origin = origin

    def current(self) -> Signer | None:
        """Return what signs; None when there is no key. Raises CustodyProblem or OSError."""
        return self._read(KEY)

    def next(self) -> Signer | None:
        """Return the key that is to take over. Raises CustodyProblem or OSError."""
        return self._read(_NEXT)

    def make_first(self) -> Signer:
        """Make the station's first key. Raises OSError."""
        return self._make(KEY)

    def make_next(self) -> Signer:
        """Make the key that is to take over. Raises OSError."""
        return self._make(_NEXT)

    def discard_next(self) -> None:
        """Destroy the key that was to take over and never did. Raises OSError."""
        _destroy(self._folder / _NEXT)

    def take_over(self) -> None:
        """Have the next key sign from now on; the old one can be destroyed. Raises OSError."""
        current, retired = self._folder / KEY, self._folder / _RETIRED
        self.destroy_retired()
        os.link(current, retired)
        sync_folder(self._folder)
        (self._folder / _NEXT).rename(current)
        sync_folder(self._folder)

    def destroy_retired(self) -> None:
        """Overwrite and remove the key that was given up, where there is one. Raises OSError."""
        retired = self._folder / _RETIRED
        if not retired.exists():
            return
        if retired.samefile(self._folder / KEY):  # it did not come to that: this key signs
            retired.unlink()
            sync_folder(self._folder)
        else:
            _destroy(retired)

    def _make(self, name: str) -> Signer:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            NoEncryption,
            PrivateFormat,
        )

        key = Ed25519PrivateKey.generate()
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        replace_synced(self._folder / name, pem, 0o600)
        return Signer(self._origin, key)

    def _read(self, name: str) -> Signer | None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key = load_pem_private_key(read_regular(self._folder / name), password=None)
        except FileNotFoundError:
            return None
        except (ValueError, TypeError) as error:
            problem = T("The key {file} cannot be read: {why}.", file=name, why=error)
            raise unreliable(problem) from error
        if not isinstance(key, Ed25519PrivateKey):
            raise unreliable(T("The key {file} is no Ed25519 key.", file=name))
        return Signer(self._origin, key)


def _destroy(path: Path) -> None:
    if not os.path.lexists(path):
        return
    handle = open_for_writing(path)
    try:
        write_all(handle, bytes(os.fstat(handle).st_size))
        os.fsync(handle)
    finally:
        os.close(handle)
    path.unlink()
    sync_folder(path.parent)
