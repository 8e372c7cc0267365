"""The kinds of stores, one line each: what is loaded for a store that the settings name.

A kind is loaded only where a store of it is: a station without an object store does not load
what speaks S3.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from recorder_sync.errors import MissingPart
from recorder_sync.stores.store import Store, StoreProblem, Trouble
from recorder_sync.stores.store_settings import AskedChecksum, StoreSettings


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a store is told of the station."""

    own: tuple[Path, ...]
    """Folders whose file systems are the station's own."""
    bound: Mapping[str, str] = field(default_factory=dict)
    """Facts that the store was bound with; empty: it is not bound."""


def open_store(settings: StoreSettings, surroundings: Surroundings) -> Store:
    """Return the store of these settings; it is not asked anything yet."""
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


def _s3(settings: StoreSettings, _surroundings: Surroundings) -> Store:
    from recorder_sync.stores.s3 import S3Store
    from recorder_sync.stores.s3_connection import Encryption, S3Address, S3Credentials
    from recorder_sync.stores.s3_sums import Checksum

    place = settings.s3
    assert place is not None

    def credentials() -> S3Credentials:
        try:
            token = place.session_token.read() if place.session_token else None
            return S3Credentials(place.access_key.read(), place.secret_key.read(), token)
        except MissingPart as missing:
            raise StoreProblem(Trouble.REFUSED, missing.text, missing.hint) from missing

    address = S3Address(
        place.endpoint,
        place.bucket,
        place.region,
        place.prefix,
        path_style=not place.virtual_host,
        ca_file=place.ca_file,
        encryption=Encryption(place.encryption.value) if place.encryption else None,
        encryption_key=place.encryption_key,
        patience_s=place.timeout_s,
    )
    return S3Store(
        settings.name,
        address,
        credentials,
        lock_mode=place.lock_mode,
        parallel=place.parts,
        checksum=None if place.checksum is AskedChecksum.AUTO else Checksum(place.checksum.value),
    )


_KINDS: dict[str, Callable[[StoreSettings, Surroundings], Store]] = {
    "directory": _directory,
    "sftp": _sftp,
    "s3": _s3,
}
