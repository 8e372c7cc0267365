"""Makes, keeps and checks the log's checkpoints, with the keys that sign them.

    <state>/custody/signing-key.pem     Ed25519, for the service's user only
    <state>/custody/verifier-key        what others check with: one line, to be handed out
    <state>/custody/verifier-keys       those that were handed out before too, oldest first
    <state>/custody/checkpoints/        one signed note a file, named by its size
    <state>/custody/tree/               hashes, made from the log; may be removed

A checkpoint is made only of a log that extends the last one: a station whose log was
rewritten, cut or put back from a backup signs nothing any more, and says so.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from recorder_sync.custody.checkpoint import Checkpoint, Signer, Verifier, signed_by
from recorder_sync.custody.elsewhere import NoteElsewhere, hold_against
from recorder_sync.custody.key_files import KEY, KeyFiles
from recorder_sync.custody.log import Act, CustodyLog, Deed
from recorder_sync.custody.problem import unreliable
from recorder_sync.custody.rotation import Rotation, Succession, rotation_facts, succession
from recorder_sync.custody.rotations_in_log import RotationsInLog, read_rotations
from recorder_sync.custody.tree import HashTree
from recorder_sync.durable import exclusive, make_folders, read_regular, replace_synced
from recorder_sync.errors import CustodyProblem, MissingPart, os_reason
from recorder_sync.language import T, Text

_VERIFIER = "verifier-key"
_VERIFIERS = "verifier-keys"

MakeDeed = Callable[[Act, str, Mapping[str, Any]], Deed]
"""Makes the deed of an act, a subject and facts: who does it, and when."""


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
        self._keys = KeyFiles(folder, self._origin)
        self._rotations = RotationsInLog(folder, log)
        self.tree = HashTree(folder / "tree")

    def make(self, elsewhere: Iterable[NoteElsewhere] = ()) -> Signed:
        """Sign the log as it is now, and keep the note. An unchanged log has its note already.

        A rotation of the key that was cut off is finished first. Raises CustodyProblem when
        the log does not extend the last checkpoint and those that are kept elsewhere,
        MissingPart when something cannot be read or written.
        """
        with self._turn():
            self._finish_rotation(elsewhere)
            signed = self._sign([self._signer()], elsewhere)
            self._publish()
            return signed

    def rotate(self, deed: MakeDeed) -> Rotation:
        """Have a new key sign from now on, and destroy the old one.

        The new key is on disk before the entry that names it, the entry before the first
        checkpoint that it signs, and that before the old key is destroyed. Raises as `make`.
        """
        with self._turn():
            self._finish_rotation()
            old = self._signer()
            self._sign([old])
            new = self._keys.make_next()
            facts = rotation_facts(old, new)
            (entry,) = self._log.append([deed(Act.KEY_ROTATED, self._origin, facts)])
            self._finish_rotation()
            self._publish()
            return Rotation(entry.seq, old.verifier, new.verifier)

    def last(self) -> Signed | None:
        """Return the newest checkpoint. Raises CustodyProblem when it is not ours, or OSError."""
        return next(iter(self.kept()), None)

    def kept(self) -> Iterator[Signed]:
        """Yield every checkpoint, newest first. Raises CustodyProblem or OSError."""
        known = self.succession()
        for path in sorted(self._notes.glob("[0-9]" * 20), reverse=True):
            yield self._read(path, known)

    def of_size(self, size: int) -> Signed | None:
        """Return the checkpoint of so many entries, if one was made then.

        Raises CustodyProblem or OSError.
        """
        path = self._notes / f"{size:020d}"
        return self._read(path, self.succession()) if path.exists() else None

    def verifier(self) -> Verifier:
        """Return what the newest checkpoint is checked with. Raises CustodyProblem or OSError."""
        return self._signer().verifier

    def succession(self) -> Succession:
        """Return the station's keys, the one that signs and those before it.

        Raises CustodyProblem or OSError.
        """
        return self._known()[1]

    def rotation_lines(self, size: int) -> list[bytes]:
        """Return the entries' lines that changed the key, among the first `size` entries.

        Raises CustodyProblem or OSError.
        """
        lines, known = self._known()
        return lines[: len(known.before(size).rotations)]

    def check(self, elsewhere: Iterable[NoteElsewhere] = ()) -> int:
        """Make all hashes anew from the log and hold every checkpoint against them.

        Returns how many checkpoints there are, those that are kept elsewhere left out. Where
        the key is gone, the keys that were handed out are enough to tell what does not fit;
        that it is gone is the problem otherwise. Raises CustodyProblem or MissingPart.
        """
        with self._turn():
            self._remake_tree()
            if self._keys.current() is None and self._key_is_missed():
                self._check_without_key(elsewhere)
                raise _key_is_gone(
                    T(
                        "The key {file} that signs checkpoints is gone. The log is as every "
                        "checkpoint says, by the keys in {keys}.",
                        file=KEY,
                        keys=_VERIFIERS,
                    )
                )
            if self._log.is_begun():
                lines, signing = self._rotations.found_from(0), self._signer().verifier
                _succession(read_rotations(lines), signing)
                self._rotations.copy(lines, signing)
            self._finish_rotation()
            if self._log.is_begun():
                self._check_handed_out()
            kept = list(self.kept())
            self._catch_up(kept[0] if kept else None)
            for signed in kept:
                self.compare(signed.checkpoint)
            self._hold_against(elsewhere)
            return len(kept)

    def compare(self, checkpoint: Checkpoint) -> None:
        """Hold a checkpoint against the hashes.

        Raises CustodyProblem when the log is not what it vouches for, OSError or ValueError
        when the hashes cannot be read.
        """
        if checkpoint.size > self.tree.size:
            raise unreliable(
                T(  # without the log's own size: the same matter is the same alert an hour later
                    "The custody log is shorter than the {more} entries that a checkpoint vouches "
                    "for: entries were removed from its end.",
                    more=checkpoint.size,
                )
            )
        if self.tree.root(checkpoint.size) != checkpoint.root:
            raise unreliable(
                T(
                    "The first {size} entries of the custody log are not those that the "
                    "checkpoint vouches for.",
                    size=checkpoint.size,
                )
            )

    @contextmanager
    def _turn(self) -> Iterator[None]:
        try:
            make_folders(self._notes)
            with exclusive(self._folder / "checkpoint.lock"):
                yield
        except OSError as error:
            raise MissingPart(
                T(
                    "No checkpoint can be made in {path}: {why}.",
                    path=error.filename or self._folder,
                    why=os_reason(error),
                ),
                T("Check the disk's free space, and that this user may write the state folder."),
            ) from error

    def _read(self, path: Path, known: Succession) -> Signed:
        try:
            note = read_regular(path).decode()
            checkpoint = known.opened(note)
        except ValueError as error:
            raise unreliable(
                T("The checkpoint {file} cannot be relied on: {why}.", file=path.name, why=error)
            ) from error
        if checkpoint.origin != self._origin or checkpoint.size != int(path.name):
            raise unreliable(T("The checkpoint {file} is of another log.", file=path.name))
        return Signed(checkpoint, note)

    def _hold_against(self, elsewhere: Iterable[NoteElsewhere]) -> None:
        hold_against(elsewhere, self._origin, self.succession().opened, self.tree)

    def _sign(self, signers: list[Signer], elsewhere: Iterable[NoteElsewhere] = ()) -> Signed:
        last = self.last()
        self._catch_up(last)
        self._hold_against(elsewhere)
        size = self.tree.size
        if last is not None and last.checkpoint.size == size:
            return last
        checkpoint = Checkpoint(self._origin, size, self.tree.root(size))
        note = signed_by(signers, checkpoint)
        replace_synced(self._notes / f"{size:020d}", note.encode())
        return Signed(checkpoint, note)

    def _known(self) -> tuple[list[bytes], Succession]:
        """Return the rotations, as lines and as keys; from their copy where it is right."""
        signer = self._signer()
        waiting = self._keys.next()
        signing = [one.verifier for one in (signer, waiting) if one is not None]
        copied = self._rotations.copied(signer.verifier)
        if copied is not None:
            known = _succession(read_rotations(copied), signer.verifier)
            if known.newest in signing:
                return copied, known
        lines = self._rotations.found_from(0)
        known = _succession(read_rotations(lines), signer.verifier)
        if known.newest not in signing:
            raise unreliable(
                T("The key that signs checkpoints is not the one that the custody log names.")
            )
        return lines, known

    def _finish_rotation(self, elsewhere: Iterable[NoteElsewhere] = ()) -> None:
        """Go on with a rotation from wherever it was cut off; most often there is none."""
        new = self._keys.next()
        if new is None:
            self._keys.destroy_retired()
            return
        rotation = self._rotation_to(new.verifier)
        if rotation is None:  # cut off before the entry: the log never named that key
            self._keys.discard_next()
            return
        last = self.last()
        if last is None or last.checkpoint.size <= rotation.number:
            self._sign([new, self._signer()], elsewhere)
        self._keys.take_over()
        self._keys.destroy_retired()

    def _rotation_to(self, new: Verifier) -> Rotation | None:
        """Return the rotation to this key, its line copied; None when the log has none."""
        lines, known = self._known()
        signing = self._signer().verifier
        if known.newest != new:
            # The log was signed just before the entry was to be made.
            last = self.last()
            lines += self._rotations.found_from(last.checkpoint.size if last else 0)
            known = _succession(read_rotations(lines), signing)
        self._rotations.copy(lines, signing)
        return known.rotations[-1] if known.newest == new else None

    def _publish(self) -> None:
        """Write what is handed out, and the copy, where they do not say so already."""
        lines, known = self._known()
        self._rotations.copy(lines, known.newest)
        everyone = "".join(f"{verifier}\n" for verifier in known.verifiers)
        for name, text in ((_VERIFIERS, everyone), (_VERIFIER, f"{known.newest}\n")):
            path = self._folder / name
            if not path.exists() or read_regular(path) != text.encode():
                replace_synced(path, text.encode(), 0o644)

    def _catch_up(self, last: Signed | None) -> None:
        """Bring the tree up to the log, and hold the last checkpoint against it."""
        size = self._log.sync()
        try:
            self._extend(size)
            if last is not None:
                self.compare(last.checkpoint)
        except ValueError:  # the log has it all
            self.tree.forget()
            self._extend(size)
            if last is not None:
                self.compare(last.checkpoint)

    def _remake_tree(self) -> None:
        """Make all hashes anew; those that are there stay in place when they are right.

        Others read them meanwhile, to prove something: they must not see half a tree.
        """
        fresh = HashTree(self._folder / "tree.checking")
        fresh.forget()
        fresh.extend(islice(self._log.leaves(), self._log.sync()))
        if not self.tree.begins(fresh):
            self.tree.forget()
        fresh.forget()

    def _extend(self, size: int) -> None:
        """Add what is on stable storage. Raises ValueError when the tree is not the log's."""
        first = self.tree.size
        leaves = self._log.leaves(max(0, first - 1))
        if first and next(leaves, None) != self.tree.node(0, first - 1):
            raise ValueError("the tree does not end where the log does")
        self.tree.extend(islice(leaves, max(0, size - first)))

    def _signer(self) -> Signer:
        """Return the station's key, made when it is first needed."""
        found = self._keys.current()
        if found is not None:
            return found
        if self._key_is_missed():
            raise _key_is_gone(T("The key {file} that signs checkpoints is gone.", file=KEY))
        make_folders(self._folder)
        return self._keys.make_first()

    def _key_is_missed(self) -> bool:
        """Tell whether there was a key: it has signed something, or was handed out."""
        left = (_VERIFIER, _VERIFIERS, "rotations", "witnessed")
        return (
            any(self._notes.glob("[0-9]" * 20))
            or any((self._folder / name).exists() for name in left)
            or bool(self._rotations.found_from(0))
        )

    def _check_handed_out(self) -> None:
        """The keys that are handed out are the station's; the newest may not be among them yet."""
        known = [str(verifier) for verifier in self.succession().verifiers]
        for name in (_VERIFIER, _VERIFIERS):
            path = self._folder / name
            if not path.exists():
                continue
            lines = read_regular(path).decode("utf-8", "replace").splitlines()
            first = known.index(lines[0]) if lines and lines[0] in known else len(known)
            if not lines or known[first : first + len(lines)] != lines:
                raise unreliable(
                    T("The keys in {file} are not those that the custody log names.", file=name)
                )

    def _check_without_key(self, elsewhere: Iterable[NoteElsewhere]) -> None:
        """Hold the log against every checkpoint with the verifier keys that were handed out."""
        handed_out = self._handed_out()
        rotations = read_rotations(self._rotations.found_from(0))
        known = _succession(rotations, handed_out[0])
        # A rotation that was cut off may stand in the log before its key is handed out.
        if known.verifiers[: len(handed_out)] != handed_out:
            raise unreliable(
                T("The keys in {file} are not those that the custody log names.", file=_VERIFIERS)
            )
        self._extend(self._log.sync())
        for path in sorted(self._notes.glob("[0-9]" * 20), reverse=True):
            self.compare(self._read(path, known).checkpoint)
        hold_against(elsewhere, self._origin, known.opened, self.tree)

    def _handed_out(self) -> list[Verifier]:
        """Return the verifier keys on file, oldest first. Raises CustodyProblem or OSError."""
        text = T("The key {file} that signs checkpoints is gone.", file=KEY)
        try:
            lines = (self._folder / _VERIFIERS).read_text("utf-8").splitlines()
            found = [Verifier.parse(line) for line in lines]
        except (FileNotFoundError, ValueError) as error:
            raise _key_is_gone(text) from error
        if not found:
            raise _key_is_gone(text)
        return found


def _key_is_gone(text: Text) -> CustodyProblem:
    return CustodyProblem(
        text,
        T(
            "Put the copy of {file} back that was kept in a safe place, for the service's user "
            "only. Without one nothing more is signed: keep the folder as it is.",
            file=KEY,
        ),
    )


def _succession(rotations: list[Rotation], signing: Verifier) -> Succession:
    """Return the keys; where there was no rotation, the one that signs."""
    try:
        return succession(rotations[0].old if rotations else signing, rotations)
    except ValueError as error:
        raise unreliable(
            T("The custody log has a rotation of the key that is none: {why}.", why=error)
        ) from error
