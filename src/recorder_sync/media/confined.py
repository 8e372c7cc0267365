"""The confined process: reads hostile files, and nothing else.

Started by `media/describer.py` with no inherited handles but one to look at photos in memory
(`window.py`), as the leader of a process group of its own. One request a line on standard
input, one answer a line on standard output, both JSON. It answers or dies; the parent counts
both as answers. When the parent is gone, it ends at once, with the ffprobe it may be waiting
for.
"""

import base64
import dataclasses
import io
import json
import mmap
import sys
from typing import Any

from recorder_sync.media.confinement import confine
from recorder_sync.media.reading_ahead import read_ahead
from recorder_sync.media_facts import Media
from recorder_sync.orphan import end_with_parent

_FIELDS = [field.name for field in dataclasses.fields(Media)]


def answer(request: dict[str, Any], seen: mmap.mmap | None = None) -> dict[str, object]:
    """Return the answer to one request; an unexpected error is an answer as well.

    `seen` is the window's memory.
    """
    if request["do"] == "photos":
        photos = request["photos"]
        read_ahead([base64.b64decode(one["path"]) for one in photos if not one["shown"]])
        return {"photos": [answer({"do": "photo", **one}, seen) for one in photos]}
    path = base64.b64decode(request["path"])
    try:
        match request["do"]:
            case "describe":
                from recorder_sync.media import video

                media = video.describe(path, request["ffprobe"])
            case "photo":
                from recorder_sync.media import photo

                if seen is not None and request.get("shown"):
                    offset, size = request["shown"]
                    media = photo.described(io.BytesIO(seen[offset : offset + size]))
                else:
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
    memory, *window = map(int, sys.argv[1:])
    confine(memory)
    end_with_parent()
    seen = mmap.mmap(window[0], 0, access=mmap.ACCESS_READ) if window else None
    for line in sys.stdin.buffer:
        sys.stdout.write(json.dumps(answer(json.loads(line), seen)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
