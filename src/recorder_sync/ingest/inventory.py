"""What is on the card: every file, taken or skipped and why, before a byte is copied.

Links are not followed, only regular files count, other mounts are not entered, and a
folder that turns up twice (a loop) is entered once. Names are bytes; nothing about a
name is trusted. Nor is a size: a damaged entry may claim more than the whole card has, and
must not make the disk seem too small for everything else.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from recorder_sync.errors import os_reason
from recorder_sync.ingest.volume import Volume, stamp_of
from recorder_sync.language import T, Text
from recorder_sync.media.describer import Describer
from recorder_sync.model import CardPath, Kind
from recorder_sync.rules.kinds import kind_by_name
from recorder_sync.rules.naming import Profile, is_identity_file

_DEEPEST = 64
_LOST_AND_FOUND = CardPath(b"lost+found")
"""Where ext4 puts what a repair found; only root may look into it."""

_SAMPLE = 4096
_MOST_PROBED = 256
"""Files of unknown endings that ffprobe looks at on one card: it takes 80 ms each."""


@dataclass(frozen=True, slots=True)
class Item:
    """One file of the inventory. `skipped` says why it is no recording."""

    path: CardPath
    size: int
    mtime_ns: int
    kind: Kind | None
    skipped: Text | None = None
    failure: Text | None = None
    """It may be a recording, but cannot even be looked at."""

    @property
    def is_recording(self) -> bool:
        return self.skipped is None and self.failure is None


def take_inventory(
    volume: Volume,
    describer: Describer,
    profiles: Sequence[Profile],
    found: Callable[[int], None],
    only: frozenset[CardPath] | None = None,
) -> list[Item]:
    """Walk the volume and return every file on it, or of `only` these, oldest first.

    `found` is told the number of files after each one. A folder that cannot be read is
    an item with a failure. Raises VolumeGone when the device is unplugged on the way.
    """
    items: list[Item] = []
    probed = 0
    for listed in _walk(volume):
        if only is not None and listed.path not in only:
            continue
        item = listed
        undecided = listed.is_recording and listed.kind is None
        if undecided and is_identity_file(listed.path, profiles):
            item = _skip(listed, T("identity file, not a recording"))
        elif undecided:
            item, was_probed = _by_content(listed, volume, describer, probed < _MOST_PROBED)
            probed += was_probed
        items.append(item)
        found(len(items))
    volume.check_present()
    return sorted(items, key=lambda i: (i.mtime_ns, i.path))


def _walk(volume: Volume) -> Iterator[Item]:
    entered: set[tuple[int, int]] = set()
    largest = volume.size()
    waiting = [CardPath(b"")]
    while waiting:
        folder = waiting.pop()
        try:
            with volume.folder(folder) as handle:
                state = os.fstat(handle)
                if (state.st_dev, state.st_ino) in entered:
                    yield _odd(folder, T("a folder that was entered already (a loop)"))
                    continue
                entered.add((state.st_dev, state.st_ino))
                names = sorted(os.fsencode(name) for name in os.listdir(handle))
                for name in names:
                    path = folder / name
                    found = _entry(path, name, handle, volume.device)
                    if found is not None:
                        yield _within(found, largest)
                    elif path.raw.count(b"/") < _DEEPEST:
                        waiting.append(path)
                    else:
                        yield _failed(path, T("folders nested too deeply"))
        except OSError as error:
            volume.check_present()
            if folder == _LOST_AND_FOUND:
                yield _odd(folder, T("a folder of the file system's own"))
                continue
            yield _failed(folder, T("the folder cannot be read: {why}", why=os_reason(error)))


def _entry(path: CardPath, name: bytes, folder: int, device: int) -> Item | None:
    """Return the item of one directory entry, or None for a folder to enter."""
    try:
        state = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        return _failed(path, T("it cannot be looked at: {why}", why=os_reason(error)))
    if (odd := _oddity(state, device)) is not None:
        return _odd(path, odd)
    if stat.S_ISDIR(state.st_mode):
        return None
    found = stamp_of(state)
    empty = T("empty: 0 bytes") if found.size == 0 else None
    return Item(path, found.size, found.mtime_ns, kind_by_name(path), empty)


def _within(item: Item, largest: int | None) -> Item:
    """Return the item, as a failure where it claims to be larger than the card itself."""
    if largest is None or item.size <= largest:
        return item
    why = T("the card says that it has {size} bytes, more than the whole card", size=item.size)
    return _failed(item.path, why)


def _oddity(state: os.stat_result, device: int) -> Text | None:
    """Say why an entry is neither a folder nor a file of this card, or None."""
    if stat.S_ISLNK(state.st_mode):
        return T("a symbolic link")
    if state.st_dev != device:
        return T("on another mount")
    if stat.S_ISDIR(state.st_mode) or stat.S_ISREG(state.st_mode):
        return None
    return T("not a regular file")


def _odd(path: CardPath, why: Text) -> Item:
    return Item(path, 0, 0, None, skipped=why)


def _failed(path: CardPath, why: Text) -> Item:
    return Item(path, 0, 0, None, failure=why)


def _by_content(
    item: Item, volume: Volume, describer: Describer, may_probe: bool
) -> tuple[Item, bool]:
    """Decide about a file whose ending says nothing; tell whether ffprobe was asked."""
    try:
        with volume.file(item.path) as handle:
            head = os.pread(handle, _SAMPLE, 0)
    except OSError as error:
        why = T("it cannot be read: {why}", why=os_reason(error))
        return Item(item.path, item.size, item.mtime_ns, None, failure=why), False
    if _is_text(head):
        return _skip(item, T("text, not a recording")), False
    if not may_probe:
        # Beyond the limit it is taken in unseen: too much is safer than too little.
        return Item(item.path, item.size, item.mtime_ns, Kind.OTHER), False
    kind = describer.kind_of(volume.full_path(item.path))
    if kind is None:
        return _skip(item, T("not a recording: ffprobe does not know it")), True
    return Item(item.path, item.size, item.mtime_ns, kind), True


def _skip(item: Item, why: Text) -> Item:
    return Item(item.path, item.size, item.mtime_ns, None, skipped=why)


def _is_text(head: bytes) -> bool:
    if b"\0" in head:
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            head.decode(encoding)
        except UnicodeDecodeError as error:
            if error.start < len(head) - 4:
                continue
        return True
    return False
