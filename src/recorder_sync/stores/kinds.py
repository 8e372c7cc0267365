"""The kinds of stores, one line each: what is loaded for a store that the settings name.

A kind is loaded only where a store of it is: a station without an object store does not load
what speaks S3.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from recorder_sync.stores.store import Store
from recorder_sync.stores.store_settings import StoreSettings


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a store is told of the station."""

    own: tuple[Path, ...]
    """Folders whose file systems are the station's own."""
    bound: Mapping[str, str] = field(default_factory=dict)
    """Facts that the store was bound with; empty: it is not bound."""


def open_store(settings: StoreSettings, surroundings: Surroundings) -> Store:
    """Return the store of these settings; it is not asked anything yet.

    Raises MissingPart where a secret or a part of the product is not there.
    """
    return _KINDS[settings.kind](settings, surroundings)


def _directory(settings: StoreSettings, surroundings: Surroundings) -> Store:
    from recorder_sync.stores.directory import DirectoryStore

    place = settings.directory
    assert place is not None
    own = () if place.own_disk else surroundings.own
    return DirectoryStore(settings.name, place.path, own, immutable=place.immutable)


def _sftp(settings: StoreSettings, _surroundings: Surroundings) -> Store:
    from recorder_sync.stores.sftp import SftpStore

    assert settings.sftp is not None
    return SftpStore(settings.name, settings.sftp)


_KINDS: dict[str, Callable[[StoreSettings, Surroundings], Store]] = {
    "directory": _directory,
    "sftp": _sftp,
}
