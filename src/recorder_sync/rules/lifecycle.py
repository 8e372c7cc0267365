"""A recording's states and the moves allowed between them.

`SEALING` is written before a copy is moved into the evidence tree and is what a
restart continues from; nobody is told of a recording before it is `SEALED`.
"""

from enum import StrEnum


class State(StrEnum):
    SEALING = "sealing"
    SEALED = "sealed"


class Event(StrEnum):
    INTENT_WRITTEN = "intent-written"
    ENTERED_IN_CUSTODY_LOG = "entered-in-custody-log"
    COPY_LOST = "copy-lost"


MOVES: dict[State | None, dict[Event, State | None]] = {
    None: {Event.INTENT_WRITTEN: State.SEALING},
    State.SEALING: {Event.ENTERED_IN_CUSTODY_LOG: State.SEALED, Event.COPY_LOST: None},
    State.SEALED: {},
}
"""What each state allows. None is "not in the catalogue"."""


def after(state: State | None, event: Event) -> State | None:
    """Return the state that `event` leads to.

    Raises ValueError for a move that is not allowed.
    """
    moves = MOVES[state]
    if event not in moves:
        raise ValueError(f"a recording that is {state} allows no {event}")
    return moves[event]
