"""What to do about anything in the custody folder that is not what it was."""

from recorder_sync.errors import CustodyProblem
from recorder_sync.language import T, Text


def unreliable(text: Text) -> CustodyProblem:
    """Return the error for something that cannot be relied on, with what to do."""
    return CustodyProblem(
        text,
        T(
            "Keep the folder as it is, and compare it with a backup, a forwarded copy and the "
            "checkpoints that others keep."
        ),
    )
