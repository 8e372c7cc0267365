"""From all that is known of a file to the recording it becomes.

Every source says its piece (the person, the name, the container, the identity files, the
ledger); the rules decide; what was decided and why is kept in the recording.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from recorder_sync.catalogue import ledger
from recorder_sync.catalogue.device_events import events_of
from recorder_sync.ingest.arrival import Arrival
from recorder_sync.ingest.identity_files import CardFacts, profile_for
from recorder_sync.ingest.inventory import Item
from recorder_sync.ingest.lanes import Verified
from recorder_sync.ingest.readback import ReadBack
from recorder_sync.ingest.report import Report
from recorder_sync.model import (
    UNASSIGNED,
    Claim,
    Flag,
    Identity,
    IdentityState,
    Kind,
    Media,
    Officer,
    RecordedTime,
    Recording,
    Source,
    Tags,
)
from recorder_sync.rules.deadline import deadline_for, is_on_time
from recorder_sync.rules.identity import identify, recording_id
from recorder_sync.rules.naming import Field, NameFacts, read_name
from recorder_sync.rules.recorded_time import recorded_time
from recorder_sync.rules.tagging import conflicts, decide
from recorder_sync.rules.whereabouts import Holding, holder_at, holdings
from recorder_sync.station import Station
from recorder_sync.stores.evidence import evidence_path
from recorder_sync.timestamps import iso


@dataclass(frozen=True, slots=True)
class Given:
    """What the person at the command line said, and what the dock knows of the device."""

    device: str | None = None
    officer: str | None = None
    case: str | None = None
    arrival: Arrival | None = None

    def claims(self, which: Field) -> tuple[Claim, ...]:
        said = {
            Field.DEVICE: self.device,
            Field.OFFICER: self.officer,
            Field.CASE: self.case,
        }.get(which)
        return (Claim(said, Source.PERSON, "command line"),) if said else ()


class Interpreter:
    """Knows one card: its names, its identity files, and the ledger as it stands."""

    def __init__(
        self, station: Station, given: Given, card: CardFacts, items: Sequence[Item]
    ) -> None:
        self._station = station
        self._said = {which: given.claims(which) for which in Field}
        self._arrival = given.arrival
        self._card = card
        self._ledger = ledger.registered_devices(station.catalogue)
        self._holdings: dict[str, list[Holding]] = {}
        self._officers: dict[str, Officer | None] = {}
        """Those of the ledger who were asked for since `look_again`."""
        self.identity = self._identify(items)

    def _identify(self, items: Sequence[Item]) -> Identity:
        claims = [*self._said[Field.DEVICE], *self._card.of_anything(Field.DEVICE)]
        names = (self._name(item) for item in items if item.is_recording)
        claims += [name.claims[Field.DEVICE] for name in names if Field.DEVICE in name.claims]
        arrival = self._arrival
        if arrival is None:
            return identify(claims, self._ledger)
        identity = identify([*claims, *arrival.claims], self._ledger)
        if arrival.in_conflict:
            return replace(identity, state=IdentityState.CONFLICT)
        return identity

    def _name(self, item: Item) -> NameFacts:
        """Read a name: it takes 5 µs, and to keep what it says of thousands takes memory."""
        return read_name(item.path, self._station.settings.known_profiles)

    def look_again(self) -> None:
        """Ask the ledger for officers again: sealing may have entered some."""
        self._officers.clear()

    def recording(self, verified: Verified, report: Report, *, replaces: bool) -> Recording:
        """Decide everything about a recording from what all sources say of it.

        `replaces` says that other content was sealed under its path, size and time.
        """
        copy, media, settings = verified.copy, verified.media, self._station.settings
        item, digests = copy.item, copy.copied.digests
        name = profile_for(self._name(item), self._card)
        kind = _kind(item, media, name)
        now = self._station.now()
        recorded = recorded_time(
            container=media.started,
            duration_s=media.duration_s,
            kind=kind,
            name=name,
            mtime_ns=copy.mtime_ns,
            zone=settings.station.zone,
            docked_at=report.started_at,
        )
        tags = self._tags(item, name, media, recorded)
        deadline = deadline_for(recorded, timedelta(hours=settings.deadline.hours))
        device = tags.device.value if tags.device else UNASSIGNED
        identifier = recording_id(device, digests.blake3, whole=not copy.missing)
        zone = settings.station.zone
        return Recording(
            id=identifier,
            docking=report.docking,
            kind=kind,
            original_path=item.path,
            mtime_ns=copy.mtime_ns,
            path=evidence_path(
                device, recorded.start, identifier, item.path, zone, whole=not copy.missing
            ),
            size=copy.copied.size,
            digests=digests,
            recorded=replace(recorded, flags=frozenset()) if recorded.flags else recorded,
            media=media,
            tags=tags,
            officer_name=self._officer_name(tags, item, name),
            flags=recorded.flags | conflicts(tags) | _flags(verified, name, replaces=replaces),
            sealed_at=now,
            deadline=deadline.due,
            on_time=is_on_time(deadline, now),
            read_back=verified.read_back.value,
            resumed_at=copy.resumed_at,
            missing=copy.missing,
        )

    def _tags(self, item: Item, name: NameFacts, media: Media, recorded: RecordedTime) -> Tags:
        device = decide(self._claims(Field.DEVICE, item, name, media) or self._card_as_a_whole())
        holder = self._holder(device.value, recorded) if device else []
        officer = decide(self._claims(Field.OFFICER, item, name, media) + holder)
        case = decide(self._claims(Field.CASE, item, name, media))
        return Tags(device, officer, case)

    def _claims(self, which: Field, item: Item, name: NameFacts, media: Media) -> list[Claim]:
        said = [*self._said[which]]
        if which in name.claims:
            said.append(name.claims[which])
        if media.tags:
            said += [
                Claim(media.tags[key], Source.CONTAINER, f"tag {key}")
                for key, its_field in name.profile.container_tags
                if its_field is which and key in media.tags
            ]
        return said + self._card.of_recording(which, item.path, name.started)

    def _card_as_a_whole(self) -> list[Claim]:
        """Say what the rest of the card says of a file that says nothing itself."""
        identity = self.identity
        if identity.device is None or identity.source is None:
            return []
        if identity.state is IdentityState.CONFLICT:
            return []
        return [Claim(identity.device, identity.source, "the other files on this card")]

    def _holder(self, device: str, recorded: RecordedTime) -> list[Claim]:
        """Say who held the device when it recorded this, by issues and returns.

        A device that is never issued belongs to the officer it is registered for. A time
        that is still to come says nothing of who held it.
        """
        held = self._holdings_of(device)
        if held:
            holding = holder_at(held, recorded.start)
            if holding is None or Flag.FUTURE_DATED in recorded.flags:
                return []
            return [Claim(holding.officer, Source.LEDGER, f"issued to at {iso(holding.since)}")]
        entry = self._ledger.get(device)
        if entry is None or entry.officer is None:
            return []
        return [Claim(entry.officer, Source.LEDGER, f"holder of device {device}")]

    def _holdings_of(self, device: str) -> list[Holding]:
        if device not in self._holdings:
            events = events_of(self._station.catalogue, device)
            self._holdings[device] = holdings(events)
        return self._holdings[device]

    def _officer_name(self, tags: Tags, item: Item, name: NameFacts) -> str | None:
        if tags.officer is None:
            return None
        known = self._registered(tags.officer.value)
        if known is not None and known.name:
            return known.name
        numbers = self._card.of_recording(Field.OFFICER, item.path, name.started)
        if not any(claim.value == tags.officer.value for claim in numbers):
            return None
        names = self._card.of_recording(Field.OFFICER_NAME, item.path, name.started)
        return names[0].value if names else None

    def _registered(self, cert_no: str) -> Officer | None:
        if cert_no not in self._officers:
            self._officers[cert_no] = ledger.officer(self._station.catalogue, cert_no)
        return self._officers[cert_no]


def _kind(item: Item, media: Media, name: NameFacts) -> Kind:
    if media.kind is not Kind.OTHER:
        return media.kind
    return item.kind or name.kind or Kind.OTHER


def _flags(verified: Verified, name: NameFacts, *, replaces: bool) -> frozenset[Flag]:
    flags = {verified.media.problem} if verified.media.problem else set()
    if name.important:
        flags.add(Flag.IMPORTANT)
    if verified.read_back is ReadBack.UNVERIFIED:
        flags.add(Flag.UNVERIFIED_MEDIUM)
    if replaces:
        flags.add(Flag.CONTENT_CONFLICT)
    if verified.copy.missing:
        flags.add(Flag.SALVAGED)
    return frozenset(flags)
