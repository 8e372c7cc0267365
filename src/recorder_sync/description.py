"""A recording as JSON: the RECORDING that other programs rely on, and back.

The same form stands beside the recording in the evidence folder, in its custody
entry, in the catalogue, and in every `--json` answer. Absent values are null.
"""

import base64
import json
from collections.abc import Mapping
from json.encoder import encode_basestring
from typing import Any

from recorder_sync.model import (
    CardPath,
    Claim,
    Digests,
    Flag,
    Kind,
    Media,
    Position,
    Range,
    RecordedTime,
    Recording,
    Source,
    Tag,
    Tags,
    TimeSource,
)
from recorder_sync.rules.lifecycle import State
from recorder_sync.timestamps import iso, iso_ns, iso_or_none, moment, ns

Json = dict[str, Any]

_encoded = json.JSONEncoder(ensure_ascii=False).encode


def as_json(recording: Recording, state: State = State.SEALED) -> Json:
    """Return the RECORDING."""
    officer = recording.tags.officer
    return {
        "id": recording.id,
        "docking": recording.docking,
        "device": recording.tags.device.value if recording.tags.device else None,
        "officer": (
            {"cert_no": officer.value, "name": recording.officer_name} if officer else None
        ),
        "case": recording.tags.case.value if recording.tags.case else None,
        "kind": recording.kind.value,
        "original_name": recording.original_path.name.text,
        "original_path": recording.original_path.text,
        "original_path_base64": recording.original_path.base64,
        "mtime": iso_ns(recording.mtime_ns),
        "path": recording.path,
        "size": recording.size,
        "blake3": recording.digests.blake3,
        "sha256": recording.digests.sha256,
        "sm3": recording.digests.sm3,
        "recorded_start": iso(recording.recorded.start),
        "recorded_end": iso_or_none(recording.recorded.end),
        "recorded_source": recording.recorded.source.value,
        "recorded_raw": _sorted(recording.recorded.raw),
        "duration_s": recording.media.duration_s,
        "media": _media_json(recording.media),
        "state": state.value,
        "sealed_at": iso(recording.sealed_at),
        "deadline": iso(recording.deadline),
        "on_time": recording.on_time,
        "tags": {
            "device": _tag_json(recording.tags.device),
            "officer": _tag_json(recording.tags.officer),
            "case": _tag_json(recording.tags.case),
        },
        "flags": sorted(flag.value for flag in recording.flags),
        "read_back": recording.read_back,
        "resumed_at": recording.resumed_at,
        "missing": [{"offset": r.offset, "length": r.length} for r in recording.missing] or None,
        "stores": {},
    }


def as_text(described: Json) -> str:
    """Return the description file's text: the RECORDING, one of its values a line."""
    lines = ",\n".join(f'  "{name}": {_value(value)}' for name, value in described.items())
    return f"{{\n{lines}\n}}\n"


def from_json(found: Mapping[str, Any]) -> Recording:
    """Return the recording that `as_json` described.

    Raises KeyError, TypeError or ValueError when it is no such description.
    """
    tags = found["tags"]
    officer = found["officer"]
    return Recording(
        id=found["id"],
        docking=found["docking"],
        kind=Kind(found["kind"]),
        original_path=_card_path(found),
        mtime_ns=ns(found["mtime"]),
        path=found["path"],
        size=found["size"],
        digests=Digests(found["blake3"], found["sha256"], found["sm3"]),
        recorded=RecordedTime(
            start=moment(found["recorded_start"]),
            end=moment(found["recorded_end"]) if found["recorded_end"] else None,
            source=TimeSource(found["recorded_source"]),
            raw=found["recorded_raw"],
        ),
        media=_media(found["media"], found["duration_s"]),
        tags=Tags(_tag(tags["device"]), _tag(tags["officer"]), _tag(tags["case"])),
        officer_name=officer["name"] if officer else None,
        flags=frozenset(Flag(flag) for flag in found["flags"]),
        sealed_at=moment(found["sealed_at"]),
        deadline=moment(found["deadline"]),
        on_time=found["on_time"],
        read_back=found["read_back"],
        resumed_at=found["resumed_at"],
        missing=tuple(Range(**missing) for missing in found["missing"] or ()),
    )


def _value(value: object) -> str:
    """Return JSON. What most values are is told at once: an encoder is made for each it encodes."""
    if value is None:
        return "null"
    if type(value) is str:
        return encode_basestring(value)
    if type(value) is int:
        return str(value)
    if type(value) is bool:
        return "true" if value else "false"
    if value == {}:
        return "{}"
    return _encoded(value)


def _sorted(found: Mapping[str, str]) -> dict[str, str]:
    """Return names and values in the order that canonical JSON gives them.

    So the text is the same again when it is made from the custody log.
    """
    return {name: found[name] for name in sorted(found)}


def _card_path(found: Mapping[str, Any]) -> CardPath:
    exact = found["original_path_base64"]
    return CardPath(base64.b64decode(exact) if exact else found["original_path"].encode())


def _media_json(media: Media) -> Json:
    position = media.position
    return {
        "kind": media.kind.value,
        "container": media.container,
        "codec": media.codec,
        "audio_codec": media.audio_codec,
        "width": media.width,
        "height": media.height,
        "frame_rate": media.frame_rate,
        "started": media.started,
        "position": (
            {"latitude": position.latitude, "longitude": position.longitude} if position else None
        ),
        "make": media.make,
        "model": media.model,
        "tags": _sorted(media.tags),
        "problem": media.problem.value if media.problem else None,
        "detail": media.detail,
    }


def _media(found: Mapping[str, Any], duration_s: float | None) -> Media:
    position, problem = found["position"], found["problem"]
    return Media(
        kind=Kind(found["kind"]),
        container=found["container"],
        codec=found["codec"],
        audio_codec=found["audio_codec"],
        width=found["width"],
        height=found["height"],
        frame_rate=None if found["frame_rate"] is None else float(found["frame_rate"]),
        duration_s=None if duration_s is None else float(duration_s),
        started=found["started"],
        position=Position(**{k: float(v) for k, v in position.items()}) if position else None,
        make=found["make"],
        model=found["model"],
        tags=found["tags"],
        problem=Flag(problem) if problem else None,
        detail=found["detail"],
    )


def _claim_json(claim: Claim | Tag) -> Json:
    return {"value": claim.value, "source": claim.source.value, "detail": claim.detail}


def _tag_json(tag: Tag | None) -> Json | None:
    if tag is None:
        return None
    return {**_claim_json(tag), "others": [_claim_json(other) for other in tag.others]}


def _claim(found: Mapping[str, Any]) -> Claim:
    return Claim(found["value"], Source(found["source"]), found["detail"])


def _tag(found: Mapping[str, Any] | None) -> Tag | None:
    if found is None:
        return None
    best = _claim(found)
    others = tuple(_claim(other) for other in found["others"])
    return Tag(best.value, best.source, best.detail, others)
