"""Who is told of an alert, and when: in stages, at night, once a day, never twice."""

import random
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.rules.escalation import (
    Address,
    EscalationSettings,
    Message,
    Plan,
    Sent,
    Stage,
    Unresolved,
    is_quiet,
    plan,
)
from recorder_sync.rules.matter import Severity
from recorder_sync.rules.recipient import Recipient
from recorder_sync.rules.reconcile import AlertState

ZONE = ZoneInfo("Asia/Shanghai")
NEW_YORK = ZoneInfo("America/New_York")
DUE = datetime(2026, 11, 23, 4, tzinfo=UTC)  # noon in Shanghai
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

NO_DIGEST = EscalationSettings(digest_at=None)
OFFICER = Address(Recipient.OFFICER, "000010")
CUSTODIAN = Address(Recipient.CUSTODIAN)
LEADER = Address(Recipient.TEAM_LEADER)
SUPERVISOR = Address(Recipient.SUPERVISOR)

NEAR = Unresolved(1, Severity.WARNING, DUE - 4 * HOUR, DUE, AlertState.OPEN, "000010")
BREACH = replace(NEAR, severity=Severity.BREACH, since=DUE)


class Teller:
    """The simplest caller: it keeps what was sent and asks again."""

    def __init__(self, settings: EscalationSettings = NO_DIGEST, zone: tzinfo = ZONE) -> None:
        self.settings, self.zone = settings, zone
        self.sent: list[Sent] = []
        self.digested_until: datetime | None = None
        self.look_next: datetime | None = None

    def tick(self, now: datetime, *alerts: Unresolved) -> list[Message]:
        made = self.look(now, *alerts)
        self.sent += made.sent
        self.digested_until = made.digested_until
        self.look_next = made.look_next
        again = self.look(now, *alerts)
        assert (again.messages, again.sent) == ((), ())
        assert made.look_next is None or made.look_next > now
        return list(made.messages)

    def look(self, now: datetime, *alerts: Unresolved) -> Plan:
        return plan(alerts, self.sent, self.digested_until, now, self.zone, self.settings)


def told(messages: list[Message]) -> set[Address]:
    return {message.to for message in messages}


def test_it_climbs_from_the_officer_to_the_team_leader_to_the_supervisor() -> None:
    teller = Teller()
    assert told(teller.tick(NEAR.since, NEAR)) == {OFFICER, CUSTODIAN}
    assert teller.look_next == DUE + timedelta.resolution
    assert teller.tick(DUE, NEAR) == []
    assert told(teller.tick(DUE + timedelta.resolution, BREACH)) == {LEADER}
    assert teller.look_next == DUE + DAY
    assert teller.tick(DUE + DAY - SECOND, BREACH) == []
    assert told(teller.tick(DUE + DAY, BREACH)) == {SUPERVISOR}
    assert teller.look_next is None


def test_after_three_days_without_power_each_is_told_once() -> None:
    messages = Teller().tick(DUE + 3 * DAY, BREACH)
    assert [(m.to, m.alerts) for m in messages] == [
        (address, (1,)) for address in (OFFICER, CUSTODIAN, LEADER, SUPERVISOR)
    ]


def test_one_who_is_told_at_several_stages_is_told_of_the_missed_ones_once() -> None:
    everyone = frozenset(Recipient)
    settings = replace(NO_DIGEST, told=dict.fromkeys(Stage, everyone))
    messages = Teller(settings).tick(DUE + 3 * DAY, BREACH)
    assert len(messages) == len(told(messages)) == 4


def test_an_acknowledged_alert_does_not_climb_until_it_is_worse() -> None:
    teller = Teller()
    teller.tick(NEAR.since, NEAR)
    acknowledged = replace(BREACH, state=AlertState.ACKNOWLEDGED)
    assert teller.tick(DUE + 3 * DAY, acknowledged) == []
    assert teller.look_next is None
    worse = replace(BREACH, times_worse=1)
    assert told(teller.tick(DUE + 3 * DAY, worse)) == {OFFICER, CUSTODIAN, LEADER, SUPERVISOR}


