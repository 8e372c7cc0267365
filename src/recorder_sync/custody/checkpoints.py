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
from pathlib import Path
from typing import Any, TypeVar

from recorder_sync.custody import handed_out
from recorder_sync.custody.checkpoint import Checkpoint, Signer, Verifier, signed_by
from recorder_sync.custody.elsewhere import NoteElsewhere, hold_against
from recorder_sync.custody.handed_out import HandedOut
from recorder_sync.custody.key_files import KEY, KeyFiles
from recorder_sync.custody.log import Act, CustodyLog, Deed
from recorder_sync.custody.problem import unreliable
from recorder_sync.custody.rotation import Rotation, Succession, rotation_facts, succession
from recorder_sync.custody.rotations_in_log import RotationsInLog, read_rotations
from recorder_sync.custody.tree import HashTree
from recorder_sync.custody.tree_of_log import TreeOfLog
from recorder_sync.custody.unfit import reason
from recorder_sync.durable import exclusive, make_folders, read_regular, replace_synced
from recorder_sync.errors import CustodyProblem, MissingPart, os_reason
from recorder_sync.language import T, Text

Found = TypeVar("Found")

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
        self._handed_out = HandedOut(folder)
        self._rotations = RotationsInLog(folder, log)
        self._of_log = TreeOfLog(folder, log)
        self.tree = self._of_log.tree

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
            self._of_log.remake()
            if self._keys.current() is None and self._key_is_missed():
                self._check_without_key(elsewhere)
                raise _key_is_gone(
                    T(
                        "The key {file} that signs checkpoints is gone. The log is as every "
                        "checkpoint says, by the keys in {keys}.",
                        file=KEY,
                        keys=handed_out.ALL,
                    )
                )
            if self._log.is_begun():
                lines, signing = self._rotations.found_from(0), self._signer().verifier
                _succession(read_rotations(lines), signing)
                self._rotations.copy(lines, signing)
            self._finish_rotation()
            if self._log.is_begun():
                self._handed_out.check(self.succession().verifiers)
            kept = list(self.kept())
            self._of_log.catch_up(kept[0].checkpoint if kept else None)
            for signed in kept:
                self.compare(signed.checkpoint)
            self._hold_against(elsewhere)
            return len(kept)

    def compare(self, checkpoint: Checkpoint) -> None:
        """Hold a checkpoint against the hashes. Raises as `TreeOfLog.compare`."""
        self._of_log.compare(checkpoint)

    def read_hashes(self, read: Callable[[HashTree], Found]) -> Found:
        """Return what `read` makes of the hashes of signed entries.

        Hashes that are there never change, so no lock is needed. Where they are not whole,
        another process is making them anew, or somebody removed them: its end is waited for,
        and what is missing then is made from the log. Raises CustodyProblem or MissingPart.
        """
        try:
            return read(self.tree)
        except (ValueError, FileNotFoundError):
            return self._read_anew(lambda: read(self.tree))

    def confirm(self, checkpoint: Checkpoint) -> None:
        """Hold a signed checkpoint against the hashes as they are once nobody writes them.

        Raises CustodyProblem when the log is not what it vouches for, or MissingPart.
        """
        try:
            if self.tree.root(checkpoint.size) == checkpoint.root:
                return
        except (ValueError, FileNotFoundError):
            pass  # told apart below, with the lock
        self._read_anew(lambda: self.compare(checkpoint))

    def _read_anew(self, read: Callable[[], Found]) -> Found:
        with self._turn():
            last = self.last()
            self._of_log.catch_up(last.checkpoint if last else None)
            try:
                return read()
            except (ValueError, FileNotFoundError):
                self.tree.forget()
                self._of_log.catch_up(last.checkpoint if last else None)
            try:
                return read()
            except ValueError as error:
                raise unreliable(
                    T("The hashes of the custody log are not whole: {why}.", why=reason(error))
                ) from error

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
                T(
                    "The checkpoint {file} cannot be relied on: {why}.",
                    file=path.name,
                    why=reason(error),
                )
            ) from error
        if checkpoint.origin != self._origin or checkpoint.size != int(path.name):
            raise unreliable(T("The checkpoint {file} is of another log.", file=path.name))
        return Signed(checkpoint, note)

    def _hold_against(self, elsewhere: Iterable[NoteElsewhere]) -> None:
        hold_against(elsewhere, self._origin, self.succession().opened, self.tree)

    def _sign(self, signers: list[Signer], elsewhere: Iterable[NoteElsewhere] = ()) -> Signed:
        last = self.last()
        self._of_log.catch_up(last.checkpoint if last else None)
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
        self._handed_out.publish(known.verifiers)

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
        left = (handed_out.NEWEST, handed_out.ALL, "rotations", "witnessed")
        return (
            any(self._notes.glob("[0-9]" * 20))
            or any((self._folder / name).exists() for name in left)
            or bool(self._rotations.found_from(0))
        )

    def _check_without_key(self, elsewhere: Iterable[NoteElsewhere]) -> None:
        """Hold the log against every checkpoint with the verifier keys that were handed out."""
        keys = self._keys_on_file()
        rotations = read_rotations(self._rotations.found_from(0))
        known = _succession(rotations, keys[0])
        # A rotation that was cut off may stand in the log before its key is handed out.
        if known.verifiers[: len(keys)] != keys:
            raise unreliable(
                T(
                    "The keys in {file} are not those that the custody log names.",
                    file=handed_out.ALL,
                )
            )
        self._of_log.catch_up(None)
        for path in sorted(self._notes.glob("[0-9]" * 20), reverse=True):
            self.compare(self._read(path, known).checkpoint)
        hold_against(elsewhere, self._origin, known.opened, self.tree)

    def _keys_on_file(self) -> list[Verifier]:
        """Return the verifier keys that were handed out. Raises CustodyProblem or OSError."""
        text = T("The key {file} that signs checkpoints is gone.", file=KEY)
        try:
            found = self._handed_out.all()
        except ValueError as error:
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
            T("The custody log has a rotation of the key that is none: {why}.", why=reason(error))
        ) from error
