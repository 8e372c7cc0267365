"""What errors of a card and of the evidence disk mean, and what to do."""

import errno

from recorder_sync.errors import RecordingFailure, os_reason
from recorder_sync.language import T, Text


class Unreadable(RecordingFailure):
    """The card does not give all of a recording; what it gives can be salvaged."""


def explained(error: OSError) -> RecordingFailure:
    """Say what an error of the card means, and what to do."""
    match error.errno:
        case errno.ENOENT:
            return RecordingFailure(
                T("It disappeared from the card after the inventory."),
                T("Ask the officer whether it was deleted on the device; the inventory proves it."),
            )
        case errno.EACCES | errno.EPERM:
            return RecordingFailure(
                T("It may not be read: {why}.", why=os_reason(error)),
                T("Run the command as a user who may read the card."),
            )
        case _:
            return Unreadable(
                T("It cannot be read from the card: {why}.", why=os_reason(error)),
                T("Leave it on the card, try another reader, and report the fault."),
            )


def bad_medium(error: OSError) -> RecordingFailure:
    """Say that a copy could not be read back."""
    return _bad_medium(os_reason(error))


def other_bytes() -> RecordingFailure:
    """Say that the evidence disk gave back something else than it was given."""
    return _bad_medium(T("other bytes came back than were written"))


def _bad_medium(why: Text) -> RecordingFailure:
    return RecordingFailure(
        T("The copy on the evidence disk is not good: {why}.", why=why),
        T("The recording stays on the card. Have the evidence disk checked before going on."),
    )
