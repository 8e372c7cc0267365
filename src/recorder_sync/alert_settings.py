"""Settings of what is watched, and of who is told: `[watch]` and `[alerts]`.

The rules have limits and settings of their own, in lengths of time; here they are in the
units that people write. What the office has set elsewhere is not set twice: the hours of
Art. 21 stand in `[deadline]`, and what a battery and a clock must do in `[readiness]`.
"""

import re
from datetime import time, timedelta
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, field_validator

from recorder_sync.channels.settings import Channel
from recorder_sync.rules.matter import Severity
from recorder_sync.rules.recipient import Recipient
from recorder_sync.section import Section

if TYPE_CHECKING:  # every command has the settings, few have these rules
    from recorder_sync.rules.escalation import EscalationSettings
    from recorder_sync.rules.watch_limits import WatchLimits

_YEAR_H = 24.0 * 366
_Hours = Annotated[float, Field(ge=0, le=_YEAR_H)]
_Minutes = Annotated[float, Field(ge=0, le=_YEAR_H * 60)]
_Days = Annotated[float, Field(ge=0, le=3660)]
_Percent = Annotated[int, Field(ge=0, le=100)]
_Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class Watch(Section):
    """When something is a matter (`rules/watch_limits.py`)."""

    lead_hours: _Hours = 4.0
    """How long before a limit somebody is told."""
    back_dated_minutes: _Minutes = 60.0
    """How long after its approval a deferral may be entered."""
    docked_within_hours: _Hours = 24.0
    """From the end of a shift, an issue or a return until the device must be docked."""
    docked_every_days: _Days = 7.0
    """A device that was on no port for longer is a matter."""
    covered_within_s: Annotated[float, Field(ge=0, le=86_400)] = 120.0
    """How far a recording in full may begin late, end early or pause."""
    action_pause_minutes: _Minutes = 30.0
    """After a longer pause the next recording begins a new action."""
    split_s: Annotated[float, Field(ge=0, le=3600)] = 5.0
    """A pause that the camera itself makes between two files."""
    dated_ahead_minutes: _Minutes = 5.0
    """How far a recording's start may lie after its docking."""
    battery_failures: Annotated[int, Field(ge=1, le=100)] = 2
    """Failed battery checks in a row that are a matter."""
    least_free_percent: _Percent = 10
    """Of a device's memory."""
    most_used_percent: _Percent = 90
    """Of the evidence disk."""
    full_within_days: _Days = 14.0
    """A forecast that the evidence disk is full sooner is a notice."""
    full_soon_days: _Days = 3.0
    """And sooner than this a warning."""
    unreachable_minutes: _Minutes = 15.0
    """How long a store may be away."""
    queued_hours: _Hours = 6.0
    """How long a recording may wait for a store."""
    witnessed_within_hours: _Hours = 24.0
    """From a checkpoint until another party has signed it."""
    unsynchronised_minutes: _Minutes = 60.0
    """How long the station's clock may run without a time source."""
    clock_step_s: Annotated[float, Field(ge=0, le=86_400)] = 2.0
    """Seconds by which the station's clock may be set."""
    backup_every_hours: _Hours = 26.0
    """A daily backup, and the time that one takes."""
    remembered_hours: _Hours = 24.0
    """How long a restart or a clock step stays a matter by itself."""

    def limits(
        self, stored_within_hours: float, least_battery_percent: int, clock_offset_s: float
    ) -> "WatchLimits":
        """Return the limits of the rules; what stands in other sections is given."""
        from recorder_sync.rules.watch_limits import WatchLimits

        return WatchLimits(
            stored_within=timedelta(hours=stored_within_hours),
            lead=timedelta(hours=self.lead_hours),
            back_dated_by=timedelta(minutes=self.back_dated_minutes),
            docked_within=timedelta(hours=self.docked_within_hours),
            docked_every=timedelta(days=self.docked_every_days),
            covered_within=timedelta(seconds=self.covered_within_s),
            action_pause=timedelta(minutes=self.action_pause_minutes),
            split=timedelta(seconds=self.split_s),
            dated_ahead=timedelta(minutes=self.dated_ahead_minutes),
            clock_offset_s=clock_offset_s,
            battery_failures=self.battery_failures,
            least_battery_percent=least_battery_percent,
            least_free_percent=self.least_free_percent,
            most_used_percent=self.most_used_percent,
            full_within=timedelta(days=self.full_within_days),
            full_soon=timedelta(days=self.full_soon_days),
            unreachable_for=timedelta(minutes=self.unreachable_minutes),
            queued_for=timedelta(hours=self.queued_hours),
            witnessed_within=timedelta(hours=self.witnessed_within_hours),
            unsynchronised_for=timedelta(minutes=self.unsynchronised_minutes),
            clock_step_s=self.clock_step_s,
            backup_every=timedelta(hours=self.backup_every_hours),
            remembered_for=timedelta(hours=self.remembered_hours),
        )


