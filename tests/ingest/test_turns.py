"""Whose turn it is to copy: limits, fairness, and requests to stop."""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recorder_sync.ingest import turns
from recorder_sync.ingest.stopping import Stop, Stopping
from recorder_sync.ingest.turns import Berth, CardTurns, Limits, Turn, Turns

_WIDE = Limits(64, 64, 64)
_ONE = Limits(1, 64, 64)


@pytest.fixture(autouse=True, scope="module")
def _looks_often() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(turns, "_LOOK_S", 0.001)
        yield


def never() -> None:
    """Nobody asks to stop."""


def at_once() -> None:
    """Stop as soon as it would have to wait."""
    raise Stopping


@dataclass
class Line:
    """Turns by a clock of our own, and cards that wait for theirs in threads."""

    limits: Limits
    now_s: float = 0.0
    order: list[str] = field(default_factory=list)
    """Whose turn it was, in order."""
    _threads: list[threading.Thread] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.turns = Turns(self.limits, lambda: self.now_s)

    def card(self, served_s: float = 0.0, disk: str = "sda", group: str | None = None) -> CardTurns:
        card = self.turns.card(Berth(disk, group), lambda waits: None)
        card.served_s = served_s
        return card

    def wait(self, name: str, card: CardTurns) -> None:
        """Let a card wait in a thread, and take its turn when it comes."""
        waits = threading.Event()
        card.waits = lambda it_waits: waits.set() if it_waits else None

        def wait() -> None:
            with card.turn(never):
                self.order.append(name)

        thread = threading.Thread(target=wait, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)
        assert waits.wait(10), f"{name} does not wait"

    def join(self) -> None:
        """Everyone who waited had a turn by now."""
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive(), f"{thread.name} never had its turn"


def free(line: Line, card: CardTurns) -> bool:
    """Tell whether a card could go at once."""
    try:
        with card.turn(at_once):
            return True
    except Stopping:
        return False


# -- limits


@given(
    limits=st.builds(Limits, st.integers(1, 5), st.integers(1, 3), st.integers(1, 4)),
    berths=st.lists(
        st.builds(Berth, st.sampled_from("abc"), st.sampled_from(["1", "1-2", None])),
        min_size=1,
        max_size=5,
    ),
    steps=st.lists(st.tuples(st.booleans(), st.integers(0, 4)), max_size=25),
)
def test_limits_are_never_exceeded_and_nobody_waits_without_need(
    limits: Limits, berths: list[Berth], steps: list[tuple[bool, int]]
) -> None:
    line = Line(limits)
    cards = [line.turns.card(berth, lambda waits: None) for berth in berths]
    held: list[tuple[Berth, AbstractContextManager[Turn]]] = []
    for takes, number in steps:
        if not takes:
            if held:
                held.pop(number % len(held))[1].__exit__(None, None, None)
            continue
        card = cards[number % len(cards)]
        others = [berth for berth, _ in held]
        group = card.berth.port_group
        room = (
            len(others) < limits.in_all
            and sum(b.disk == card.berth.disk for b in others) < limits.per_disk
            and (
                group is None or sum(b.port_group == group for b in others) < limits.per_port_group
            )
        )
        turn = card.turn(at_once)
        try:
            turn.__enter__()
        except Stopping:
            assert not room
        else:
            assert room
            held.append((card.berth, turn))


# -- fairness


def test_the_card_that_was_served_least_goes_first_whoever_came_first() -> None:
    line = Line(_ONE)
    with line.card().turn(never):
        line.wait("much", line.card(served_s=9))
        line.wait("some", line.card(served_s=5))
        line.wait("none", line.card())
    line.join()
    assert line.order == ["none", "some", "much"]


