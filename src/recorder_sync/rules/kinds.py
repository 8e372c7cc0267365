"""What is a recording? By the name's ending first, then by what the content is.

The endings are those that Art. 16's devices write. A file with another ending is a
recording when ffprobe recognises it, so nothing hides behind a changed name.
"""

from recorder_sync.model import CardPath, Kind

_ENDINGS = {
    Kind.VIDEO: ("mp4", "mov", "avi", "mkv", "ts", "3gp"),
    Kind.AUDIO: ("wav", "mp3", "aac", "m4a", "amr"),
    Kind.PHOTO: ("jpg", "jpeg", "png", "heic"),
}
_KIND_BY_ENDING = {ending: kind for kind, endings in _ENDINGS.items() for ending in endings}


def kind_by_name(path: CardPath) -> Kind | None:
    """Return the kind that the file's ending names, or None."""
    _, dot, ending = path.name.text.rpartition(".")
    return _KIND_BY_ENDING.get(ending.lower()) if dot else None
