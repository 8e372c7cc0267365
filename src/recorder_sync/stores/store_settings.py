"""`[[stores]]`: where sealed recordings go, and which of them.

Each store has a table of its kind, and only one. What a kind needs stands in its table; what
all have in common stands beside it. A new kind is a class here, a field of `StoreSettings`
and a line in `kinds.py`.
"""

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, field_validator, model_validator

from recorder_sync.model import Flag, Kind, Recording
from recorder_sync.rules import layout
from recorder_sync.section import AbsolutePath, Section
from recorder_sync.stores.credentials import Secret

if TYPE_CHECKING:  # every command has the settings, few have these rules
    from recorder_sync.stores.store import LockMode

_Text = Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x1f\x7f]+$")]


class DirectoryPlace(Section):
    """A share that is mounted, or a second disk."""

    path: AbsolutePath
    """The folder, on a file system of its own."""
    own_disk: bool = False
    """Whether it may be on a file system of the station itself."""
    immutable: bool = True
    """Set the immutable flag on stored files where file system and rights allow."""

    @property
    def address(self) -> str:
        return str(self.path)


class SftpPlace(Section):
    """A folder at an SSH server."""

    host: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:_-]+$")]
    port: Annotated[int, Field(ge=1, le=65535)] = 22
    user: _Text
    path: _Text
    """The folder there; without / in front below the user's own."""
    host_keys: tuple[str, ...] = ()
    """Public keys that the server may have, such as `ssh-ed25519 AAAA...`."""
    known_hosts: AbsolutePath | None = None
    """A file of them, in the form of sshd(8)."""
    key: Secret | None = None
    """The user's private key."""
    passphrase: Secret | None = None
    """Of the private key."""
    password: Secret | None = None
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 30.0
    """Seconds without an answer after which the server is given up."""

    @field_validator("host_keys")
    @classmethod
    def _are_keys(cls, keys: tuple[str, ...]) -> tuple[str, ...]:
        for key in keys:
            if not re.fullmatch(r"(ssh|ecdsa|sk)-[a-z0-9@.-]+ [A-Za-z0-9+/=]{32,}( .*)?", key):
                raise ValueError("should be public keys, such as ssh-ed25519 AAAA...")
        return keys

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if bool(self.host_keys) == bool(self.known_hosts):
            raise ValueError("should hold one of host_keys and known_hosts")
        if (self.key is None) == (self.password is None):
            raise ValueError("should hold one of key and password")
        return self

    @property
    def address(self) -> str:
        return f"sftp://{self.user}@{self.host}:{self.port}/{self.path}"


class Encryption(StrEnum):
    """Encryption at the server's side (SSE)."""

    STORE_KEY = "AES256"
    KEY_SERVICE = "aws:kms"


class Locking(StrEnum):
    """S3 Object Lock."""

    GOVERNANCE = "governance"
    COMPLIANCE = "compliance"
    NONE = "none"


class AskedChecksum(StrEnum):
    """The checksum that an S3 store has to verify."""

    AUTO = "auto"
    BLAKE3 = "blake3"
    CRC64NVME = "crc64nvme"


