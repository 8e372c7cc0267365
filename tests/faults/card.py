"""A card that does what no healthy card does, at the moment the test chooses."""

import os
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.faults.served import Served

Name = str | bytes | Path
"""The path of a file, as seen from the top of the card."""


@dataclass(frozen=True)
class Read:
    """One read the card answered; long reads of a client arrive in pieces."""

    offset: int
    length: int


class Hang:
    """A place in a file where every reader waits until it is released."""

    def __init__(self, served: Served, path: str, number: int) -> None:
        self._served = served
        self._here: dict[str, object] = {"path": path, "hang": number}

    def await_reader(self, seconds: float = 30.0) -> None:
        """Wait until somebody hangs here."""
        assert self._served.ask("await_reader", seconds=seconds, **self._here), (
            f"nobody came to hang within {seconds:g} s"
        )

    def release(self) -> None:
        """Let the reader go on, and everyone after it.

        A client that is killed while it hangs only ends after this: so it is with a
        card that does not answer.
        """
        self._served.ask("release_hang", **self._here)


class HostileCard:
    """A real folder shown read-only as a mounted card, with faults to order.

    The kernel caches nothing of it: every read, buffered or O_DIRECT, reaches the
    process that serves it. A fault counts for the bytes that are asked for after it was
    set; a read of more than 1 MiB arrives in pieces, and gives what came before the
    first bad piece.
    """

    def __init__(self, folder: Path, mount: Path) -> None:
        """Show `folder` at `mount`, which is made; nothing is mounted before entering."""
        self.folder = folder
        self.path = mount

    def __enter__(self) -> Self:
        self.path.mkdir(exist_ok=True)
        self._served = Served("tests.faults.card_server", self.path, self.folder)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._served.ask("heal")  # nobody hangs any more: it can be unmounted
        finally:
            self._served.end()

    def fail_reads(
        self, name: Name, offset: int = 0, length: int | None = None, times: int | None = None
    ) -> None:
        """Reads that touch these bytes give EIO: always, or only the first `times`."""
        self._served.ask("fail", path=_path(name), offset=offset, length=length, times=times)

    def shorten_reads(self, name: Name, most: int | None) -> None:
        """A read returns at most so many bytes."""
        self._served.ask("shorten", path=_path(name), most=most)

    def hang_at(self, name: Name, offset: int) -> Hang:
        """A read that touches this byte waits until the test releases it."""
        path = _path(name)
        return Hang(self._served, path, self._served.ask("hang", path=path, at=offset))

    def change_after_first_read(
        self, name: Name, offset: int = 0, length: int | None = None
    ) -> None:
        """Bytes of this range come inverted from the second time on that they are read."""
        self._served.ask("change", path=_path(name), offset=offset, length=length)

    def truncate(self, name: Name, size: int, when_read: int | None = None) -> None:
        """The file ends at `size` and is modified later: now, or after this byte was read."""
        self._served.ask("resize", path=_path(name), size=size, tail="", when_read=when_read)

    def append(self, name: Name, data: bytes, when_read: int | None = None) -> None:
        """The file has more at its end and is modified later: now, or after this byte was read."""
        tail = data.hex()
        self._served.ask("resize", path=_path(name), size=None, tail=tail, when_read=when_read)

    def pull_out(self, after: int | None = None) -> None:
        """The card is gone: now, or when so many more bytes of all its files were read.

        As with a camera that is pulled off its cable: the mount stays listed, every read
        of an open file gives EIO, names are not found, folders are empty without an
        error, and the free space cannot be asked for (EIO).
        """
        self._served.ask("leave", after=after)

    def come_back(self) -> None:
        """The card is there again; files that were open when it went stay dead."""
        self._served.ask("come_back")

    def heal(self) -> None:
        """End every fault; a card that is gone stays gone."""
        self._served.ask("heal")

    def reads(self, name: Name) -> list[Read]:
        """Return the reads of a file that were answered with bytes, in their order."""
        return [Read(*read) for read in self._served.ask("reads", path=_path(name))]

    def bytes_read(self, name: Name, start: int = 0, end: int | None = None) -> int:
        """Count the bytes given from a part of a file, each as often as it was read."""
        parts = self.reads(name)
        last = max((read.offset + read.length for read in parts), default=0) if end is None else end
        return sum(
            max(0, min(read.offset + read.length, last) - max(read.offset, start)) for read in parts
        )

    def errors_given(self, name: Name) -> int:
        """Count the reads of a file that got EIO."""
        found: int = self._served.ask("errors", path=_path(name))
        return found

    def forget_reads(self) -> None:
        """Count reads and errors from zero, for every file."""
        self._served.ask("forget_reads")


def _path(name: Name) -> str:
    return "/" + os.fsdecode(name).lstrip("/")
