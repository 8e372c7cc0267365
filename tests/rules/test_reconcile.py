"""What changes about the alerts on record: opened once, updated, resolved, never twice."""

import random
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from recorder_sync.language import T
from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import Item, Matter, Severity
from recorder_sync.rules.reconcile import (
    AlertState,
    Changes,
    OnRecord,
    ResolvedBy,
    is_worse,
    reconcile,
)

AT = datetime(2026, 11, 23, 9, tzinfo=UTC)


def matter(
    key: str = "a", severity: Severity = Severity.WARNING, names: Iterable[str] = ("x",)
) -> Matter:
    items = tuple(Item(name) for name in sorted(names))
    return Matter(
        kind=AlertKind.OUTSTANDING,
        key=key,
        severity=severity,
        since=AT,
        text=T("{count} of {key}", count=len(items), key=key),
        hint=T("Do something."),
        count=len(items),
        items=items,
    )


@dataclass
class Record:
    """The simplest record there can be: a list, to which changes are applied."""

    alerts: list[OnRecord] = field(default_factory=list)

    def apply(self, changes: Changes) -> None:
        for one in changes.updated:
            self.alerts[one.number - 1] = replace(_alert(one.number, one.matter), state=one.state)
        for number in changes.resolved:
            self._change(number, state=AlertState.RESOLVED, resolved_by=ResolvedBy.CAUSE_GONE)
        for number in changes.ended:
            self._change(number, cause_gone=True)
        for opened in changes.opened:
            self.alerts.append(_alert(len(self.alerts) + 1, opened))

    def tick(self, *matters: Matter) -> Changes:
        changes = reconcile(self.alerts, matters)
        self.apply(changes)
        return changes

    def acknowledge(self, number: int) -> None:
        self._change(number, state=AlertState.ACKNOWLEDGED)

    def answer(self, number: int) -> None:
        self._change(number, state=AlertState.RESOLVED, resolved_by=ResolvedBy.PERSON)

    def _change(self, number: int, **what: object) -> None:
        self.alerts[number - 1] = replace(self.alerts[number - 1], **what)  # type: ignore[arg-type]


def _alert(number: int, said: Matter) -> OnRecord:
    return OnRecord(
        number=number,
        key=said.key,
        state=AlertState.OPEN,
        severity=said.severity,
        count=said.count,
        names=said.names,
        digest=said.digest,
    )


NOTHING = Changes()


def test_an_alert_is_opened_once_and_resolved_by_itself_when_its_cause_is_gone() -> None:
    record = Record()
    assert record.tick(matter()) == Changes(opened=(matter(),))
    assert record.tick(matter()) == NOTHING
    assert record.tick() == Changes(resolved=(1,))
    assert record.tick() == NOTHING


def test_what_begins_again_is_a_new_alert() -> None:
    record = Record()
    for _ in range(3):
        assert record.tick(matter()).opened == (matter(),)
        record.tick()
    assert [one.number for one in record.alerts] == [1, 2, 3]


@pytest.mark.parametrize(
    ("changed", "worse"),
    [
        (matter(severity=Severity.BREACH), True),
        (matter(severity=Severity.NOTICE, names=("x", "y")), False),
        (matter(names=("x", "y")), True),
        (matter(names=("y",)), True),
        (matter(names=()), False),
        (replace(matter(), count=2), True),
        (replace(matter(), text=T("Other words")), False),
        (replace(matter(), due=AT), False),
    ],
    ids=[
        *("more severe", "less severe", "more", "another", "fewer"),
        *("greater count", "other words", "other limit"),
    ],
)
def test_a_change_updates_the_alert_and_reopens_it_only_when_it_is_worse(
    changed: Matter, worse: bool
) -> None:
    record = Record()
    record.tick(matter())
    (update,) = record.tick(changed).updated
    assert (update.number, update.matter, update.is_worse) == (1, changed, worse)
    assert record.tick(changed) == NOTHING

    acknowledged = Record()
    acknowledged.tick(matter())
    acknowledged.acknowledge(1)
    acknowledged.tick(changed)
    expected = AlertState.OPEN if worse else AlertState.ACKNOWLEDGED
    assert acknowledged.alerts[0].state is expected

    answered = Record()
    answered.tick(matter())
    answered.answer(1)
    assert answered.tick(changed) == (Changes(opened=(changed,)) if worse else NOTHING)


def test_what_a_person_resolved_stays_so_while_the_facts_hold_and_opens_when_they_begin_again() -> (
    None
):
    record = Record()
    record.tick(matter())
    record.answer(1)
    assert record.tick(matter()) == NOTHING
    assert record.tick() == Changes(ended=(1,))
    assert record.tick() == NOTHING
    assert record.tick(matter()) == Changes(opened=(matter(),))


