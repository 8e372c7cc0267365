"""An intake's report: what was found on a card, and what came of each file."""

from dataclasses import dataclass, field
from datetime import datetime

from recorder_sync.ingest.arrival import Arrival
from recorder_sync.ingest.inventory import Item
from recorder_sync.ingest.seal import Brief, Outcome
from recorder_sync.model import (
    Identity,
    IdentityState,
    ItemOutcome,
    Storage,
)
from recorder_sync.rules.docking import Stay

_IN = frozenset({ItemOutcome.SEALED, ItemOutcome.ALREADY_SEALED})


@dataclass(slots=True)
class Report:
    """What came of an intake."""

    docking: str
    source: str
    """The folder the card was mounted at, in a form to show."""
    port: str | None
    identity: Identity
    storage: Storage | None
    started_at: datetime
    items: list[Item]
    arrival: Arrival | None = None
    """None: a person asked for this folder; it is on no port that is watched."""
    outcomes: list[Outcome] = field(default_factory=list)
    stopped: bool = False

    def of(self, what: ItemOutcome) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.what is what]

    @property
    def sealed(self) -> list[Brief]:
        """In the order in which they were sealed."""
        return [o.recording for o in self.of(ItemOutcome.SEALED) if o.recording]

    @property
    def recordings(self) -> list[Item]:
        """What of the inventory is a recording, or may be one."""
        return [item for item in self.items if item.skipped is None]

    @property
    def not_in(self) -> list[Item]:
        """Recordings that are not sealed, for whatever reason."""
        sealed = {o.path for o in self.outcomes if o.what in _IN}
        return [item for item in self.recordings if item.path not in sealed]

    @property
    def undone(self) -> list[Item]:
        """Recordings of which nothing is known yet: neither sealed nor failed."""
        known = {outcome.path for outcome in self.outcomes}
        return [item for item in self.recordings if item.path not in known]

    @property
    def stay(self) -> Stay:
        """What is shown of the device when this intake has ended and it is still there."""
        if self.not_in:
            return Stay.NEEDS_CUSTODIAN
        in_conflict = self.identity.state is IdentityState.CONFLICT
        if in_conflict or self.in_conflict or self.replacing or self.late:
            return Stay.SAFE_WITH_PROBLEMS
        return Stay.SAFE

    @property
    def late(self) -> list[Brief]:
        return [recording for recording in self.sealed if not recording.on_time]

    @property
    def in_conflict(self) -> list[Brief]:
        return [recording for recording in self.sealed if recording.in_conflict]

    @property
    def replacing(self) -> list[Brief]:
        return [recording for recording in self.sealed if recording.is_replacing]

    @property
    def needs_person(self) -> bool:
        return bool(
            not self.items
            or self.of(ItemOutcome.FAILED)
            or self.late
            or self.in_conflict
            or self.replacing
            or self.stopped
        )