class Alerts(Section):
    """Who is told of an alert, and when (`rules/escalation.py`)."""

    first: tuple[Recipient, ...] = (Recipient.OFFICER, Recipient.CUSTODIAN)
    """Who is told as soon as it is open."""
    at_limit: tuple[Recipient, ...] = (Recipient.TEAM_LEADER,)
    """Who is told when the limit has passed, or nobody acknowledged a warning."""
    later: tuple[Recipient, ...] = (Recipient.SUPERVISOR,)
    """Who is told when it is still open later."""
    unacknowledged_hours: _Hours = 24.0
    """After which a warning without a limit goes to those `at_limit`."""
    later_hours: _Hours = 24.0
    """From the limit, or the beginning of a breach without one, to those told `later`."""
    quiet_from: _Clock = "22:00"
    """When the quiet hours begin, local time."""
    quiet_until: _Clock = "07:00"
    """When they end; the same as their beginning: there are none."""
    quiet_up_to: Severity = Severity.NOTICE
    """What waits in quiet hours, and everything less severe."""
    digest_at: _Clock = "08:30"
    """When the list of everything that is not resolved is sent, local time."""
    digest_to: tuple[Recipient, ...] = (Recipient.CUSTODIAN,)
    """Who gets it; nobody: there is none."""
    most_at_once: Annotated[int, Field(ge=1, le=1000)] = 5
    """Alerts that one person gets in messages of their own; more are one message."""
    link_base: str | None = None
    """Address of the station's web pages, for links in messages; None: no links."""
    dead_after_minutes: _Minutes = 30.0
    """Minutes for which a channel may fail before that is an alert on the others."""
    give_up_after_hours: Annotated[float, Field(gt=0, le=_YEAR_H)] = 72.0
    """Hours after which a message that cannot be delivered is given up."""
    attempt_limit_s: Annotated[float, Field(gt=0, le=600)] = 60.0
    """Seconds that one attempt to deliver may take."""
    channels: tuple[Channel, ...] = ()
    """Where messages go."""

    @field_validator("link_base")
    @classmethod
    def _web_address(cls, text: str | None) -> str | None:
        if text is not None and not re.fullmatch(r"https?://[^\s/?#@]+[^\s?#]*", text):
            raise ValueError("should begin with http:// or https://, without spaces, @, ? and #")
        return text

    @field_validator("channels")
    @classmethod
    def _each_once(cls, channels: tuple[Channel, ...]) -> tuple[Channel, ...]:
        if len({one.name for one in channels}) != len(channels):
            raise ValueError("should have a name of its own for each")
        return channels

    @property
    def escalation(self) -> "EscalationSettings":
        """Return the settings of the rule."""
        from recorder_sync.rules.escalation import EscalationSettings, Stage

        return EscalationSettings(
            told={
                Stage.FIRST: frozenset(self.first),
                Stage.LIMIT: frozenset(self.at_limit),
                Stage.LATER: frozenset(self.later),
            },
            unacknowledged_after=timedelta(hours=self.unacknowledged_hours),
            later_after=timedelta(hours=self.later_hours),
            quiet_from=time.fromisoformat(self.quiet_from),
            quiet_until=time.fromisoformat(self.quiet_until),
            quiet_up_to=self.quiet_up_to,
            digest_at=time.fromisoformat(self.digest_at) if self.digest_to else None,
            digest_to=frozenset(self.digest_to),
            most_at_once=self.most_at_once,
        )
