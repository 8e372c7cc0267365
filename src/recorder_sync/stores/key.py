"""Keys that name a place below the root of a store, and nothing else."""

import hashlib

from recorder_sync.language import T
from recorder_sync.printable import printable
from recorder_sync.stores.store import StoreProblem, Trouble

_LONGEST_NAME = 255

INCOMING = ".incoming"
"""Folder of what is not done, at the root of a store that is a file tree."""


def refuse_unsafe(store: str, key: str) -> None:
    """Raise StoreProblem for a key that could lead anywhere else."""
    parts = key.split("/")
    is_safe = (
        all(part not in ("", ".", "..") for part in parts)
        and not parts[0].startswith(".recorder-sync")
        and parts[0] != INCOMING
        and "\0" not in key
    )
    if not is_safe:
        raise StoreProblem(
            Trouble.OBJECT,
            T("{store}: {key} is no name that may be used there.",
              store=store, key=printable(key)),
            T("Mend the layout of this store in the settings."),
        )  # fmt: skip


def partial_name(key: str) -> str:
    """Return the one file name under which an object is written, at most 255 bytes long."""
    name = key.replace("%", "%25").replace("/", "%2F")
    if len(name.encode()) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(key.encode()).hexdigest()
    return name.encode()[: _LONGEST_NAME - 65].decode("utf-8", "ignore") + "~" + digest


def key_of_partial(name: str) -> str:
    """Return the key that `partial_name` was given; of a very long one only its beginning."""
    return name.replace("%2F", "/").replace("%25", "%")
