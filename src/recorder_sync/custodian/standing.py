"""How a device stands: where it is, what was last measured, whether it may go out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlite_utils.db import Database

from recorder_sync.catalogue import device_events, dockings, ledger
from recorder_sync.catalogue.dockings import Docking, DockingOutcome
from recorder_sync.config import Readiness
from recorder_sync.errors import NotFound
from recorder_sync.language import T
from recorder_sync.model import Device, Health, ItemOutcome
from recorder_sync.rules.docking import has_ended
from recorder_sync.rules.readiness import Facts, Verdict, readiness
from recorder_sync.rules.whereabouts import Whereabouts, whereabouts


@dataclass(frozen=True, slots=True)
class Standing:
    device: Device
    where: Whereabouts
    docked: tuple[Docking, ...]
    """Its stays on a port just now, one for each of its cards; the newest first."""


def registered(db: Database, number: str) -> Device:
    """Return a device of the ledger. Raises NotFound, also for one that was only seen."""
    device = ledger.device(db, number)
    if device is None:
        raise NotFound(
            T("There is no device {number}.", number=number),
            T("recorder-sync devices list shows them."),
        )
    if device.registered_at is None:
        raise NotFound(
            T("Device {number} was only seen, and is not registered.", number=number),
            T("Register it: recorder-sync devices add {number}", number=number),
        )
    return device


def standings(db: Database) -> list[Standing]:
    """Return every device, registered or only seen, by number."""
    docked, events = docked_now(db), device_events.telling_events(db)
    return [
        Standing(
            device,
            whereabouts(events.get(device.number, ())),
            docked.get(device.number, ()),
        )
        for device in ledger.devices(db)
    ]


def standing_of(db: Database, number: str) -> Standing:
    """Return how one device stands, registered or only seen. Raises NotFound."""
    device = ledger.device(db, number)
    return _standing(db, device or registered(db, number), docked_now(db))


def _standing(db: Database, device: Device, docked: Mapping[str, tuple[Docking, ...]]) -> Standing:
    events = device_events.telling_events(db, device.number).get(device.number, ())
    return Standing(device, whereabouts(events), docked.get(device.number, ()))


def docked_now(db: Database) -> dict[str, tuple[Docking, ...]]:
    """Return the stays that nobody saw the end of, by device, the newest first."""
    found: dict[str, tuple[Docking, ...]] = {}
    for identifier, stay in reversed(dockings.open_stays(db).items()):
        docking = dockings.docking(db, identifier)
        if docking.identity.device and not has_ended(stay):
            earlier = found.get(docking.identity.device, ())
            found[docking.identity.device] = (*earlier, docking)
    return found


def check(db: Database, standing: Standing, limits: Readiness) -> tuple[Verdict, Docking | None]:
    """Say whether a device may go out (Art. 22), and at which docking it was last measured."""
    newest = next(iter(dockings.list_dockings(db, standing.device.number, 1)), None)
    facts = Facts(
        health=_health(newest),
        open_faults=tuple(fault.what for fault in standing.where.open_faults),
        unsealed=_unsealed([newest, *standing.docked] if newest else standing.docked),
        state=standing.where.state,
    )
    return readiness(facts, limits), newest


def _health(docking: Docking | None) -> Health:
    if docking is None:
        return Health()
    health = docking.health or Health()
    return replace(health, storage=health.storage or docking.storage)


def _unsealed(found: Sequence[Docking]) -> int | None:
    """Count the recordings that were on the device then and are not sealed.

    None when there was no docking, or one of which nobody knows what was on the card.
    """
    counts = [_not_in(docking) for docking in {one.id: one for one in found}.values()]
    known = sum(count for count in counts if count is not None)
    is_known = bool(counts) and None not in counts
    return known if is_known or known else None


def _not_in(docking: Docking) -> int | None:
    taken_in = docking.outcome in {DockingOutcome.DONE, DockingOutcome.PROBLEMS}
    if not taken_in and not docking.counts.get("inventory"):
        return None
    return docking.counts.get("missing", 0) + docking.counts.get(ItemOutcome.FAILED, 0)
