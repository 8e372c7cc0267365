"""Everything that can go wrong, as one family.

An error says what happened, to which thing, and what to do next: `text` and `hint`
are shown to people in their language, and written to logs and JSON in English.
The exit code of a command is that of the error which ended it.
"""

import errno

from recorder_sync.language import T, Text


class RecorderSyncError(Exception):
    """The root of the family; never raised itself."""

    exit_code = 1

    def __init__(self, text: Text, hint: Text | None = None) -> None:
        super().__init__(text.english)
        self.text = text
        self.hint = hint

    def __reduce__(self) -> tuple[object, ...]:
        """Be the same in another process."""
        return type(self), (self.text, self.hint)


class UsageProblem(RecorderSyncError):
    """What was asked for makes no sense; nothing was done."""

    exit_code = 2


class BadList(UsageProblem):
    """A list has problems, all of them named with their line; nothing was entered."""

    def __init__(self, text: Text, problems: list[Text], hint: Text | None = None) -> None:
        super().__init__(text, hint)
        self.problems = problems

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.text, self.problems, self.hint)


class SharedIdentity(UsageProblem):
    """Two devices would have one USB identity or one card; nothing was done."""

    def __init__(self, device: str, text: Text, hint: Text | None = None) -> None:
        super().__init__(text, hint)
        self.device = device
        """Number of the device that cannot have it."""

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.device, self.text, self.hint)


class ConfigurationProblem(RecorderSyncError):
    """The configuration has problems, all of them listed; nothing was done."""

    exit_code = 2

    def __init__(self, text: Text, problems: list[Text], hint: Text | None = None) -> None:
        super().__init__(text, hint)
        self.problems = problems


def error_json(error: RecorderSyncError) -> dict[str, object]:
    """Return an error as other programs rely on it."""
    return {
        "error": error.text.english,
        "problems": [problem.english for problem in problems_of(error)],
        "hint": error.hint.english if error.hint else None,
    }


def problems_of(error: RecorderSyncError) -> list[Text]:
    """Return the single problems of an error that lists them."""
    lists = BadList | ConfigurationProblem | NotReady
    return error.problems if isinstance(error, lists) else []


def all_of(error: RecorderSyncError) -> str:
    """Return an error with every problem that it lists, in one line of English for a log."""
    problems = error.problems if isinstance(error, ConfigurationProblem) else ()
    return "; ".join([str(error), *(problem.english for problem in problems)])


class MissingPart(RecorderSyncError):
    """A needed part is not there: a program, a folder, space, a permission."""

    exit_code = 3


class CatalogueProblem(RecorderSyncError):
    """The catalogue cannot be used as it is. The evidence is untouched."""

    exit_code = 3


class CustodyProblem(RecorderSyncError):
    """The custody log is not what it was when it was written."""


class NotFound(RecorderSyncError):
    """Nothing, or more than one thing, goes by that name."""

    exit_code = 2


class NotReady(RecorderSyncError):
    """A device may not go out (Art. 22), with every reason; nothing was done."""

    def __init__(self, text: Text, problems: list[Text], hint: Text | None = None) -> None:
        super().__init__(text, hint)
        self.problems = problems

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.text, self.problems, self.hint)


class RecordingFailure(RecorderSyncError):
    """One recording could not be taken in; the others go on."""


class DocumentFailure(RecorderSyncError):
    """One document of a case could not be taken in; whoever handed it in has it."""


class VolumeGone(RecordingFailure):
    """The device was unplugged: what is not in yet is missing, not deleted."""


class ProgramFailure(RecorderSyncError):
    """A program that was to ask or to unlock a device did not do so."""


class Stopped(RecorderSyncError):
    """A person or the system asked the command to stop.

    `exit_code` is 128 plus the signal's number, as shells expect.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__(
            T("Stopped before everything was taken in."),
            T("Run the same command again; it continues where it stopped."),
        )
        self.exit_code = 128 + signal_number


class NotRegular(OSError):
    """A pipe, a link, a device or a folder stands where a file is to be."""

    def __init__(self, path: object) -> None:
        super().__init__(errno.EINVAL, "not a regular file", str(path))


def refused(error: OSError) -> MissingPart:
    """Return our error for one of the system's that nobody expected."""
    return MissingPart(
        T("The system refused {what}: {why}.", what=error.filename or "?", why=os_reason(error)),
        T("Check the rights and the disk. What is sealed stays sealed; run the command again."),
    )


def defect(error: Exception) -> tuple[Text, Text]:
    """Return text and hint for an error that nobody expected, in work that goes on without it."""
    return (
        T("The program has a defect: {why}", why=repr(error)),
        T("Keep the journal (journalctl -u 'recorder-sync*') and report it."),
    )


def beyond_everything() -> UsageProblem:
    """Return our error for a number or a day that no computer of ours counts to."""
    return UsageProblem(
        T("A number or a day in it is larger or smaller than can be counted here."),
        T("Give one of our time."),
    )


def os_reason(error: OSError) -> Text:
    """Return why the system refused, as the end of a sentence."""
    if isinstance(error, NotRegular):
        return T("it is not a regular file")
    return _REASONS.get(error.errno or 0) or T("{why}", why=error.strerror or error)


_REASONS = {
    errno.ENOENT: T("it is not there"),
    errno.EACCES: T("permission denied"),
    errno.EPERM: T("permission denied"),
    errno.ENOSPC: T("the disk is full"),
    errno.EDQUOT: T("the disk quota is used up"),
    errno.EIO: T("a read or write error"),
    errno.EROFS: T("the file system is read-only"),
    errno.ENOTDIR: T("it is not a folder"),
    errno.EISDIR: T("it is a folder"),
    errno.EEXIST: T("something of this name is already there"),
    errno.ELOOP: T("symbolic links lead in a circle"),
    errno.EMFILE: T("too many files are open"),
    errno.ESTALE: T("it is not the folder that it was"),
    errno.EFBIG: T("the file is larger than allowed"),
}
