"""A store that evidence is forwarded to: what every kind of store offers.

The engine in `forward/` knows nothing of S3 or SFTP. It asks a store to take one object,
and then asks the store itself what it has. Only what the store says afterwards counts: a
receipt is not a confirmation.

A kind of store is one module beside this one and one line in `kinds.py`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from recorder_sync.errors import RecorderSyncError
from recorder_sync.language import T, Text
from recorder_sync.model import Digests


class LockMode(StrEnum):
    """How a store keeps an object from being deleted before its time (S3 Object Lock)."""

    GOVERNANCE = "governance"
    """Somebody with a special right may lift it."""
    COMPLIANCE = "compliance"
    """Nobody may, not even the store's owner."""


@dataclass(frozen=True, slots=True)
class Lock:
    """What is asked for, or what a store says that it keeps."""

    mode: LockMode | None = None
    until: datetime | None = None
    hold: bool = False
    """Legal hold: kept until it is lifted, whatever `until` says."""

    def covers(self, wanted: "Lock") -> bool:
        """Tell whether this keeps an object at least as well as `wanted` asks."""
        if wanted.hold and not self.hold:
            return False
        if wanted.until is None:
            return True
        strong = wanted.mode is not LockMode.COMPLIANCE or self.mode is LockMode.COMPLIANCE
        return (
            strong
            and self.mode is not None
            and self.until is not None
            and (self.until >= wanted.until)
        )


NO_LOCK = Lock()


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One object to be stored."""

    key: str
    """Its name in the store, by the layout of the settings; relative, with `/`."""
    size: int
    digests: Digests | None
    """As sealed; None for what is no recording and may grow no more, such as a checkpoint."""
    lock: Lock = NO_LOCK
    facts: Mapping[str, str] = field(default_factory=dict)
    """ASCII names and values that a store may keep beside the object."""


class Source(Protocol):
    """The bytes of one object, read from its start to its end once, and hashed meanwhile."""

    def read(self, size: int) -> bytes:
        """Return the next `size` bytes, fewer only at the end.

        Waits where the line's bandwidth asks for it. Raises SourceChanged where the file
        is not as it was sealed, at the latest when its end is read, and Interrupted when
        the process is to stop.
        """


class FillingSource(Source, Protocol):
    """A source that spares those who have memory for its bytes the copying.

    Not every source is one.
    """

    def read_into(self, buffer: memoryview) -> int:
        """Fill a buffer with the next bytes, or with fewer at the end; return how many.

        It waits and raises as `read` does.
        """


class Course(Protocol):
    """How an upload goes, put on record so that it can go on after a restart."""

    @property
    def resume(self) -> str | None:
        """What `note` was last given for this object and store; None: nothing."""

    def note(self, resume: str) -> None:
        """Keep this, synced, before anything relies on it. Raises Interrupted."""

    def sent(self, size: int) -> None:
        """So many more bytes have arrived."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a store answered when it had taken everything."""

    version: str | None = None
    """The store's name for this very content under this key."""
    checksums: Mapping[str, str] = field(default_factory=dict)
    """Over what we sent, computed here, named as in `Stored.checksums`: kept to compare with
    what the store says, then and later. Empty where it keeps none but those of the seal."""
    said: "Stored | None" = field(default=None, compare=False)
    """What the store said when it was asked for the object afterwards; None: it was not asked."""


@dataclass(frozen=True, slots=True)
class Stored:
    """What a store says, when asked, of an object that it has."""

    key: str
    size: int
    version: str | None = None
    checksums: Mapping[str, str] = field(default_factory=dict)
    """Over the whole object, by algorithm (`sha256`, `crc64nvme`, `blake3`), in
    hexadecimal; empty where the store keeps none. Only what the store computed itself,
    never what we told it."""
    lock: Lock = NO_LOCK
    stored_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """An upload that was begun and is not done: it costs room and shows up nowhere."""

    key: str
    id: str
    begun_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoreIdentity:
    """Which store this is: compared each time before anything is sent."""

    address: str
    """Without a secret, for people."""
    facts: Mapping[str, str]
    """Such as the bucket's owner, the host key's fingerprint, the marker's id."""


class Verdict(StrEnum):
    GOOD = "good"
    DOUBTFUL = "doubtful"
    """It works, with less protection than it could have."""
    BAD = "bad"
    """Nothing may be sent."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that `stores check` looked at."""

    verdict: Verdict
    text: Text
    hint: Text | None = None


class Trouble(StrEnum):
    """What a failure means for what comes next."""

    TRANSIENT = "transient"
    """The network or the store is away or overloaded: again later, the whole store."""
    OBJECT = "object"
    """Only this object; the others go on."""
    FULL = "full"
    REFUSED = "refused"
    """Credentials, rights, settings: a person has to act."""
    WRONG_PLACE = "wrong-place"
    """It is not the store that was bound: nothing is sent."""


class StoreProblem(RecorderSyncError):
    """A store could not do what it was asked; `text` has what the server said."""

    exit_code = 3

    def __init__(
        self,
        trouble: Trouble,
        text: Text,
        hint: Text | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(text, hint)
        self.trouble = trouble
        self.retry_after_s = retry_after_s
        """Seconds that the store asked to wait."""

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.trouble, self.text, self.hint, self.retry_after_s)


class CopyDiffers(StoreProblem):
    """A store has something else under a key than was sealed: a finding."""

    def __init__(self, store: str, key: str, what: Text, hint: Text | None = None) -> None:
        text = T("{store}: {key} is not what was sealed: {what}.", store=store, key=key, what=what)
        super().__init__(Trouble.OBJECT, text, hint)
        self.store = store
        self.key = key
        self.what = what

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.store, self.key, self.what, self.hint)


class SourceChanged(RecorderSyncError):
    """The file in the evidence folder is not as it was sealed: a finding; it is not stored."""


class Interrupted(RecorderSyncError):
    """The process is to stop; the upload goes on at the next start."""


class Store(Protocol):
    """One store of the settings. Methods raise StoreProblem, and nothing else of their own."""

    name: str

    def check(self, now: datetime) -> Iterator[Check]:
        """Try everything that an upload needs, and say plainly what is and what is not so."""

    def identity(self) -> StoreIdentity:
        """Return which store this is at this moment."""

    def bind(self, station: str) -> StoreIdentity:
        """Put the marker there where there is none, and return which store this is now."""

    def send(self, item: Outgoing, source: Callable[[], Source], course: Course) -> Receipt:
        """Store an object, going on where an earlier try stopped.

        `source` opens the file at its start. Nothing is visible under the key before
        everything has arrived and the end of the source was read without SourceChanged.
        The same object again makes no second copy.
        """

    def finds_out(self, item: Outgoing) -> bool:
        """Tell whether `send` finds out by the sending itself that the object is there already,
        so that to look before would only be one more question."""

    def look(self, key: str, version: str | None = None) -> Stored | None:
        """Return what the store says of an object; None: it has none."""

    def read(self, key: str, version: str | None = None) -> Iterator[bytes]:
        """Yield an object's bytes as the store gives them back."""

    def lock(self, key: str, version: str | None, lock: Lock) -> None:
        """Keep an object at least as long as `lock` says, and hold or release it."""

    def keys(self, prefix: str = "") -> Iterator[str]:
        """Yield the keys of all objects under a prefix, in order."""

    def unfinished(self) -> Iterator[Unfinished]:
        """Yield the uploads that were begun and are not done."""

    def abandon(self, one: Unfinished) -> None:
        """Give an unfinished upload up."""

    def close(self) -> None:
        """Give connections back."""
