"""A status file on the card, by profile: battery, clock, firmware, model as the maker writes them.

Only the confined process reads its content. It says how things were when the camera wrote
it; a profile names its clock only for cameras that write it when they are plugged in.
"""

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, tzinfo
from typing import Protocol, TypeVar

from recorder_sync.dock.device_report import DeviceReport
from recorder_sync.ingest.volume import Volume
from recorder_sync.model import CardPath
from recorder_sync.rules import reported
from recorder_sync.rules.naming import Field, IdentityFile, IdentityFormat, Profile

_DEEPEST = 2
_MOST_NAMES = 10_000
_MOST_FILES = 16

_Value = TypeVar("_Value")


class FileReader(Protocol):
    """Reads a file's facts in a confined process (`media/describer.py`)."""

    def identity_facts(self, path: bytes, form: IdentityFormat) -> list[dict[str, str]]:
        """Raise ValueError when it cannot be read."""


def reading(
    volume: Volume,
    profiles: Sequence[Profile],
    reader: FileReader,
    zone: tzinfo,
    now: Callable[[], datetime],
) -> Callable[[], DeviceReport | None]:
    """Return what reads the status files that these profiles name, to be called once.

    It works on a handle of its own: the volume may be closed while a card that does not
    answer still holds it up.
    """
    handle = os.dup(volume.handle)

    def read() -> DeviceReport | None:
        try:
            paths = list(_files(handle))
        finally:
            os.close(handle)
        found = [
            (profile, status_file, path, match.groupdict())
            for profile in profiles
            for status_file in profile.status_files
            for path in paths
            if (match := status_file.path.fullmatch(path.text))
        ]
        for profile, status_file, path, groups in found[:_MOST_FILES]:
            said = _said(volume.full_path(path), status_file, groups, reader)
            if said:
                return _report(said, profile, zone, now())
        return None

    return read


def _files(root: int) -> Iterator[CardPath]:
    """Yield the regular files of the first levels; no link is followed."""
    names = 0
    device = os.fstat(root).st_dev
    for folder, folders, files, handle in os.fwalk(b".", dir_fd=root):
        here = CardPath(folder.removeprefix(b".").removeprefix(b"/"))
        names += len(folders) + len(files)
        depth = len(here.raw.split(b"/")) if here.raw else 0
        if names > _MOST_NAMES or depth >= _DEEPEST:
            folders.clear()
        folders.sort()
        if os.fstat(handle).st_dev == device:
            for name in sorted(files):
                if _is_regular(name, handle):
                    yield here / name


def _is_regular(name: bytes, folder: int) -> bool:
    try:
        state = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return False
    return stat.S_ISREG(state.st_mode)


def _said(
    path: bytes, status_file: IdentityFile, groups: dict[str, str | None], reader: FileReader
) -> list[tuple[Field, str]]:
    said = [(Field(name), value) for name, value in groups.items() if name in set(Field) and value]
    try:
        facts = reader.identity_facts(path, status_file.format)
    except ValueError:
        return said
    return said + [
        (which, one[key]) for one in facts for key, which in status_file.keys if one.get(key)
    ]


def _report(
    said: list[tuple[Field, str]], profile: Profile, zone: tzinfo, now: datetime
) -> DeviceReport:
    def first(which: Field, understood: Callable[[str], _Value | None]) -> _Value | None:
        values = (understood(text) for field, text in said if field is which)
        return next((value for value in values if value is not None), None)

    return DeviceReport(
        percent=first(Field.BATTERY, reported.percent),
        charging=first(Field.CHARGING, reported.charging),
        clock=first(Field.CLOCK, lambda text: reported.time(text, profile.status_clock, zone)),
        at=now,
        firmware=first(Field.FIRMWARE, reported.name),
        model=first(Field.MODEL, reported.name),
    )
