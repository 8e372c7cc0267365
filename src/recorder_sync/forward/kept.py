"""One object that a store is to keep in another way: it is told, and only its word counts."""

from recorder_sync.language import T, Text
from recorder_sync.stores.store import Lock, Store, Stored, StoreProblem


class NotKept(Exception):
    """The store answers, and does not keep a copy as it was asked to."""

    def __init__(self, text: Text, hint: Text | None) -> None:
        super().__init__(text.english)
        self.text = text
        self.hint = hint


def keep(store: Store, there: Stored, lock: Lock) -> Stored:
    """Have the store keep a version at least so long, and held so; return what it says then.

    Raises NotKept, or StoreProblem where it cannot be asked.
    """
    if _is_kept(there, lock):
        return there
    why: StoreProblem | None = None
    try:
        store.lock(there.key, there.version, lock)
    except StoreProblem as problem:
        why = problem
    again = store.look(there.key, there.version)  # where the store itself is away, this says so
    if again is not None and _is_kept(again, lock):
        return again
    text = T(
        "{store}: it does not keep {key} as asked: {why}",
        store=store.name,
        key=there.key,
        why=why.text if why else T("it says nothing, and does not do it."),
    )
    raise NotKept(text, (why and why.hint) or T("Run: recorder-sync stores check"))


def _is_kept(stored: Stored, lock: Lock) -> bool:
    return stored.lock.covers(lock) and stored.lock.hold == lock.hold
