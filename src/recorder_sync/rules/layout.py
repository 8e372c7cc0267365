"""What an object is called in a store, by the template of the settings.

    {station}/{device}/{yyyy}/{mm}/{dd}/{hhmmss}_{id}_{name}

The fields are those of the recording as it was sealed; dates are the station's. A field that
a recording does not have is `unassigned`. Every value is made safe first, so that none can
lead to another folder. What goes along with the recordings has places of its own, which no
template can name. Pure.
"""

import re
from collections.abc import Mapping
from datetime import tzinfo

from recorder_sync.model import UNASSIGNED, Recording
from recorder_sync.rules.naming import safe_component, safe_name

FIELDS = (
    "station",
    "device",
    "officer",
    "case",
    "kind",
    "yyyy",
    "mm",
    "dd",
    "hhmmss",
    "id",
    "name",
)
DEFAULT = "{station}/{device}/{yyyy}/{mm}/{dd}/{hhmmss}_{id}_{name}"

_FIELD = re.compile(r"\{([^{}]*)\}")
_RESERVED = "_stations"


def checked(template: str) -> str:
    """Return the template. Raises ValueError for one that may not be used."""
    fields = _FIELD.findall(template)
    rest = _FIELD.sub("", template)
    unknown = sorted(set(fields) - set(FIELDS))
    if unknown or "{" in rest or "}" in rest:
        allowed = ", ".join(f"{{{name}}}" for name in FIELDS)
        raise ValueError(f"should hold no other fields than {allowed}")
    if "id" not in fields:
        raise ValueError("should hold {id}: no two recordings may have one name")
    parts = template.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise ValueError("should be a relative path without empty parts, . and ..")
    if not re.fullmatch(r"[A-Za-z0-9._/-]*", rest):
        raise ValueError("should hold letters, digits, . _ - and / beside its fields")
    if template.startswith((".", _RESERVED)):
        raise ValueError(f"should begin neither with a dot nor with {_RESERVED}")
    return template


def recording_key(template: str, recording: Recording, station: str, zone: tzinfo) -> str:
    """Return the key of a recording; that of its description has `.json` behind it."""
    start = recording.recorded.start.astimezone(zone)
    tags = recording.tags
    values = {
        "station": station,
        "device": recording.device,
        "officer": tags.officer.value if tags.officer else UNASSIGNED,
        "case": tags.case.value if tags.case else UNASSIGNED,
        "kind": recording.kind.value,
        "yyyy": f"{start.year:04d}",
        "mm": f"{start:%m}",
        "dd": f"{start:%d}",
        "hhmmss": f"{start:%H%M%S}",
        "id": recording.id,
    }
    safe = {name: safe_component(value) for name, value in values.items()}
    return _filled(template, {**safe, "name": safe_name(recording.original_path)})


def station_key(station: str, name: str) -> str:
    """Return the key of what a station puts beside its recordings, such as
    `custody/00000000000000000000.jsonl`."""
    return f"{_RESERVED}/{safe_component(station)}/{name}"


def _filled(template: str, values: Mapping[str, str]) -> str:
    return _FIELD.sub(lambda found: values[found[1]], template)