class S3Place(Section):
    """A bucket of an object store that speaks S3."""

    bucket: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$")]
    endpoint: Annotated[str, Field(pattern=r"^https://[^\s/?#@]+$")] | None = None
    """Address of the store, `https://`, host and port; None: that of AWS for the region."""
    prefix: Annotated[str, Field(pattern=r"^([A-Za-z0-9_-][A-Za-z0-9._-]*/)*$")] = ""
    """Before every name in the bucket, with `/` at its end."""
    region: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$")] = "us-east-1"
    access_key: Secret
    secret_key: Secret
    session_token: Secret | None = None
    """Of credentials that were lent for a time."""
    ca_file: AbsolutePath | None = None
    """PEM file of the authorities that the server's certificate may be from."""
    lock: Locking = Locking.GOVERNANCE
    """How objects are kept from being deleted; `none`: a store without Object Lock is accepted."""
    checksum: AskedChecksum = AskedChecksum.AUTO
    """The one it has to verify; `auto`: the strongest that it was found to when it was bound."""
    encryption: Encryption | None = None
    encryption_key: _Text | None = None
    """Id of the key at the key service."""
    virtual_host: bool = False
    """The bucket is part of the host's name, not of the path."""
    parts: Annotated[int, Field(ge=1, le=16)] = 3
    """Parts of objects that are sent at the same time; each takes 8 MiB of memory."""
    small_at_once: Annotated[int, Field(ge=1, le=32)] = 8
    """Recordings of up to 64 KiB that are sent at the same time; never fewer than `parallel`."""
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 60.0

    @property
    def address(self) -> str:
        host = self.endpoint or f"https://s3.{self.region}.amazonaws.com"
        return f"{host}/{self.bucket}/{self.prefix}"

    @property
    def lock_mode(self) -> "LockMode | None":
        from recorder_sync.stores.store import LockMode

        return None if self.lock is Locking.NONE else LockMode(self.lock.value)


class StoreSettings(Section):
    """One evidence store."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")]
    directory: DirectoryPlace | None = None
    sftp: SftpPlace | None = None
    s3: S3Place | None = None
    layout: str = layout.DEFAULT
    """What recordings are called there."""
    parallel: Annotated[int, Field(ge=1, le=32)] = 2
    """Objects of any size that are sent at the same time."""
    kinds: tuple[Kind, ...] = ()
    """Only recordings of these kinds; none: all."""
    flags: tuple[Flag, ...] = ()
    """Only recordings with one of these flags; none: all."""
    cases: tuple[str, ...] = ()
    """Only recordings of these cases; none: all."""
    needed_for_clearing: bool = True
    """A card is cleared of a recording only when this store has confirmed it."""
    needed_for_deadline: bool = False
    """A recording counts as stored (Art. 21) only when this store has confirmed it."""
    read_back_percent: Annotated[float, Field(ge=0, le=100)] = 100.0
    """Part of the objects that are read back whole where the store keeps no checksum."""
    look_again_percent: Annotated[float, Field(ge=0, le=100)] = 1.0
    """Part of the confirmed copies that is looked at again each night."""
    send_lost_again: bool = True
    """Send by itself again what the store has lost; else a person has to ask for it."""

    @field_validator("layout")
    @classmethod
    def _is_layout(cls, template: str) -> str:
        return layout.checked(template)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if sum(one is not None for one in (self.directory, self.sftp, self.s3)) != 1:
            raise ValueError("should hold one table of directory, sftp and s3")
        return self

    @property
    def place(self) -> DirectoryPlace | SftpPlace | S3Place:
        place = self.directory or self.sftp or self.s3
        assert place is not None
        return place

    @property
    def kind(self) -> str:
        """`directory`, `sftp` or `s3`."""
        return next(kind for kind in ("directory", "sftp", "s3") if getattr(self, kind))

    @property
    def lock_mode(self) -> "LockMode | None":
        """How the store keeps objects from being deleted; None: it does not."""
        return self.s3.lock_mode if self.s3 else None

    def takes(self, recording: Recording) -> bool:
        """Tell whether a recording goes to this store."""
        case = recording.tags.case.value if recording.tags.case else None
        return (
            (not self.kinds or recording.kind in self.kinds)
            and (not self.flags or bool(recording.flags & set(self.flags)))
            and (not self.cases or case in self.cases)
        )


def each_once(stores: tuple[StoreSettings, ...]) -> tuple[StoreSettings, ...]:
    """Return the stores. Raises ValueError where two have one name or one place."""
    if len({one.name for one in stores}) != len(stores):
        raise ValueError("should have a name of its own for each")
    if len({one.place.address for one in stores}) != len(stores):
        raise ValueError("should have a place of its own for each")
    return stores
