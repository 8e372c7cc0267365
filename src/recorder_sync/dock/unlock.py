"""Unlocks a camera that shows its recordings only after its maker's program has run."""

from collections.abc import Sequence

from recorder_sync.dock import program
from recorder_sync.dock.plugged import Plugged
from recorder_sync.rules.naming import Profile


def unlock(plugged: Plugged, profiles: Sequence[Profile]) -> bool:
    """Run the unlock command of the first profile that names this device's USB numbers.

    Returns whether there was one to run. Raises ProgramFailure when it did not succeed.
    """
    for profile in profiles:
        if profile.unlock_command is not None and profile.is_for(plugged.usb):
            command = profile.unlock_command
            program.run(command.arguments, command.limit_s, program.about(plugged))
            return True
    return False