def test_a_warning_without_a_limit_goes_to_the_team_leader_after_a_day_and_no_further() -> None:
    warning = replace(NEAR, due=None, since=DUE)
    teller = Teller()
    assert told(teller.tick(DUE, warning)) == {OFFICER, CUSTODIAN}
    assert teller.look_next == DUE + DAY
    assert told(teller.tick(DUE + DAY, warning)) == {LEADER}
    assert teller.tick(DUE + 30 * DAY, warning) == []
    assert teller.look_next is None


def test_a_breach_without_a_limit_goes_to_the_team_leader_at_once() -> None:
    breach = replace(BREACH, due=None)
    teller = Teller()
    assert told(teller.tick(DUE, breach)) == {OFFICER, CUSTODIAN, LEADER}
    assert told(teller.tick(DUE + DAY, breach)) == {SUPERVISOR}


def test_a_notice_stays_with_the_custodian() -> None:
    notice = replace(NEAR, severity=Severity.NOTICE, due=None, officer=None)
    teller = Teller()
    assert told(teller.tick(DUE, notice)) == {CUSTODIAN}
    assert teller.tick(DUE + 30 * DAY, notice) == []


def test_where_the_officer_is_unknown_the_custodian_is_told() -> None:
    settings = replace(NO_DIGEST, told={Stage.FIRST: frozenset({Recipient.OFFICER})})
    assert told(Teller(settings).tick(DUE, replace(NEAR, officer=None))) == {CUSTODIAN}


def test_a_clock_that_was_set_back_hides_nothing_and_tells_nobody_twice() -> None:
    teller = Teller()
    teller.tick(DUE + 2 * DAY, BREACH)
    assert teller.tick(DUE - 10 * DAY, BREACH) == []
    assert told(teller.tick(DUE - 10 * DAY, BREACH, replace(BREACH, number=2))) == {
        OFFICER,
        CUSTODIAN,
    }


def test_a_limit_at_the_end_of_the_calendar_is_no_error() -> None:
    far = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    teller = Teller()
    teller.tick(DUE, replace(NEAR, due=far), replace(NEAR, number=2, since=far, due=None))


# No storms.


def test_many_at_once_are_one_message_for_each_person() -> None:
    alerts = [replace(NEAR, number=n) for n in range(1, 7)]
    messages = Teller().tick(DUE, *alerts)
    assert [(m.to, m.alerts) for m in messages] == [
        (OFFICER, (1, 2, 3, 4, 5, 6)),
        (CUSTODIAN, (1, 2, 3, 4, 5, 6)),
    ]
    few = Teller().tick(DUE, *alerts[:5])
    assert len(few) == 10


def test_an_officer_is_told_of_no_other_officers_alerts() -> None:
    alerts = [replace(NEAR, number=n, officer=f"{n % 2}") for n in range(20)]
    messages = Teller().tick(DUE, *alerts)
    by_officer = {m.to.officer: m.alerts for m in messages if m.to.officer}
    assert by_officer == {"0": tuple(range(0, 20, 2)), "1": tuple(range(1, 20, 2))}


# Quiet hours.

NOTICE = replace(NEAR, severity=Severity.NOTICE, due=None)
NIGHT = datetime(2026, 11, 23, 23, 30, tzinfo=ZONE).astimezone(UTC)
MORNING = datetime(2026, 11, 24, 7, tzinfo=ZONE).astimezone(UTC)


def test_a_notice_waits_for_the_morning_and_a_warning_does_not() -> None:
    teller = Teller()
    assert teller.tick(NIGHT, NOTICE) == []
    assert teller.look_next == MORNING
    assert teller.tick(MORNING - SECOND, NOTICE) == []
    assert told(teller.tick(MORNING, NOTICE)) == {OFFICER, CUSTODIAN}
    assert told(Teller().tick(NIGHT, NEAR)) >= {OFFICER, CUSTODIAN}