def test_what_a_person_resolved_is_measured_by_what_that_person_saw() -> None:
    record = Record()
    record.tick(matter(names=("x", "y")))
    record.answer(1)
    assert record.tick(matter(names=("x",))) == NOTHING
    assert record.tick(matter(names=("x", "y"))) == NOTHING
    assert record.tick(matter(names=("x", "z"))).opened


def test_a_new_alert_after_a_persons_word_is_not_opened_by_that_word_again() -> None:
    record = Record()
    record.tick(matter())
    record.answer(1)
    record.tick(matter(severity=Severity.BREACH))
    record.answer(2)
    assert record.tick(matter(severity=Severity.BREACH)) == NOTHING
    assert record.tick() == Changes(ended=(1, 2))


def test_of_several_matters_with_one_key_the_worst_counts() -> None:
    found = [matter(), matter(severity=Severity.BREACH), matter(names=("x", "y"))]
    for order in (found, found[::-1]):
        assert reconcile([], order).opened == (found[1],)


def test_of_several_open_alerts_with_one_key_the_first_is_kept() -> None:
    record = Record()
    record.tick(matter())
    second = replace(record.alerts[0], number=2)
    assert reconcile([second, record.alerts[0]], [matter()]) == Changes(resolved=(2,))


_matters = st.lists(
    st.builds(
        matter,
        key=st.sampled_from("abc"),
        severity=st.sampled_from(Severity),
        names=st.frozensets(st.sampled_from("xyz")),
    ),
    max_size=5,
)


class Alerts(RuleBasedStateMachine):
    """Random days of a station, against a model that knows one word per key.

    The model says of each key: nothing, open, acknowledged, or what a person answered.
    """

    def __init__(self) -> None:
        super().__init__()
        self.record = Record()
        self.now: dict[str, Matter] = {}
        self.model: dict[str, tuple[str, Matter]] = {}
        self.opened = 0

    @rule(one=_matters.filter(bool))
    def something_is_so(self, one: list[Matter]) -> None:
        self.now[one[0].key] = one[0]

    @precondition(lambda self: self.now)
    @rule(data=st.data())
    def something_is_gone(self, data: st.DataObject) -> None:
        del self.now[data.draw(st.sampled_from(sorted(self.now)))]

    @precondition(lambda self: self.live())
    @rule(data=st.data(), resolve=st.booleans())
    def a_person_acts(self, data: st.DataObject, resolve: bool) -> None:
        alert = data.draw(st.sampled_from(self.live()))
        if resolve:
            self.record.answer(alert.number)
        else:
            self.record.acknowledge(alert.number)
        _, said = self.model[alert.key]
        self.model[alert.key] = ("answered" if resolve else "acknowledged", said)

    @rule(shuffle=st.randoms(use_true_random=False))
    def the_station_looks(self, shuffle: random.Random) -> None:
        matters = list(self.now.values())
        changes = reconcile(self.record.alerts, matters)
        alerts = shuffle.sample(self.record.alerts, len(self.record.alerts))
        assert reconcile(alerts, shuffle.sample(matters, len(matters))) == changes
        self.record.apply(changes)
        assert reconcile(self.record.alerts, matters) == NOTHING
        self._model_looks()
        assert len(self.record.alerts) == self.opened
        assert {a.key: a.state.value for a in self.live()} == {
            key: state for key, (state, _) in self.model.items() if state != "answered"
        }
        for alert in self.live():
            assert alert.digest == self.now[alert.key].digest

    def _model_looks(self) -> None:
        for key in "abc":
            matter = self.now.get(key)
            if matter is None:
                self.model.pop(key, None)
                continue
            state, said = self.model.get(key, ("nothing", matter))
            worse = _is_worse(said, matter)
            if state == "nothing" or (state == "answered" and worse):
                self.opened += 1
                self.model[key] = ("open", matter)
            elif state != "answered":
                self.model[key] = ("open" if worse else state, matter)

    @invariant()
    def nothing_is_open_twice(self) -> None:
        keys = [alert.key for alert in self.live()]
        assert len(keys) == len(set(keys))

    def live(self) -> list[OnRecord]:
        return [a for a in self.record.alerts if a.state is not AlertState.RESOLVED]


def _is_worse(said: Matter, now: Matter) -> bool:
    order = [Severity.NOTICE, Severity.WARNING, Severity.BREACH]
    if order.index(now.severity) != order.index(said.severity):
        return order.index(now.severity) > order.index(said.severity)
    return len(now.items) > len(said.items) or any(item not in said.items for item in now.items)


TestAlerts = Alerts.TestCase


@given(_matters)
def test_nothing_is_worse_than_itself(found: list[Matter]) -> None:
    record = Record()
    record.tick(*found)
    by_key = {one.key: one for one in record.alerts}
    for one in reconcile([], found).opened:
        assert not is_worse(by_key[one.key], one)
