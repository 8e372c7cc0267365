"""The nouns: facts that the parts hand to each other. No I/O, no clock.

The words are those of the glossary in `docs/glossary.md`. Times are aware
datetimes in UTC, sizes are bytes, durations seconds.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from recorder_sync.language import Text
from recorder_sync.media_facts import Flag as Flag  # noqa: PLC0414 - found here with the others
from recorder_sync.media_facts import Kind as Kind  # noqa: PLC0414
from recorder_sync.media_facts import Media as Media  # noqa: PLC0414
from recorder_sync.media_facts import Position as Position  # noqa: PLC0414
from recorder_sync.printable import printable
from recorder_sync.rules.access import Secrecy

_HEX = frozenset("0123456789abcdef")

UNASSIGNED = "unassigned"
"""The folder and name of what no device number is known for."""


class Source(StrEnum):
    """Where a tag's value comes from, best first (`rules/tagging.py`)."""

    PERSON = "person"
    NAME = "name"
    CONTAINER = "container"
    SIDECAR = "sidecar"
    LEDGER = "ledger"
    CALENDAR = "calendar"


class TimeSource(StrEnum):
    """Where a recording's start comes from, best first (`rules/recorded_time.py`)."""

    CONTAINER = "container"
    NAME = "name"
    MTIME = "mtime"


class IdentityState(StrEnum):
    """What the device ledger says of the device that a card names."""

    KNOWN = "known"
    UNKNOWN = "unknown"
    CONFLICT = "conflict"


class ItemOutcome(StrEnum):
    """What became of one file of a card's inventory."""

    SEALED = "sealed"
    ALREADY_SEALED = "already-sealed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, order=True)
class CardPath:
    """A path below a card's root, as the exact bytes found there.

    Names on a card may be any bytes but NUL. They are kept exactly, and shown in a
    form that can neither fool a terminal nor break a line.
    """

    raw: bytes

    @property
    def name(self) -> "CardPath":
        return CardPath(self.raw.rsplit(b"/", 1)[-1])

    @property
    def text(self) -> str:
        """The name for rules and JSON; bytes that are not UTF-8 show as U+FFFD."""
        return self.raw.decode("utf-8", "replace")

    @property
    def shown(self) -> str:
        """The name for a screen: control and unprintable characters as escapes."""
        return printable(self.text)

    @property
    def base64(self) -> str | None:
        """The exact bytes, for JSON, where they are not UTF-8; otherwise None."""
        try:
            self.raw.decode("utf-8")
        except UnicodeDecodeError:
            return base64.b64encode(self.raw).decode()
        return None

    def __truediv__(self, name: bytes) -> "CardPath":
        return CardPath(self.raw + b"/" + name if self.raw else name)


@dataclass(frozen=True, slots=True)
class Claim:
    """One source's word for a tag."""

    value: str
    source: Source
    detail: str


@dataclass(frozen=True, slots=True)
class Tag:
    """The value that was used, where it came from, and what others said."""

    value: str
    source: Source
    detail: str
    others: tuple[Claim, ...] = ()

    @property
    def in_conflict(self) -> bool:
        return bool(self.others)


@dataclass(frozen=True, slots=True)
class Tags:
    device: Tag | None = None
    officer: Tag | None = None
    case: Tag | None = None


@dataclass(frozen=True, slots=True)
class Officer:
    cert_no: str
    name: str | None = None
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    number: str
    party: str | None = None
    cause: str | None = None
    closed_on: date | None = None
    """When the enforcement ended; the archive counts from here (Art. 26)."""
    secrecy: Secrecy = Secrecy.NONE
    """Of all its recordings (Art. 25), beside what each of them is marked with."""


@dataclass(frozen=True, slots=True)
class UsbIdentity:
    """What a USB device says of itself in its descriptors; hexadecimal, lower case."""

    vendor: str
    product: str
    serial: str | None
    """None: it has none, so it cannot be told from others of its model."""

    @classmethod
    def parse(cls, text: str) -> "UsbIdentity":
        """Read `vendor:product` or `vendor:product:serial`. Raises ValueError."""
        vendor, product, serial = (*text.split(":", 2), None)[:3]
        if not all(part and len(part) == 4 and set(part) <= _HEX for part in (vendor, product)):
            raise ValueError("should be vendor:product:serial, such as 0781:5581:4C530001")
        return cls(str(vendor), str(product), serial or None)

    def __str__(self) -> str:
        return f"{self.vendor}:{self.product}" + (f":{self.serial}" if self.serial else "")


@dataclass(frozen=True, slots=True)
class Device:
    number: str
    kind: str | None = None
    maker: str | None = None
    model: str | None = None
    officer: str | None = None
    """Certificate number of the officer the device is given to."""
    registered_at: datetime | None = None
    """None: seen on a card, but not in the ledger."""
    custodian: str | None = None
    """Who keeps it (Art. 22)."""
    features: tuple[str, ...] = ()
    """Such as night vision or positioning (Art. 29)."""
    usb: UsbIdentity | None = None
    fs_uuids: tuple[str, ...] = ()
    """File systems of its memory and its cards."""


@dataclass(frozen=True, slots=True)
class Digests:
    blake3: str
    sha256: str
    sm3: str | None = None
    """Where the configuration asks for it (GB/T 32905)."""


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """Bytes of a file, from `offset` on."""

    offset: int
    length: int

    @property
    def end(self) -> int:
        return self.offset + self.length


