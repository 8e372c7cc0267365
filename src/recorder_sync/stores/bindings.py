"""Which store each name of the settings was bound to, so that nothing goes to another.

    <state>/stores/<name>.json

It is put there by a person, with `stores bind`, and is an entry of the custody log too. A
catalogue made anew keeps it. A state folder put back from a backup has none: the stores are
bound again then, and the markers in them are those that the custody log names.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from recorder_sync.durable import make_folders, read_regular, replace_synced
from recorder_sync.errors import MissingPart, os_reason
from recorder_sync.language import T
from recorder_sync.stores.store import StoreIdentity, StoreProblem, Trouble
from recorder_sync.timestamps import iso, moment


@dataclass(frozen=True, slots=True)
class Binding:
    """What a store was when somebody bound it."""

    store: str
    kind: str
    identity: StoreIdentity
    bound_at: datetime
    bound_by: str

    @property
    def facts(self) -> Mapping[str, object]:
        """For the custody log."""
        return {
            "kind": self.kind,
            "address": self.identity.address,
            "identity": dict(self.identity.facts),
        }

    def refuse_other(self, now: StoreIdentity) -> None:
        """Raise StoreProblem unless it is this store still.

        A fact that it did not have when it was bound does not count. Another address with
        the same facts is the same store.
        """
        for name, value in self.identity.facts.items():
            if now.facts.get(name) != value:
                raise StoreProblem(
                    Trouble.WRONG_PLACE,
                    T(
                        "{store}: {address} is not the store that was bound: {name} is {found}, "
                        "not {bound}.",
                        store=self.store,
                        address=now.address,
                        name=name,
                        found=now.facts.get(name) or "-",
                        bound=value,
                    ),
                    T(
                        "Find out why. Only if it is meant: recorder-sync stores bind {store} "
                        "--another",
                        store=self.store,
                    ),
                )


def binding_of(state: Path, store: str) -> Binding | None:
    """Return what a store was bound to; None: it never was. Raises MissingPart."""
    path = _path(state, store)
    try:
        found = json.loads(read_regular(path))
        return Binding(
            store,
            found["kind"],
            StoreIdentity(found["address"], dict(found["identity"])),
            moment(found["bound_at"]),
            found["bound_by"],
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        why = os_reason(error) if isinstance(error, OSError) else T("it is damaged")
        raise MissingPart(
            T("What the store {store} is bound to cannot be read: {why}.", store=store, why=why),
            T("Run: recorder-sync stores bind {store}", store=store),
        ) from error


def keep_binding(state: Path, binding: Binding) -> None:
    """Put a binding in the state folder, synced. Raises OSError."""
    path = _path(state, binding.store)
    make_folders(path.parent)
    values = {**binding.facts, "bound_at": iso(binding.bound_at), "bound_by": binding.bound_by}
    replace_synced(path, json.dumps(values, indent=1, ensure_ascii=False).encode() + b"\n")


def _path(state: Path, store: str) -> Path:
    return state / "stores" / f"{store}.json"
