"""The same month, asked of the rules: facts are gathered here from what happened."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import chain

from recorder_sync.model import (
    Battery,
    ClockOffset,
    FileSystemState,
    Health,
    IdentityState,
    RecordedTime,
    Storage,
    TimeSource,
)
from recorder_sync.rules import (
    continuity,
    coverage,
    deadline,
    device_matters,
    outstanding,
    overdue_device,
    sequence,
)
from recorder_sync.rules.matter import Matter
from recorder_sync.rules.whereabouts import DeviceEvent, Happening as Did, whereabouts
from tests.month import happenings as told
from tests.month.happenings import File, Happening, Plugged


def file_of(f: File) -> sequence.File:
    return sequence.File(f.name, f.size, int(f.mtime.timestamp() * 10**9))


@dataclass
class Asked:
    registered: dict[str, datetime] = field(default_factory=dict)
    events: dict[str, list[DeviceEvent]] = field(default_factory=dict)
    plugs: dict[str, tuple[datetime, Plugged]] = field(default_factory=dict)
    ended: dict[str, datetime] = field(default_factory=dict)
    failed: dict[str, int] = field(default_factory=dict)
    seen: dict[tuple[str, str], tuple[datetime, str, File]] = field(default_factory=dict)
    listed: list[sequence.Listed] = field(default_factory=list)
    sealed: dict[str, tuple[str, File]] = field(default_factory=dict)
    deferrals: dict[str, deadline.Deferral] = field(default_factory=dict)
    shifts: dict[str, list[overdue_device.Shift]] = field(default_factory=dict)
    expected: dict[str, coverage.Expected] = field(default_factory=dict)
    taken_in: set[str] = field(default_factory=set)
    gaps: list[continuity.GapExplanation] = field(default_factory=list)
    seq: int = 0

    def live(self, h: Happening) -> None:
        at, what = h.at, h.what
        match what:
            case told.Registered(device):
                self.registered[device] = at
            case told.Moved(device, did, officer):
                self.seq += 1
                self.events.setdefault(device, []).append(
                    DeviceEvent(device, at, Did(did), "x", self.seq, officer)
                )
            case Plugged():
                self.plugs[what.docking] = (at, what)
                for f in what.files:
                    self.seen[(what.docking, f.recording)] = (at, what.docking, f)
                    self.listed.append(
                        sequence.Listed(f.device, sequence.Counted("MAH", f.counter, 4), at)
                    )
            case told.Sealed(docking, files):
                for f in files:
                    self.sealed[f.recording] = (docking, f)
            case told.Failed(docking, files, unreadable):
                self.failed[docking] = len(files) if unreadable else 0
            case told.TakenIn(docking):
                self.taken_in.add(docking)
            case told.Unplugged(docking):
                self.ended[docking] = at
            case told.Deferred():
                self.deferrals[what.id] = deadline.Deferral(
                    what.id,
                    deadline.DeferralReason.WATER,
                    what.begins,
                    at,
                    what.device,
                    what.officer,
                    what.ends,
                    what.approver,
                    what.approved_at,
                    None,
                    what.expected,
                )
            case told.Approved(name, approver):
                self.deferrals[name] = replace(
                    self.deferrals[name], approver=approver, approved_at=at
                )
            case told.CameBack(name, back):
                self.deferrals[name] = replace(self.deferrals[name], returned_at=back)
            case told.OnDuty():
                self.shifts.setdefault(what.officer, []).append(
                    overdue_device.Shift(what.begins, what.ends)
                )
            case told.Enforcement():
                self.expected[what.id] = coverage.Expected(
                    what.id,
                    coverage.Span(what.begins, what.ends),
                    what.officer,
                    what.device,
                    what.case,
                    what.in_full,
                )
            case told.WhyNotRecorded(name, reason):
                self.expected[name] = replace(
                    self.expected[name], reason=coverage.NoRecordingReason(reason)
                )
            case told.WhyInterrupted():
                self.gaps.append(
                    continuity.GapExplanation(
                        what.device,
                        what.begins,
                        what.ends,
                        what.recording,
                        what.second,
                        frozenset(what.officers),
                    )
                )

    def matters(self, now: datetime) -> list[Matter]:
        deferrals = list(self.deferrals.values())
        out = [
            outstanding.Outstanding(
                f.name,
                outstanding.Why.INTERRUPTED,
                at,
                f.mtime,
                docking,
                f.device,
                None,
                None,
                f.ends,
                None,
                docking not in self.taken_in,
            )
            for (at, docking, f) in self.seen.values()
            if f.recording not in self.sealed
        ]
        watched = []
        for device, registered in self.registered.items():
            where = whereabouts(self.events.get(device, []))
            stays = [
                overdue_device.OnPort(at, self.ended.get(p.docking))
                for at, p in self.plugs.values()
                if p.device == device
            ]
            watched.append(
                overdue_device.Watched(
                    device,
                    where.state,
                    registered,
                    where.since if where.state == "issued" else None,
                    where.officer,
                    tuple(self.shifts.get(where.officer or "", ())),
                    max(stays, key=lambda s: s.began) if stays else None,
                )
            )
        shown = [
            coverage.Shown(f.begins, f.ends, f.officer, f.device) for _, f in self.sealed.values()
        ]
        pieces = [
            continuity.Piece(f.recording, f.device, f.begins, f.ends or f.begins, f.officer)
            for _, f in self.sealed.values()
            if f.kind != "photo"
        ]
        inventories = [
            sequence.Inventory(p.docking, p.card, at, frozenset(map(file_of, p.files)), p.device)
            for at, p in self.plugs.values()
        ]
        dated = [
            sequence.Dated(
                f.recording, f.device, d, self.plugs[d][0], f.begins, self.registered[f.device]
            )
            for d, f in self.sealed.values()
        ]
        checked = [
            device_matters.Checked(
                p.device,
                p.docking,
                at,
                Health(
                    battery=Battery(p.battery, "x") if p.battery is not None else None,
                    storage=Storage(1000, 1000 - 10 * p.free_percent, 10 * p.free_percent)
                    if p.free_percent is not None
                    else None,
                    clock=ClockOffset(p.clock_off_s, "x") if p.clock_off_s is not None else None,
                    file_system=None
                    if p.dirty is None
                    else FileSystemState.DIRTY
                    if p.dirty
                    else FileSystemState.CLEAN,
                    read_errors=self.failed.get(p.docking, 0),
                ),
                IdentityState.CONFLICT if p.conflict else IdentityState.KNOWN,
            )
            for at, p in self.plugs.values()
        ]
        deferred = []
        for one in deferrals:
            ends = []
            for at, _, f in self.seen.values():
                if f.recording in self.sealed:
                    m, officer = f.ends or f.begins, f.officer
                else:
                    m, officer = min(f.ends or f.mtime, at), None
                if one.concerns(f.device, officer) and one.covers(m):
                    ends.append(m)
            deferred.append(deadline.Deferred(one, min(ends, default=None)))
        return list(
            chain(
                outstanding.outstanding_recordings(out, deferrals, now),
                overdue_device.overdue_devices(watched, deferrals, now),
                overdue_device.devices_not_docked(watched, deferrals, now),
                coverage.uncovered(self.expected.values(), shown, deferrals, now),
                continuity.unexplained(pieces, self.gaps, outstanding=out),
                sequence.sequence_holes(self.listed),
                sequence.deleted_before_ingest(
                    inventories, frozenset(file_of(f) for _, f in self.sealed.values())
                ),
                sequence.wrong_dates(dated),
                device_matters.device_matters(checked),
                deadline.back_dated_deferrals(deferred),
            )
        )


def as_seen(m: Matter):
    from tests.month.naive import Seen
    from tests.month.naive_footage import span

    parts = [p.replace("%2F", "/").replace("%25", "%") for p in m.key.split("/")[1:]]
    kind = m.kind.value
    about = parts[0]
    if kind == "outstanding":
        about = parts[1]
    elif kind in ("gap", "wrong-date"):
        about = parts[1]
    elif kind == "device-overdue":
        about = f"{parts[0]} {datetime.fromisoformat(parts[1]):%d%H%M%S}"
    if kind in ("gap", "coverage-hole"):
        things = frozenset(span(i.since, i.until) for i in m.items)
    else:
        things = m.names
    return Seen(kind, about, m.severity.value, m.since, m.due, things, m.count)
