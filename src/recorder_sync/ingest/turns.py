"""Whose turn it is to copy: limits on what happens at once, and fairness within them.

The number of recordings that are copied at the same time is limited in all, for each
disk they come from, and for each group of ports that share one line. Who waits goes on by
time: the card that has been served least goes first, and a long copy passes its turn on
between two chunks when somebody waits who had less. So a small card is done before a
large one that came with it, and a slow card costs a fast one no more than its share.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition

QUANTUM_S = 1.0
"""Seconds that a turn lasts at least, however many wait."""

_LOOK_S = 0.2
"""Seconds between two looks at whether a waiting card was told to stop."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Recordings that may be copied at the same time."""

    in_all: int
    per_disk: int
    per_port_group: int


@dataclass(frozen=True, slots=True)
class Berth:
    """Where a card is plugged in."""

    disk: str
    port_group: str | None
    """Ports that share one line to the computer, such as those of a hub; None: unknown."""


class Turns:
    """The turns of one process."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._changed = Condition()
        self._copying: list[CardTurns] = []
        self._waiting: list[CardTurns] = []

    def card(self, berth: Berth, waits: Callable[[bool], None]) -> "CardTurns":
        """Return one card's place in the line; `waits` is told when it has to wait."""
        return CardTurns(self, berth, waits)

    def take(self, card: "CardTurns", stop: Callable[[], None]) -> None:
        """Wait until the card may copy one more recording; `stop` may raise meanwhile."""
        with self._changed:
            self._waiting.append(card)
            try:
                if not self._is_next(card):
                    self._tell(card)
                while not self._is_next(card):
                    self._changed.wait(_LOOK_S)
                    stop()
                self._copying.append(card)
            finally:
                self._waiting.remove(card)
                self._tell(card)

    def give_back(self, card: "CardTurns") -> None:
        with self._changed:
            self._copying.remove(card)
            self._changed.notify_all()

    def somebody_waits_for(self, card: "CardTurns") -> bool:
        """Tell whether a card that was served less could go if this one gave its turn back."""
        with self._changed:
            self._copying.remove(card)
            try:
                return any(
                    other.served_s < card.served_s and self._has_room(other)
                    for other in self._waiting
                )
            finally:
                self._copying.append(card)

    def is_alone(self, card: "CardTurns") -> bool:
        """Tell whether no other card copies or waits."""
        with self._changed:
            return all(other is card for other in (*self._copying, *self._waiting))

    def now(self) -> float:
        return self._clock()

    def _is_next(self, card: "CardTurns") -> bool:
        return self._has_room(card) and not any(
            other.served_s < card.served_s and self._has_room(other) for other in self._waiting
        )

    def _has_room(self, card: "CardTurns") -> bool:
        disk, group = card.berth.disk, card.berth.port_group
        same_disk = sum(1 for other in self._copying if other.berth.disk == disk)
        same_group = sum(1 for other in self._copying if other.berth.port_group == group)
        return (
            len(self._copying) < self._limits.in_all
            and same_disk < self._limits.per_disk
            and (group is None or same_group < self._limits.per_port_group)
        )

    def _tell(self, card: "CardTurns") -> None:
        card.waits(card in self._waiting and card not in self._copying)


class CardTurns:
    """One card's place in the line."""

    def __init__(self, turns: Turns, berth: Berth, waits: Callable[[bool], None]) -> None:
        self.berth = berth
        self.waits = waits
        self.served_s = 0.0
        """Seconds of all its turns so far."""
        self._turns = turns

    def is_alone(self) -> bool:
        """Tell whether no other card copies or waits."""
        return self._turns.is_alone(self)

    @contextmanager
    def turn(self, stop: Callable[[], None]) -> Iterator["Turn"]:
        """Hold a turn. `stop` is called while waiting for it, and may raise."""
        self._turns.take(self, stop)
        turn = Turn(self._turns, self, stop)
        try:
            yield turn
        finally:
            turn.end()


class Turn:
    """The right to copy one recording."""

    def __init__(self, turns: Turns, card: CardTurns, stop: Callable[[], None]) -> None:
        self._turns = turns
        self._card = card
        self._stop = stop
        self._held = True
        self._since = turns.now()

    def pass_on(self) -> None:
        """Between two chunks: let somebody else go first who waits and had less."""
        now = self._turns.now()
        if now - self._since < QUANTUM_S:
            return
        self._card.served_s += now - self._since
        self._since = now
        if self._turns.somebody_waits_for(self._card):
            self._turns.give_back(self._card)
            self._held = False
            self._turns.take(self._card, self._stop)
            self._held = True
            self._since = self._turns.now()

    def end(self) -> None:
        if self._held:
            self._card.served_s += self._turns.now() - self._since
            self._turns.give_back(self._card)
