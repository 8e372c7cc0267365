"""Asks confined processes what a file is; a file that hangs or kills one costs only itself.

Each process serves one request at a time. One that takes too long, or dies, is
replaced, with its whole process group killed, and the file counts as unreadable.
"""

import base64
import json
import os
import selectors
import time
from collections.abc import Mapping, Sequence
from queue import Empty, LifoQueue
from types import MappingProxyType
from typing import Any

from recorder_sync.child import Child
from recorder_sync.config import Media as MediaSettings
from recorder_sync.media.answer import checked
from recorder_sync.media.ffprobe import find_ffprobe
from recorder_sync.media.window import Shown, Window
from recorder_sync.model import Flag, Kind, Media
from recorder_sync.rules.naming import IdentityFormat

_LONGEST_ANSWER = 4 << 20


class Describer:
    """A small pool of confined processes, started when first needed.

    Raises MissingPart on creation when ffprobe is not there.
    """

    def __init__(self, settings: MediaSettings, window: Window | None = None) -> None:
        """`window` is where `describe` finds what is shown."""
        self._settings = settings
        self._window = window
        self._ffprobe = find_ffprobe(settings)
        self._free: LifoQueue[_Process | None] = LifoQueue()
        for _ in range(settings.processes):
            self._free.put(None)

    def close(self) -> None:
        """End the processes."""
        for _ in range(self._settings.processes):
            if process := self._free.get():
                process.kill()

    def start(self) -> None:
        """Start a process before it is needed: it takes a moment to be ready.

        Where all of them are at work there is nothing to start, and nothing to wait for.
        """
        try:
            process = self._free.get_nowait()
        except Empty:
            return
        try:
            if process is None:
                process = _Process(self._settings, self._window)
        finally:
            self._free.put(process)

    def describe(
        self,
        files: Sequence[tuple[bytes, Kind | None]],
        shown: Mapping[bytes, Shown] = MappingProxyType({}),
    ) -> list[Media]:
        """Return what each file says of itself, by its path; never raises for a bad file.

        Photos are read by a library, several at a time; everything else by ffprobe. A photo
        that is `shown`, by its path, is looked at in the window.
        """
        photos = [path for path, kind in files if kind is Kind.PHOTO]
        known = dict(zip(photos, self._photos(photos, shown), strict=True)) if photos else {}
        return [known.get(path) or self._describe(path, "describe") for path, _ in files]

    def _photos(self, paths: Sequence[bytes], shown: Mapping[bytes, Shown]) -> list[Media]:
        photos = [{"path": _b64(path), "shown": _place(shown.get(path))} for path in paths]
        answer = self._ask({"do": "photos", "photos": photos})
        found = answer.get("photos")
        if isinstance(found, list) and len(found) == len(paths):
            return [_media(one) for one in found]
        return [self._describe(path, "photo") for path in paths]  # one of them is to blame

    def _describe(self, path: bytes, do: str) -> Media:
        return _media(self._ask({"do": do, "path": _b64(path), "ffprobe": self._ffprobe}))

    def kind_of(self, path: bytes) -> Kind | None:
        """Return what kind of recording the file is by its content, None for no recording.

        A file that is cut short, or that hangs or kills the process, may be one: it
        counts as Kind.OTHER.
        """
        answer = self._ask({"do": "describe", "path": _b64(path), "ffprobe": self._ffprobe})
        found = answer.get("media")
        if not isinstance(found, dict):
            return Kind.OTHER
        media = checked(found)
        if media.problem is Flag.UNREADABLE:
            return None
        return media.kind if media.problem or media.kind is not Kind.OTHER else None

    def identity_facts(self, path: bytes, form: IdentityFormat) -> list[dict[str, str]]:
        """Return the facts of an identity file. Raises ValueError when it cannot be read."""
        answer = self._ask({"do": "identity", "path": _b64(path), "form": form.value})
        facts = answer.get("facts")
        if not isinstance(facts, list):
            raise ValueError(str(answer.get("error")))
        return facts

    def _ask(self, request: Mapping[str, object]) -> dict[str, Any]:
        process = self._free.get()
        try:
            if process is None or process.has_ended():
                process = _Process(self._settings, self._window)
            answer = process.ask(request, self._settings.time_limit_s)
        except _Lost as lost:
            process = None
            answer = {"error": str(lost)}
        except BaseException:
            if process is not None:
                process.kill()
            process = None
            raise
        finally:
            self._free.put(process)
        return answer


class _Lost(Exception):
    """The process is gone, or was killed because it took too long."""


class _Process:
    def __init__(self, settings: MediaSettings, window: Window | None) -> None:
        looked_through = [window.to_look_through] if window else []
        self._child = Child(
            "recorder_sync.media.confined",
            str(settings.memory_limit_mib << 20),
            *map(str, looked_through),
            handles=looked_through,
            environment={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
            silent=True,
        )

    def has_ended(self) -> bool:
        """Tell whether the process died while nobody asked it anything."""
        if not self._child.has_ended():
            return False
        self.kill()
        return True

    def ask(self, request: Mapping[str, object], limit_s: float) -> dict[str, Any]:
        try:
            self._child.requests.write(json.dumps(request).encode() + b"\n")
            self._child.requests.flush()
        except BrokenPipeError:
            raise self._lost("the confined process ended before it was asked") from None
        line = self._line(time.monotonic() + limit_s, limit_s)
        try:
            answer = json.loads(line)
        except ValueError:
            raise self._lost("the confined process answered with rubbish") from None
        return answer if isinstance(answer, dict) else {}

    def _line(self, until: float, limit_s: float) -> bytes:
        handle = self._child.answers.fileno()
        line = bytearray()
        with selectors.DefaultSelector() as selector:
            selector.register(handle, selectors.EVENT_READ)
            while not line.endswith(b"\n"):
                if not selector.select(max(0.0, until - time.monotonic())):
                    raise self._lost(f"not read within {limit_s:g} s")
                part = os.read(handle, 1 << 16)
                if not part:
                    raise self._lost("the confined process died while reading it")
                line += part
                if len(line) > _LONGEST_ANSWER:
                    raise self._lost("the description is too long to be one")
        return bytes(line)

    def _lost(self, why: str) -> _Lost:
        self.kill()
        return _Lost(why)

    def kill(self) -> None:
        self._child.kill()


def _media(answer: object) -> Media:
    found = answer.get("media") if isinstance(answer, dict) else None
    if isinstance(found, dict):
        return checked(found)
    why = answer.get("error") if isinstance(answer, dict) else None
    return Media(problem=Flag.UNREADABLE, detail=str(why))


def _place(shown: Shown | None) -> list[int] | None:
    return [shown.offset, shown.size] if shown else None


def _b64(path: bytes) -> str:
    return base64.b64encode(path).decode()
