"""A recording on the card, read from front to back, with patience.

Short reads go on where they stopped. A read error may be a loose plug or a tired reader:
it is tried again a few times, with longer and longer pauses, as long as the card is there
at all. Nothing is ever skipped here; `salvage.py` does that, and says so.
"""

import errno
import mmap
import os
from collections.abc import Callable

from recorder_sync.direct_io import prefer_direct, through_cache, whole_pages
from recorder_sync.errors import RecordingFailure
from recorder_sync.ingest.volume import Stamp, stamp
from recorder_sync.language import T

PAUSES_S = (0.1, 0.5, 2.0)
"""Seconds before each new try of a read that failed."""

_TRANSIENT = frozenset({errno.EIO, errno.EAGAIN, errno.ETIMEDOUT, errno.EREMOTEIO, errno.ENODATA})


class SourceChanged(RecordingFailure):
    """The file changed while it was read; trying again may find it at rest."""


class Source:
    """An open file on the card."""

    def __init__(
        self,
        handle: int,
        expected: Stamp,
        check_present: Callable[[], None],
        pause: Callable[[float], None],
        *,
        found: Stamp | None = None,
        flags: int | None = None,
    ) -> None:
        """Read `handle`, whose file is as `expected` in the inventory.

        `check_present` raises when the card is gone; `pause` waits so many seconds, and
        raises when the intake is to stop. `found` and `flags` are how the file and its
        handle were when it was opened just now, where that is known (`OpenFile`). Raises
        SourceChanged, or OSError.
        """
        self.handle = handle
        self.expected = expected
        self._check_present = check_present
        self._pause = pause
        if (found or stamp(handle)) != expected:
            raise changed()
        self._direct = prefer_direct(handle, flags)

    def fill(self, view: memoryview, at: int) -> int:
        """Fill `view` with the bytes from `at` on; less than its length is the file's end.

        Raises OSError when a read fails again and again.
        """
        filled = 0
        # To ask for much more than there is makes the kernel fill the rest with zeros.
        wanted = min(len(view), whole_pages(max(1, self.expected.size - at)))
        while filled < wanted:
            count = self._read(view[filled:wanted], at + filled)
            filled += count
            if count == 0 or at + filled == self.expected.size:
                break
            if filled % mmap.PAGESIZE:
                self._forget_direct()  # a device with odd blocks, or short answers
        return filled

    def check_unchanged(self) -> None:
        """Raise SourceChanged when the file is not as it was in the inventory."""
        if stamp(self.handle) != self.expected:
            raise changed()

    def leave_no_pages(self) -> None:
        """Let go of what reading left in the page cache. Raises OSError."""
        if not self._direct:
            os.posix_fadvise(self.handle, 0, 0, os.POSIX_FADV_DONTNEED)

    def _read(self, view: memoryview, at: int) -> int:
        for pause in (*PAUSES_S, None):
            try:
                return os.preadv(self.handle, [view], at)
            except OSError as error:
                if error.errno == errno.EINVAL and self._direct:
                    self._forget_direct()
                    return os.preadv(self.handle, [view], at)
                if pause is None or error.errno not in _TRANSIENT:
                    raise
                self._check_present()
            self._pause(pause)
        raise AssertionError("the last try returns or raises")

    def _forget_direct(self) -> None:
        if self._direct:
            through_cache(self.handle)
            self._direct = False


def changed() -> SourceChanged:
    return SourceChanged(
        T("It changed while it was read: the device is still writing it."),
        T("Stop the recording, leave the device docked, and take it in again."),
    )