def test_quiet_hours_can_be_switched_off_or_hold_more() -> None:
    assert Teller(replace(NO_DIGEST, quiet_up_to=None)).tick(NIGHT, NOTICE)
    never = replace(NO_DIGEST, quiet_from=time(7), quiet_until=time(7))
    assert Teller(never).tick(NIGHT, NOTICE)
    more = replace(NO_DIGEST, quiet_up_to=Severity.WARNING)
    assert not Teller(more).tick(NIGHT, NEAR)
    assert Teller(more).tick(NIGHT, BREACH)


@pytest.mark.parametrize(
    ("begins", "ends", "night", "morning"),
    [
        # 1 November 2026: at 02:00 it is 01:00 again.
        (time(22), time(7), "2026-11-01T02:00:00Z", "2026-11-01T12:00:00Z"),
        (time(22), time(1, 30), "2026-11-01T05:00:00Z", "2026-11-01T05:30:00Z"),
        (time(22), time(1, 30), "2026-11-01T06:10:00Z", "2026-11-01T06:30:00Z"),
        (time(2), time(1, 30), "2026-11-01T06:10:00Z", "2026-11-01T06:30:00Z"),
        (time(1, 7), time(0), "2026-11-01T05:30:00Z", "2026-11-01T06:00:00Z"),
        # 8 March 2026: at 02:00 it is 03:00.
        (time(22), time(7), "2026-03-08T03:00:00Z", "2026-03-08T11:00:00Z"),
        (time(22), time(2, 30), "2026-03-08T06:59:00Z", "2026-03-08T07:00:00Z"),
    ],
)
def test_quiet_hours_end_by_the_local_clock_when_the_clocks_change(
    begins: time, ends: time, night: str, morning: str
) -> None:
    settings = replace(NO_DIGEST, quiet_from=begins, quiet_until=ends)
    teller = Teller(settings, NEW_YORK)
    assert teller.tick(datetime.fromisoformat(night), NOTICE) == []
    assert teller.look_next == datetime.fromisoformat(morning)


_clock_times = st.times().map(lambda t: t.replace(second=0, microsecond=0))
_around_changes = st.sampled_from(
    [datetime(2026, 11, 1, 6, tzinfo=UTC), datetime(2026, 3, 8, 7, tzinfo=UTC)]
).flatmap(lambda day: st.integers(-90_000, 90_000).map(lambda n: day + timedelta(seconds=n)))


@given(_clock_times, _clock_times, _around_changes, st.sampled_from([ZONE, NEW_YORK]))
def test_a_notice_is_told_at_the_first_second_that_is_not_quiet(
    begins: time, ends: time, now: datetime, zone: tzinfo
) -> None:
    settings = replace(NO_DIGEST, quiet_from=begins, quiet_until=ends)
    teller = Teller(settings, zone)
    messages = teller.tick(now, NOTICE)
    assert bool(messages) != is_quiet(now, zone, settings)
    if messages:
        return
    assert teller.look_next
    assert not is_quiet(teller.look_next, zone, settings)
    assert is_quiet(teller.look_next - SECOND, zone, settings)
    moment = now
    while moment < teller.look_next - SECOND:
        assert is_quiet(moment, zone, settings)
        moment += timedelta(minutes=7)


# The digest.

DIGEST = datetime(2026, 11, 24, 8, 30, tzinfo=ZONE).astimezone(UTC)


def digests(messages: list[Message]) -> list[tuple[Address, tuple[int, ...]]]:
    return [(m.to, m.alerts) for m in messages if m.is_digest]


def test_once_a_day_the_custodian_gets_a_list_of_all_that_is_not_resolved() -> None:
    teller = Teller(EscalationSettings())
    acknowledged = replace(NEAR, number=2, state=AlertState.ACKNOWLEDGED)
    assert digests(teller.tick(DIGEST - HOUR, BREACH, acknowledged)) == []
    assert teller.look_next == DIGEST
    assert digests(teller.tick(DIGEST, BREACH, acknowledged)) == [(CUSTODIAN, (1, 2))]
    assert digests(teller.tick(DIGEST + DAY - SECOND, BREACH, acknowledged)) == []
    assert digests(teller.tick(DIGEST + DAY, BREACH, acknowledged)) == [(CUSTODIAN, (1, 2))]


