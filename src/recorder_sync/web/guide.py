"""The wording guide (Art. 18): what to say, and what to show, while the recorder is on.

An office writes its own (`[[web.guide]]`). What stands here is for the first day: it follows
what the Measures ask to be said and shown (Art. 9 (3), 17, 19, 20, 23, 24) and is no legal
advice.
"""

from dataclasses import dataclass

from recorder_sync.language import tr
from recorder_sync.printable import printable
from recorder_sync.web_settings import Web


@dataclass(frozen=True, slots=True)
class Chapter:
    title: str
    lines: tuple[str, ...]


def guide(settings: Web) -> list[Chapter]:
    """Return the station's guide, in the language of the page where it is the built-in one."""
    if settings.guide:
        return [
            Chapter(printable(one.title), tuple(map(printable, one.text.strip().splitlines())))
            for one in settings.guide
        ]
    return [
        Chapter(
            tr("Before you begin"),
            (
                tr("Check battery, free space and clock; wear the recorder where it sees well."),
                tr("Say date, time, place and matter, and the names of all officers there."),
            ),
        ),
        Chapter(
            tr("Show who you are, and say that you record"),
            (
                tr(
                    "“We are officers of …. These are our certificates: … and …. "
                    "Please look at them.”"
                ),
                tr("“This enforcement is recorded with sound and picture from the beginning.”"),
            ),
        ),
        Chapter(
            tr("Rights of the person"),
            (
                tr(
                    "“You may state your case and defend yourself. You may ask that an officer "
                    "who is not impartial does not take part.”"
                ),
                tr("“You have to answer truthfully and may not hinder the inspection.”"),
            ),
        ),
        Chapter(
            tr("What the recording has to show"),
            (
                tr("The place, and how you inspect and take evidence."),
                tr("The persons there, what they look like, say and do."),
                tr("Objects that matter, close enough for their features, and other evidence."),
                tr("Coercive measures against persons or property, from beginning to end."),
                tr("How documents are written, read out, signed and served."),
            ),
        ),
        Chapter(
            tr("If the recording was interrupted"),
            (
                tr(
                    "When it goes on, say at once: “The recording stopped from … to … because of "
                    "…. It goes on now.”"
                ),
                tr("If it cannot go on: after the enforcement write down why; two officers sign."),
            ),
        ),
        Chapter(
            tr("Afterwards"),
            (
                tr("“The enforcement is over; the recording ends now, at ….”"),
                tr("Dock the recorder within 24 hours. Keep and pass on nothing yourself."),
                tr("A faulty recorder: stop using it, report it, do not open it."),
            ),
        ),
    ]
