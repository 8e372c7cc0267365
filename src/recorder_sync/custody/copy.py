"""Keeps a copy of the custody log elsewhere, which only ever grows.

The entries, checkpoints and what others check them with; never the key that signs. The
log is append-only, so a segment is copied when it is new or longer than its copy. A log
that does not go on where its copy ends was cut, rewritten or put back from a backup: then
nothing is copied, since the copy may be the only true one. The last bytes of a segment
are enough to tell, because each entry holds the hash of the one before.
"""

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from recorder_sync.custody.log import CustodyLog
from recorder_sync.custody.problem import unreliable
from recorder_sync.durable import make_folders, open_regular, sync_folder
from recorder_sync.errors import CustodyProblem, os_reason
from recorder_sync.language import T

_BESIDE = ("*.torn-*", "verifier-key*", "delivered")
_NOTES = ("checkpoints", "witnessed")
"""Folders of files that keep their content, or get longer."""
_KEPT = re.compile(r"[0-9]{20}(\.tsr)?|sent-[0-9a-f]{16}")
"""What their files are called; one that is being written has another name, and may be gone soon."""
_COMPARED = 1 << 20
"""Bytes at the end of a segment's copy that are compared: the last entry is in them."""


def extend_copy(
    log: CustodyLog, folder: Path, to: Path, goes_on: Callable[[], bool] = lambda: True
) -> int:
    """Bring the copy of `log`, whose folder is `folder`, up to it; return the bytes copied.

    The copy is for its owner only. Where `goes_on` says no, between two segments, the rest
    is left for the next time. Raises CustodyProblem when the log does not go on where
    the copy ends, MissingPart, or OSError.
    """
    extents = log.extents()
    make_folders(to, 0o700)
    _refuse_another(extents, to)
    copied = 0
    for segment, size in extents.items():
        copy = to / segment.name
        if not goes_on():
            return copied
        if not copy.exists() or copy.stat().st_size < size:
            copied += _copy(segment, copy, size)
    for pattern in _BESIDE:
        for file in folder.glob(pattern):
            copy = to / file.name
            if not copy.exists() or not _is_like(copy, file):
                copied += _copy(file, copy)
    sync_folder(to)
    for name in _NOTES:
        if (folder / name).is_dir():
            copied += _copy_notes(folder / name, to / name)
    return copied


def size_to_copy(log: CustodyLog, to: Path) -> int:
    """Return the bytes of the segments that are yet to be copied. Raises as `extend_copy`."""
    return sum(
        size
        for segment, size in log.extents().items()
        if not (to / segment.name).exists() or (to / segment.name).stat().st_size < size
    )


def _refuse_another(extents: dict[Path, int], to: Path) -> None:
    sizes = {segment.name: (segment, size) for segment, size in extents.items()}
    for copy in sorted(to.glob("[0-9]" * 20 + ".jsonl")):
        segment, size = sizes.get(copy.name, (None, 0))
        if segment is None or not _goes_on(segment, size, copy):
            raise CustodyProblem(
                T(
                    "The custody log does not go on where its copy in {folder} ends: {file}.",
                    folder=to,
                    file=copy.name,
                ),
                T(
                    "It was cut, changed or put back from a backup. Keep both folders as they "
                    "are and compare them; recorder-sync custody verify says more."
                ),
            )


def _goes_on(segment: Path, size: int, copy: Path) -> bool:
    with open_regular(copy) as old, open_regular(segment) as new:
        end = old.seek(0, os.SEEK_END)
        if end > size:
            return False
        start = max(0, end - _COMPARED)
        old.seek(start)
        new.seek(start)
        return old.read(end - start) == new.read(end - start)


def _copy_notes(folder: Path, to: Path) -> int:
    make_folders(to, 0o700)
    copied = 0
    for file in sorted(folder.iterdir()):
        copy = to / file.name
        if not _KEPT.fullmatch(file.name):
            continue
        if not copy.exists() or copy.stat().st_size != file.lstat().st_size:
            copied += _copy(file, copy)
    sync_folder(to)
    return copied


def _is_like(copy: Path, file: Path) -> bool:
    with _opened(file) as new, open_regular(copy) as old:
        return old.read() == new.read()


def _opened(file: Path) -> BinaryIO:
    """Open a file of the log's folder; raises CustodyProblem, which names it."""
    try:
        return open_regular(file)
    except OSError as error:
        raise unreliable(
            T(
                "The file {file} beside the custody log cannot be copied: {why}.",
                file=file.name,
                why=os_reason(error),
            )
        ) from error


def _copy(file: Path, to: Path, size: int | None = None) -> int:
    """Copy a file, or its first bytes, beside its name, synced, and rename it."""
    part = to.with_name(f".{to.name}.part")
    part.unlink(missing_ok=True)
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as copy, _opened(file) as source:
        shutil.copyfileobj(source, copy, 1 << 20)
        if size is not None:
            copy.truncate(size)
        copy.flush()
        os.fsync(copy.fileno())
        written = os.fstat(copy.fileno()).st_size
    os.rename(part, to)
    return written