def test_after_three_days_without_power_there_is_one_digest() -> None:
    teller = Teller(EscalationSettings())
    teller.tick(DIGEST, BREACH)
    assert len(digests(teller.tick(DIGEST + 3 * DAY + HOUR, BREACH))) == 1
    assert teller.look_next == DIGEST + 4 * DAY


def test_a_digest_of_nothing_is_not_sent_and_not_made_up_for_later() -> None:
    teller = Teller(EscalationSettings())
    teller.tick(DIGEST - HOUR)
    assert teller.tick(DIGEST) == []
    assert digests(teller.tick(DIGEST + HOUR, BREACH)) == []


def test_the_digest_comes_at_the_same_local_time_when_the_clocks_change() -> None:
    teller = Teller(EscalationSettings(), NEW_YORK)
    for evening, morning in (
        ("2026-10-31T20:00:00Z", "2026-11-01T13:30:00Z"),
        ("2026-03-07T20:00:00Z", "2026-03-08T12:30:00Z"),
    ):
        teller.tick(datetime.fromisoformat(evening))
        assert teller.look_next == datetime.fromisoformat(morning)


# Against a naive model.

_alerts = st.lists(
    st.builds(
        Unresolved,
        number=st.integers(1, 30),
        severity=st.sampled_from(Severity),
        since=st.integers(0, 200).map(lambda n: DUE + n * HOUR),
        due=st.none() | st.integers(0, 200).map(lambda n: DUE + n * HOUR),
        state=st.just(AlertState.OPEN),
        officer=st.sampled_from(["000010", "000011", None]),
    ),
    max_size=6,
    unique_by=lambda one: one.number,
)
_ticks = st.lists(st.integers(0, 400 * 3600), min_size=1, max_size=12).map(sorted)


def _expected(one: Unresolved, now: datetime) -> set[Address]:
    """Who should have been told of it by `now`, said as plainly as the docs do."""
    found = {Address(Recipient.OFFICER, one.officer) if one.officer else CUSTODIAN, CUSTODIAN}
    limit = one.due
    if limit is not None:
        if now > limit:
            found.add(LEADER)
        if now >= limit + DAY:
            found.add(SUPERVISOR)
    elif one.severity is Severity.BREACH:
        if now >= one.since:
            found.add(LEADER)
        if now >= one.since + DAY:
            found.add(SUPERVISOR)
    elif one.severity is Severity.WARNING and now >= one.since + DAY:
        found.add(LEADER)
    return found


@given(_alerts, _ticks, st.randoms(use_true_random=False))
def test_whenever_the_station_looks_each_is_told_exactly_once_by_then(
    alerts: list[Unresolved], ticks: list[int], shuffle: random.Random
) -> None:
    teller = Teller(replace(NO_DIGEST, quiet_up_to=None))
    so_far: list[tuple[Address, int]] = []
    for tick in ticks:
        now = DUE + tick * SECOND
        shuffled = shuffle.sample(alerts, len(alerts))
        assert teller.look(now, *alerts) == teller.look(now, *shuffled)
        for message in teller.tick(now, *alerts):
            so_far += [(message.to, number) for number in message.alerts]
        expected = {(who, one.number) for one in alerts for who in _expected(one, now)}
        assert len(so_far) == len(set(so_far))
        assert set(so_far) == expected


@given(_alerts)
def test_looking_only_when_told_to_misses_nothing(alerts: list[Unresolved]) -> None:
    teller = Teller(replace(NO_DIGEST, quiet_up_to=None))
    now: datetime | None = DUE
    while now is not None:
        teller.tick(now, *alerts)
        last, now = now, teller.look_next
        if now is not None:
            between = last + (now - last) / 2
            assert teller.look(between, *alerts).messages == ()
