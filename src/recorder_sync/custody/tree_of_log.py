"""The hashes of the custody log, kept up with it.

The tree on disk is an index: whatever of it is gone, cut or not the log's is made anew from
the log. Only one process may do that at a time; others read what is there meanwhile.
"""

from itertools import islice
from pathlib import Path

from recorder_sync.custody.checkpoint import Checkpoint
from recorder_sync.custody.log import CustodyLog
from recorder_sync.custody.problem import unreliable
from recorder_sync.custody.tree import HashTree
from recorder_sync.language import T


class TreeOfLog:
    """The hashes in the folder of one log."""

    def __init__(self, folder: Path, log: CustodyLog) -> None:
        self._log = log
        self._checking = folder / "tree.checking"
        self.tree = HashTree(folder / "tree")

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

    def catch_up(self, last: Checkpoint | None) -> None:
        """Bring the tree up to the log, and hold the last checkpoint against it.

        Raises CustodyProblem, MissingPart or OSError.
        """
        size = self._log.sync()
        try:
            self._extend(size)
            if last is not None:
                self.compare(last)
        except (ValueError, FileNotFoundError):  # the log has it all
            self.tree.forget()
            self._extend(size)
            if last is not None:
                self.compare(last)

    def remake(self) -> None:
        """Make all hashes anew; those that are there stay in place when they are right.

        Others read them meanwhile, to prove something: they must not see half a tree.
        """
        fresh = HashTree(self._checking)
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
