"""Why something that was handed over does not count: a key, a note, a proof, a rotation.

The reason ends a sentence for a person, so it is kept as a `Text`. It is a ValueError, since
whoever reads such things asks no more than that.
"""

from recorder_sync.language import T, Text


class Unfit(ValueError):
    """It is not what it should be."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.english)
        self.text = text


def reason(error: ValueError) -> Text:
    """Return the reason, in words for people where they are ours."""
    return error.text if isinstance(error, Unfit) else T("{why}", why=error)
