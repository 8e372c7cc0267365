"""Partial copies on the evidence disk."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recorder_sync.ingest.engine import not_written

NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL
"""Flags to open one that must not be there yet."""


@contextmanager
def opened(path: Path, flags: int, mode: int = 0) -> Iterator[int]:
    """Hold a partial copy open, never through a link. Raises WriteFailed."""
    try:
        handle = os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    except OSError as error:
        raise not_written(error) from error
    try:
        yield handle
    finally:
        os.close(handle)
