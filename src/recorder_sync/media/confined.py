"""The confined process: reads hostile files, and nothing else.

Started by `media/describer.py` with no inherited handles, as the leader of a process
group of its own. One request a line on standard input, one answer a line on standard
output, both JSON. It answers or dies; the parent counts both as answers. When the parent
is gone, it ends at once, with the ffprobe it may be waiting for.
"""

import base64
import dataclasses
import json
import os
import select
import signal
import sys
import threading

from recorder_sync.media.confinement import confine


def answer(request: dict[str, str]) -> dict[str, object]:
    """Return the answer to one request; an unexpected error is an answer as well."""
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
    return {"media": dataclasses.asdict(media)}


def main() -> None:
    confine(int(sys.argv[1]))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    for line in sys.stdin.buffer:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


def _end_with_parent() -> None:
    """Wait until nobody can write to standard input any more.

    A parent-death signal (prctl(2)) would come when the parent's *thread* ends that
    started this process.
    """
    watch = select.poll()
    watch.register(sys.stdin.fileno(), 0)  # only the hang-up, which is always reported
    watch.poll()
    os.killpg(0, signal.SIGKILL)


if __name__ == "__main__":
    main()