@dataclass(frozen=True, slots=True)
class RecordedTime:
    """When a recording was made, by which source, and what each source said."""

    start: datetime
    end: datetime | None
    source: TimeSource
    raw: Mapping[str, str]
    flags: frozenset[Flag] = frozenset()


@dataclass(frozen=True, slots=True)
class Recording:
    """One media file as the device made it, sealed in the evidence store."""

    id: str
    docking: str
    kind: Kind
    original_path: CardPath
    mtime_ns: int
    path: str
    """Below the evidence folder."""
    size: int
    digests: Digests
    recorded: RecordedTime
    media: Media
    tags: Tags
    officer_name: str | None
    flags: frozenset[Flag]
    sealed_at: datetime
    deadline: datetime
    on_time: bool
    read_back: str
    """How the copy was read back (`ingest/readback.py`)."""
    resumed_at: int | None = None
    """Bytes that were copied at an earlier docking; None: copied in one go."""
    missing: tuple[Range, ...] = ()
    """Of a salvage copy: what could not be read, and is zeros here."""

    @property
    def device(self) -> str:
        return self.tags.device.value if self.tags.device else UNASSIGNED


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes on the card."""

    total: int
    used: int
    free: int


@dataclass(frozen=True, slots=True)
class Battery:
    percent: int
    source: str
    """Where the value comes from, such as `sysfs` or `gphoto2`."""
    charging: bool | None = None


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """How far the device's clock is ahead of the station's, in seconds."""

    seconds: float
    source: str


class FileSystemState(StrEnum):
    CLEAN = "clean"
    DIRTY = "dirty"
    """It was not unmounted cleanly, or says that it has errors."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a check at a docking found; what could not be asked is None."""

    battery: Battery | None = None
    storage: Storage | None = None
    clock: ClockOffset | None = None
    file_system: FileSystemState | None = None
    firmware: str | None = None
    maker: str | None = None
    model: str | None = None
    read_errors: int = 0
    """Recordings of this docking that could not be read whole."""
    firmware_source: str | None = None
    model_source: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """Which device a card belongs to, who says so, and what the ledger says of it."""

    device: str | None
    source: Source | None
    state: IdentityState
    claims: tuple[Claim, ...] = ()


class AlertKind(StrEnum):
    """What kind of matter is open."""

    REMOVED_EARLY = "removed-early"
    DEVICE_HELD = "device-held"
    IDENTITY_CONFLICT = "identity-conflict"
    NOT_TAKEN_IN = "not-taken-in"
    """Something of a docking is not sealed, and waiting does not help."""
    BACKUP_FAILED = "backup-failed"
    VERIFICATION_FINDING = "verification-finding"
    """Something is not as it was sealed."""
    VERIFICATION_BEHIND = "verification-behind"
    """Not everything can be re-read within the days that are set."""
    STATION = "station"
    """The station itself: its disks, its configuration."""
    OUTSTANDING = "outstanding"
    """Recordings that are not stored, near or past their limit (Art. 21)."""
    BACK_DATED_DEFERRAL = "back-dated-deferral"
    DEVICE_OVERDUE = "device-overdue"
    NOT_DOCKED = "not-docked"
    NO_RECORDING = "no-recording"
    """Enforcement that no recording shows."""
    COVERAGE_HOLE = "coverage-hole"
    """Enforcement to be recorded in full that is not (Art. 17)."""
    GAP = "gap"
    """An interruption that nobody explained (Art. 20)."""
    SEQUENCE_HOLE = "sequence-hole"
    DELETED_BEFORE_INGEST = "deleted-before-ingest"
    WRONG_DATE = "wrong-date"
    CLOCK_OFF = "clock-off"
    BATTERY_FAILING = "battery-failing"
    STORAGE_NEARLY_FULL = "storage-nearly-full"
    READ_ERRORS = "read-errors"
    FILE_SYSTEM_DAMAGE = "file-system-damage"
    EVIDENCE_DISK = "evidence-disk"
    STORE_UNREACHABLE = "store-unreachable"
    STORE_STOPPED = "store-stopped"
    """Nothing is sent to a store before somebody mends it."""
    QUEUE_WAITS = "queue-waits"
    COPY_DIFFERS = "copy-differs"
    """A store has not what was sealed: it lost it, changed it, or never had it."""
    LOCK_NOT_KEPT = "lock-not-kept"
    """A store lets be deleted what it should keep, by a legal hold or for a time."""
    NOT_WITNESSED = "not-witnessed"
    RESTARTED = "restarted"
    """By the watchdog, because it hung."""
    CLOCK_STEPPED = "clock-stepped"
    CLOCK_NOT_SYNCHRONISED = "clock-not-synchronised"
    FFPROBE = "ffprobe"
    """The program that describes recordings is older than the distribution's, or broken."""
    WATCH_FAILING = "watch-failing"
    """Something cannot be watched just now."""
    CHANNEL_DEAD = "channel-dead"
    """Messages go out by it no more."""
    MESSAGE_GIVEN_UP = "message-given-up"
    """A channel did not take it for days."""


@dataclass(frozen=True, slots=True)
class Alert:
    """An open matter that somebody must handle."""

    kind: AlertKind
    text: Text
    hint: Text
    raised_at: datetime
    device: str | None = None
    docking: str | None = None
