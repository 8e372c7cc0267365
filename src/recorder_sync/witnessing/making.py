"""Makes a checkpoint the way the station does: held against every note, kept in every place.

The notes of all places are looked at before anything is signed, and the new one goes to
all of them. A place that fails stops no other, and no checkpoint: it is told.
"""

from dataclasses import dataclass

from recorder_sync.config import Configuration
from recorder_sync.custody.checkpoints import Checkpoints, Signed
from recorder_sync.custody.elsewhere import NoteElsewhere
from recorder_sync.errors import os_reason
from recorder_sync.language import T, Text
from recorder_sync.station import evidence_and_custody
from recorder_sync.witnessing.delivered import Delivered, file_system_of
from recorder_sync.witnessing.places import Place, places_of


@dataclass(frozen=True, slots=True)
class Trouble:
    """A place that could not be used."""

    text: Text
    hint: Text
    is_missing: bool
    """It is not there just now, which is no error."""


@dataclass(frozen=True, slots=True)
class Made:
    """A checkpoint, and where it could not be kept."""

    signed: Signed
    troubles: tuple[Trouble, ...]


def checkpoints_of(settings: Configuration) -> Checkpoints:
    """Return the checkpoints of the station of these settings."""
    _, log = evidence_and_custody(settings)
    return Checkpoints(settings.paths.state / "custody", log, settings.station.id)


def make_checkpoint(settings: Configuration, checkpoints: Checkpoints) -> Made:
    """Sign the log as it is now, and keep the note in every place.

    Raises CustodyProblem when the log does not fit a checkpoint that is kept anywhere,
    MissingPart when it cannot be signed.
    """
    troubles: list[Trouble] = []
    notes: list[NoteElsewhere] = []
    usable = []
    for place in places_of(settings):
        try:
            if place.is_there():
                notes += place.newest()
                usable.append(place)
            elif place.is_missed:
                troubles.append(_missing(place))
        except OSError as error:
            troubles.append(_failing(place, error))
    signed = checkpoints.make(notes)
    delivered = Delivered(settings.paths.state / "custody")
    for place in usable:
        try:
            with delivered.turn():
                place.keep(signed)
                file_system = file_system_of(place.disk) if place.is_missed else None
                if file_system is not None:
                    delivered.add(place.path, file_system, place.sizes())
        except OSError as error:
            troubles.append(_failing(place, error))
    return Made(signed, tuple(troubles))


def notes_elsewhere(settings: Configuration) -> list[NoteElsewhere]:
    """Return every note of every place that is there. Raises OSError."""
    return [note for place in places_of(settings) for note in place.notes()]


def _missing(place: Place) -> Trouble:
    return Trouble(
        T("Checkpoints are not kept in {path}: it is not there.", path=place.path),
        T("Plug the stick in, or mount the disk; the last checkpoint is written then."),
        is_missing=True,
    )


def _failing(place: Place, error: OSError) -> Trouble:
    return Trouble(
        T("Checkpoints are not kept in {path}: {why}.", path=place.path, why=os_reason(error)),
        T("Free space there, check the rights, or use another stick."),
        is_missing=False,
    )
