"""The station's backups: a catalogue for each day, and one copy of the custody log.

    <backups>/catalogue-<date>T<time>.db    the station's local time; the newest few are kept
    <backups>/custody/                      the log, its checkpoints, what others check with

The catalogue is copied first: the log's copy then has every entry that the catalogue's
copy knows. The key that signs checkpoints is not among them: who has a copy of it can
sign in the station's name.
"""

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from recorder_sync.catalogue.backup import PART, copy_catalogue
from recorder_sync.catalogue.database import FILE_NAME, files_of
from recorder_sync.config import Configuration
from recorder_sync.custody.copy import extend_copy, size_to_copy
from recorder_sync.custody.log import Act
from recorder_sync.durable import exclusive, make_folders, sync_folder
from recorder_sync.errors import MissingPart, UsageProblem, os_reason
from recorder_sync.language import T
from recorder_sync.on_record import put
from recorder_sync.rules.backup_time import is_due
from recorder_sync.station import Station

_NAME = re.compile(r"catalogue-(\d{8}T\d{6})\.db")
_TIME = "%Y%m%dT%H%M%S"
_MIB = 1 << 20


def is_backup_due(settings: Configuration, now: datetime) -> bool:
    """Tell whether today's is still to be made. Raises OSError."""
    zone, wanted = settings.station.zone, settings.backup
    if not wanted.keep:
        return False
    return is_due(_times(settings), now.astimezone(zone), wanted.at)


def newest_backup(settings: Configuration) -> datetime | None:
    """Return when the newest that is there was made, in UTC. Raises OSError."""
    newest = max(_times(settings), default=None)
    return newest.astimezone(UTC) if newest else None


class Backups:
    """The folder of one station's backups."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._folder = station.settings.backup_folder
        self._catalogue = station.settings.paths.state / FILE_NAME
        self._custody = station.settings.paths.state / "custody"

    def make(self, goes_on: Callable[[], bool] = lambda: True) -> Path:
        """Make one now, put on record before its first byte; return the catalogue's copy.

        Raises BackupStopped when `goes_on` says no, MissingPart, CatalogueProblem,
        CustodyProblem.
        """
        try:
            make_folders(self._folder, 0o700)
            with exclusive(self._folder / "lock"):
                for left in self._folder.glob(f"catalogue-*.db{PART}*"):
                    left.unlink()
                to = self._folder / f"catalogue-{self._local_time()}.db"
                copy_of_log = self._folder / "custody"
                self._refuse_a_full_disk(
                    self._folder, size_to_copy(self._station.custody, copy_of_log)
                )
                self._put_on_record(to)
                copy_catalogue(self._catalogue, to, goes_on)
                extend_copy(self._station.custody, self._custody, copy_of_log, goes_on)
                self._remove_old()
                return to
        except OSError as error:
            raise _impossible(self._folder, error) from error

    def make_file(self, to: Path) -> int:
        """Copy the catalogue alone into the new file `to`; return its size in bytes.

        Raises UsageProblem when something has this name, or it is in the evidence folder,
        MissingPart, CatalogueProblem.
        """
        to = to.resolve()
        if to.exists():
            raise UsageProblem(
                T("{path} is already there.", path=to), T("Give the name of a new file.")
            )
        if to.is_relative_to(self._station.evidence.root.resolve()):
            raise UsageProblem(
                T("{folder} is inside the evidence folder.", folder=to.parent),
                T("Give a file outside it."),
            )
        try:
            self._refuse_a_full_disk(to.parent, 0)
            self._put_on_record(to)
            return copy_catalogue(self._catalogue, to)
        except OSError as error:
            raise _impossible(to.parent, error) from error

    def _local_time(self) -> str:
        return f"{self._station.now().astimezone(self._station.settings.station.zone):{_TIME}}"

    def _put_on_record(self, to: Path) -> None:
        facts = {"what": "catalogue", "to": str(to), "by": None, "reason": "backup"}
        put(self._station, [self._station.deed(Act.EXPORT, FILE_NAME, facts)])

    def _refuse_a_full_disk(self, folder: Path, beside: int) -> None:
        """Refuse what would take the space that the custody log needs to go on."""
        files = [path for path in files_of(self._catalogue) if path.exists()]
        needed = sum(path.stat().st_size for path in files) + beside
        reserve = self._station.settings.ingest.reserve_mib * _MIB
        if shutil.disk_usage(folder).free - needed < reserve:
            raise MissingPart(
                T("There is too little space in {folder} for a backup.", folder=folder),
                T("Free space there, keep fewer (backup.keep), or set backup.folder to a disk."),
            )

    def _remove_old(self) -> None:
        keep = self._station.settings.backup.keep
        for found in _made(self._folder)[:-keep] if keep else ():
            (self._folder / found[0]).unlink()
        sync_folder(self._folder)


def _times(settings: Configuration) -> list[datetime]:
    zone = settings.station.zone
    return [
        datetime.strptime(found[1], _TIME).replace(tzinfo=zone)
        for found in _made(settings.backup_folder)
    ]


def _made(folder: Path) -> list[re.Match[str]]:
    """Return the names of the backups that there are, oldest first."""
    if not folder.is_dir():
        return []
    names = sorted(path.name for path in folder.iterdir())
    return [found for name in names if (found := _NAME.fullmatch(name))]


def _impossible(folder: Path, error: OSError) -> MissingPart:
    return MissingPart(
        T("No backup can be made in {folder}: {why}.", folder=folder, why=os_reason(error)),
        T("Check that the disk is mounted and that this user may write there."),
    )