def test_a_card_that_has_no_room_holds_up_nobody_who_has() -> None:
    line = Line(Limits(9, 1, 1))
    with line.card(disk="sda", group="1-2").turn(never):
        line.wait("same disk", line.card(disk="sda"))
        line.wait("same hub", line.card(disk="sdb", group="1-2"))
        assert free(line, line.card(served_s=9, disk="sdc", group="1-3"))
        assert line.order == []
    line.join()


def test_what_a_turn_lasts_counts_for_its_card() -> None:
    line = Line(_WIDE)
    card = line.card()
    with card.turn(never) as turn:
        line.now_s += 3
        turn.pass_on()
        line.now_s += 0.5
    assert card.served_s == 3.5


# -- long copies


def test_a_long_copy_lets_a_card_that_had_less_go_first_and_goes_on_after_it() -> None:
    line = Line(_ONE)
    card = line.card()
    with card.turn(never) as turn:
        line.wait("other", line.card())
        line.now_s += turns.QUANTUM_S / 2
        turn.pass_on()
        assert line.order == []
        line.now_s += turns.QUANTUM_S / 2
        turn.pass_on()
        assert line.order == ["other"]
        assert not free(line, line.card()), "its own turn is not held again"
    assert free(line, line.card())
    assert card.served_s == turns.QUANTUM_S


def test_a_long_copy_keeps_its_turn_when_the_other_had_more_or_could_not_go_anyway() -> None:
    line = Line(Limits(2, 1, 9))
    with (
        line.card(disk="sda").turn(never) as turn,
        line.card(disk="sdb").turn(never),
    ):
        line.wait("had more", line.card(served_s=100, disk="sda"))
        line.wait("no room", line.card(disk="sdb"))
        line.now_s += 10
        turn.pass_on()
        assert line.order == []
    line.join()


# -- waiting and stopping


def test_a_card_is_told_that_it_waits_only_when_it_does() -> None:
    line = Line(_ONE)
    told: list[bool] = []
    card = line.turns.card(Berth("sda", None), told.append)
    with card.turn(never):
        assert True not in told
        other: list[bool] = []
        assert not free(line, line.turns.card(Berth("sdb", None), other.append))
        assert other == [True, False]


def test_a_stop_while_waiting_leaves_nothing_behind() -> None:
    line = Line(_ONE)
    stopped = line.card()
    with line.card(served_s=9).turn(never) as turn:
        assert not free(line, stopped)
        line.now_s += 10
        turn.pass_on()  # would never return if the stopped card waited still
    assert free(line, line.card(served_s=99))


def test_a_stop_while_a_turn_is_passed_on_gives_it_back_once() -> None:
    line = Line(_ONE)
    stop = Stop()
    took = threading.Event()
    other = line.card()
    with ExitStack() as turn_of_ours, ExitStack() as turn_of_the_other:
        turn = turn_of_ours.enter_context(line.card().turn(stop.check))

        def take() -> None:
            turn_of_the_other.enter_context(other.turn(never))
            took.set()

        waits = threading.Event()
        other.waits = lambda it_waits: waits.set() if it_waits else None
        thread = threading.Thread(target=take, daemon=True)
        thread.start()
        assert waits.wait(10)
        line.now_s += 10
        stop.request()
        with pytest.raises(Stopping):
            turn.pass_on()
        assert took.wait(10)
        turn_of_ours.close()
        assert not free(line, line.card()), "the other's turn was given back with ours"
    assert free(line, line.card())


def test_an_error_in_a_turn_gives_it_back() -> None:
    line = Line(_ONE)
    with pytest.raises(OSError, match="bad"), line.card().turn(never):
        raise OSError("bad")
    assert free(line, line.card())


def test_a_card_is_alone_until_another_copies_or_waits() -> None:
    line = Line(_ONE)
    card, other = line.card(), line.card(disk="sdb")
    assert card.is_alone()
    with card.turn(never):
        assert card.is_alone()
        assert not other.is_alone()
        line.wait("other", other)
        assert not card.is_alone()
    line.join()
    assert card.is_alone()
