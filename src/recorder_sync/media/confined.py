"""The confined process: reads hostile files, and nothing else.

Started by `media/describer.py` with no inherited handles, as the leader of a process
group of its own. One request a line on standard input, one answer a line on standard
output, both JSON. It answers or dies; the parent counts both as answers. When the parent
is gone, it ends at once, with the ffprobe it may be waiting for.
"""

import base64
import dataclasses
import json
import sys
from typing import Any

from recorder_sync.media.confinement import confine
from recorder_sync.media.reading_ahead import read_ahead
from recorder_sync.media_facts import Media
from recorder_sync.orphan import end_with_parent

_FIELDS = [field.name for field in dataclasses.fields(Media)]


def answer(request: dict[str, Any]) -> dict[str, object]:
    """Return the answer to one request; an unexpected error is an answer as well."""
    if request["do"] == "photos":
        read_ahead([base64.b64decode(path) for path in request["paths"]])
        photos = [{"do": "photo", "path": path} for path in request["paths"]]
        return {"photos": [answer(photo) for photo in photos]}
    path = base64.b64decode(request["path"])
    try:
        match request["do"]:
            case "describe":
                from recorder_sync.media import video

                media = video.describe(path, request["ffprobe"])
            case "photo":
                from recorder_sync.media import photo

                media = photo.describe(path)
            case "identity":
                from recorder_sync.media import identity_file

                return {"facts": identity_file.read(path, request["form"])}
            case other:
                return {"error": f"no such request: {other}"}
    except (OSError, ValueError, MemoryError, RecursionError) as error:
        return {"error": f"{type(error).__name__}: {error}"}
    found = {name: getattr(media, name) for name in _FIELDS}
    position = media.position
    return {"media": {**found, "position": dataclasses.asdict(position) if position else None}}


def main() -> None:
    confine(int(sys.argv[1]))
    end_with_parent()
    for line in sys.stdin.buffer:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
