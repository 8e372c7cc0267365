"""The stages of an enforcement action (Art. 6 to 9); `marks.py` has what belongs to each."""

from enum import StrEnum


class Stage(StrEnum):
    """A stage of an enforcement action."""

    START = "start"
    INVESTIGATION = "investigation"
    DECISION = "review and decision"
    EXECUTION = "service and execution"
