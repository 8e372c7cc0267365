"""Brings the custody log back from a store, and believes it only when it is proven.

The log is written into a folder of its own in the state folder, and is put in the place of
the custody folder when its entries follow each other, every rotation of the key is signed by
both keys, and a checkpoint of the station vouches for it. The keys come from the store as
well: who ruled the store could have made a whole other log with a key of his own. Only a key
that comes from elsewhere shows that it is the station's log: the signing key that was locked
away, or a verifier key that was handed out. Checkpoints in other places are held against it.
"""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from recorder_sync.config import Configuration
from recorder_sync.custody.checkpoint import Verifier
from recorder_sync.custody.elsewhere import NoteElsewhere, hold_against
from recorder_sync.custody.handed_out import HandedOut
from recorder_sync.custody.key_files import KEY, KeyFiles
from recorder_sync.custody.log import Act, CustodyLog
from recorder_sync.custody.rotation import Succession, succession
from recorder_sync.custody.rotations_in_log import read_rotations
from recorder_sync.custody.tree_of_log import TreeOfLog
from recorder_sync.custody.unfit import reason
from recorder_sync.durable import (
    make_folders,
    read_regular,
    replace_synced,
    sync_folder,
    write_synced,
)
from recorder_sync.errors import CustodyProblem, UsageProblem
from recorder_sync.from_store.records import StoredRecords
from recorder_sync.language import T, Text
from recorder_sync.stores.bindings import Binding
from recorder_sync.stores.store import StoreIdentity, StoreProblem, Trouble
from recorder_sync.witnessing.places import places_of

BRINGING = "custody.from-store"
"""Folder in the state folder, of a log that is not proven yet."""

_MAY_BE_THERE = frozenset({KEY, "lock", "checkpoint.lock", "delivered.lock"})
"""Of a custody folder that has no log: what the log that is brought back does not replace."""


@dataclass(slots=True)
class Brought:
    """The log of a store, as far as it is proven."""

    entries: int
    vouched: int
    """Entries that the newest good checkpoint vouches for."""
    verifier: Verifier
    """The newest key."""
    trusted: str
    """What shows that it is the station's own: `signing key`, `given`, or `store`: nothing."""
    problems: list[Text] = field(default_factory=list)
    """What is wrong beside it, and kept nobody from bringing it back."""


def bring_back(
    records: StoredRecords, settings: Configuration, trusted: Verifier | None
) -> tuple[Path, Brought]:
    """Write the log into a folder beside its place, and prove it; return both.

    Raises CustodyProblem where it is not proven, StoreProblem, UsageProblem or OSError.
    """
    custody = settings.paths.state / "custody"
    refuse_to_replace(custody)
    folder = _emptied(settings.paths.state / BRINGING)
    if (custody / KEY).exists():
        replace_synced(folder / KEY, read_regular(custody / KEY), 0o600)
    entries = records.lay_down(folder)
    if not entries:
        raise UsageProblem(
            T("The store has no custody log of station {station}.", station=settings.station.id),
            T("Check [station] id, and that it is the right store."),
        )
    proving = _Proving(folder, records, settings, entries)
    return folder, proving.run(trusted)


def discard(folder: Path, custody: Path) -> None:
    """Remove what was brought back in vain, so that there are not two of the key that signs."""
    if (custody / KEY).exists() or not (folder / KEY).exists():
        shutil.rmtree(folder, ignore_errors=True)


def put_in_place(folder: Path, custody: Path) -> None:
    """Give the log that was brought back its place; the key that signs is in it. Raises OSError.

    Cut off in between, the key is in `folder`, and the next try finds it there.
    """
    refuse_to_replace(custody)
    if custody.exists():
        for path in custody.iterdir():
            path.rmdir() if path.is_dir() else path.unlink()
        custody.rmdir()
    folder.rename(custody)
    sync_folder(custody.parent)


def refuse_to_replace(custody: Path) -> None:
    """Raise UsageProblem where the custody folder holds what would be lost."""
    if not custody.exists():
        return
    others = sorted(
        path.name
        for path in custody.iterdir()
        if path.name not in _MAY_BE_THERE and not (path.is_dir() and not any(path.iterdir()))
    )
    if others:
        raise UsageProblem(
            T("The custody folder {folder} is not empty: {file}.", folder=custody, file=others[0]),
            T(
                "Keep it under another name, and make a new one with nothing in it but {key}, "
                "then run this again.",
                key=KEY,
            ),
        )


def bindings_in(log: CustodyLog) -> dict[str, Binding]:
    """Return which stores the log says were bound, the newest for each name.

    Raises CustodyProblem or OSError.
    """
    found = {}
    for entry in log.entries_of([Act.STORE_BOUND]):
        deed = entry.deed
        identity = StoreIdentity(deed.facts["address"], dict(deed.facts["identity"]))
        found[deed.subject] = Binding(
            deed.subject, deed.facts["kind"], identity, deed.time, deed.actor
        )
    return found


def refuse_another_store(bound: Binding, now: StoreIdentity) -> None:
    """Raise StoreProblem where the log says that another store was bound by this name."""
    try:
        bound.refuse_other(now)
    except StoreProblem as problem:
        raise StoreProblem(
            Trouble.WRONG_PLACE,
            problem.text,
            T(
                "Its custody log was sent to another store by this name. Find out which one it "
                "is. Nothing was brought back."
            ),
        ) from problem


