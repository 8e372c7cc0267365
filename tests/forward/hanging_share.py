"""A share whose server stops to answer: what calls it waits in the kernel, as with NFS.

No signal but SIGKILL ends such a wait, and not even that one where the server has taken the
request: a thread in it cannot be ended by anything but the server.
"""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.faults.served import Served
from tests.ingest.aftermath import until


class HangingShare:
    """A folder shown at `path`, for as long as the block of `hanging_share` lasts."""

    def __init__(self, folder: Path, path: Path) -> None:
        self.folder = folder
        """What the server has."""
        self.path = path
        self._served = Served("tests.forward.share_server", path, folder)

    def hang(self, only: str | None = None) -> None:
        """From now on its calls, or those of one kind, are taken and never answered."""
        self._served.ask("hang", only=only)

    def await_hanging(self) -> None:
        until(lambda: self._served.ask("waiting"), "somebody hangs")

    def go_silent(self) -> None:
        """From now on it takes no call either: as a line that is cut."""
        os.kill(self._served.pid, signal.SIGSTOP)

    def resume(self) -> None:
        os.kill(self._served.pid, signal.SIGCONT)
        self._served.ask("resume")

    def end(self) -> None:
        self.resume()
        self._served.end()


@contextmanager
def hanging_share(folder: Path, path: Path) -> Iterator[HangingShare]:
    folder.mkdir()
    path.mkdir()
    share = HangingShare(folder, path)
    try:
        yield share
    finally:
        share.end()