class _Proving:
    """Shows that a log, written down from a store, is what the station signed."""

    def __init__(
        self, folder: Path, records: StoredRecords, settings: Configuration, entries: int
    ) -> None:
        self._folder = folder
        self._records = records
        self._settings = settings
        self._entries = entries
        self._origin = f"recorder-sync/{settings.station.id}"
        self._log = CustodyLog(folder, settings.station.id)
        self._tree = TreeOfLog(folder, self._log)
        self._problems: list[Text] = []

    def run(self, trusted: Verifier | None) -> Brought:
        signer = KeyFiles(self._folder, self._origin).current()
        known = self._keys(signer.verifier if signer else None, trusted)
        self._tree.catch_up(None)
        vouched = self._checkpoints(known)
        if not vouched:
            raise _not_proven(_nothing_vouches(is_by_ours=bool(signer or trusted)))
        self._beside(known)
        self._elsewhere(known)
        HandedOut(self._folder).publish(known.verifiers)
        sync_folder(self._folder)
        if vouched < self._entries:
            self._problems.append(self._unsigned(vouched))
        why = "signing key" if signer else "given" if trusted else "store"
        return Brought(self._entries, vouched, known.newest, why, self._problems)

    def _keys(self, signing: Verifier | None, trusted: Verifier | None) -> Succession:
        """Return the station's keys, which lead to every key that came from elsewhere."""
        rotations = read_rotations(list(self._log.lines_of(Act.KEY_ROTATED)))
        first = rotations[0].old if rotations else signing or trusted or self._only_key()
        try:
            known = succession(first, rotations)
        except ValueError as error:
            raise _not_proven(
                T("The custody log has a rotation of the key that is none: {why}.",
                  why=reason(error))
            ) from error  # fmt: skip
        if known.first.name != self._origin:
            raise _not_proven(T("The keys in the store are of another log than this station's."))
        if signing is not None and signing != known.newest:
            raise _not_proven(
                T("The key {file} in the custody folder is not the one that signs this log.",
                  file=KEY)
            )  # fmt: skip
        if trusted is not None and trusted not in known.verifiers:
            raise _not_proven(T("The verifier key that was given is none of this log's."))
        return known

    def _only_key(self) -> Verifier:
        found = set()
        for line in self._records.verifier_keys():
            try:
                found.add(Verifier.parse(line))
            except ValueError as error:
                self._problems.append(
                    T("The store has a verifier key that is none: {why}.", why=reason(error))
                )
        if len(found) != 1:
            raise _not_proven(
                T("The store has {count} keys that could be the station's.", count=len(found)),
                T("Give the one that was handed out: --verifier FILE|KEY"),
            )
        return found.pop()

    def _checkpoints(self, known: Succession) -> int:
        """Keep the checkpoints that are the station's; return the entries of the newest, or 0.

        Raises CustodyProblem where one of them vouches for another log than this.
        """
        notes = self._folder / "checkpoints"
        make_folders(notes)
        newest = 0
        for size, key, note in self._records.notes():
            try:
                checkpoint = known.opened(note)
            except ValueError as error:
                self._problems.append(
                    T("{key} is no checkpoint of this station: {why}.", key=key, why=reason(error))
                )
                continue
            if checkpoint.origin != self._origin or checkpoint.size != size:
                self._problems.append(T("{key} is the checkpoint of another log.", key=key))
                continue
            try:
                self._tree.compare(checkpoint)
            except CustodyProblem as problem:
                raise _not_proven(problem.text) from problem
            write_synced(notes / f"{size:020d}", note.encode())
            newest = max(newest, size)
        sync_folder(notes)
        return newest

    def _beside(self, known: Succession) -> None:
        """Keep what others signed, where checkpoints were kept, and torn lines."""
        witnessed = self._folder / "witnessed"
        found = self._records.witnessed()
        if found:
            make_folders(witnessed)
        for name, content in found.items():
            if not name.endswith(".tsr"):
                try:
                    known.opened(content.decode("utf-8", "replace"))
                except ValueError as error:
                    self._problems.append(
                        T("{key} is no checkpoint of this station: {why}.",
                          key=f"witnessed/{name}", why=reason(error))
                    )  # fmt: skip
                    continue
            write_synced(witnessed / name, content)
        if found:
            sync_folder(witnessed)
        if delivered := self._records.delivered():
            write_synced(self._folder / "delivered", delivered)
        for name, content in self._records.torn().items():
            write_synced(self._folder / name, content)

    def _elsewhere(self, known: Succession) -> None:
        """Hold the log against the checkpoints that are kept in other places."""
        notes: list[NoteElsewhere] = []
        for place in places_of(self._settings):
            if place.is_there():
                notes += place.notes()
        try:
            hold_against(notes, self._origin, known.opened, self._tree.tree)
        except CustodyProblem as problem:
            self._problems.append(problem.text)

    def _unsigned(self, vouched: int) -> Text:
        """Say what of the end of the log nobody vouches for: who rules the store could add it."""
        return T(
            "No checkpoint vouches for the last {entries} entries of the custody log, with "
            "{seals} sealed recording(s): look at them with recorder-sync custody log.",
            entries=self._entries - vouched,
            seals=sum(1 for _ in self._log.entries_of([Act.SEAL], vouched)),
        )


def _emptied(folder: Path) -> Path:
    """Return the folder with nothing in it but the signing key of a try that was cut off."""
    make_folders(folder, 0o750)
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != KEY:
            path.unlink()
    return folder


def _nothing_vouches(*, is_by_ours: bool) -> Text:
    if is_by_ours:
        return T(
            "No checkpoint in the store is signed with the station's key: it is another log, or "
            "the key is another one."
        )
    return T("The store has no checkpoint that vouches for the custody log.")


def _not_proven(text: Text, hint: Text | None = None) -> CustodyProblem:
    nothing = T(
        "Nothing was brought back. Keep the store as it is, and try another store, or the "
        "backup of the custody log."
    )
    return CustodyProblem(text, hint or nothing)
