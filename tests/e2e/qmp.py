"""QEMU's control socket (QMP): commands out, answers and events in."""

import json
import socket
import time
from pathlib import Path
from typing import Any

_ANSWER_LIMIT_S = 60.0


class Refused(Exception):
    """QEMU does not do what it was told."""


class Silent(Exception):
    """QEMU did not say in time what was waited for."""


class Control:
    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._heard = b""
        self._events: list[dict[str, Any]] = []
        self._next_message(time.monotonic() + _ANSWER_LIMIT_S)  # the greeting
        self.tell("qmp_capabilities")

    def close(self) -> None:
        self._socket.close()

    def tell(self, command: str, **arguments: Any) -> Any:
        """Give a command and return its answer; `_` in names of arguments stands for `-`."""
        named = {name.replace("_", "-"): value for name, value in arguments.items()}
        line = json.dumps({"execute": command, "arguments": named}) + "\n"
        self._socket.sendall(line.encode())
        end = time.monotonic() + _ANSWER_LIMIT_S
        while True:
            message = self._next_message(end)
            if "return" in message:
                return message["return"]
            if "error" in message:
                raise Refused(f"{command}: {message['error']['desc']}")
            self._events.append(message)

    def wait_for(self, event: str, *, limit_s: float = _ANSWER_LIMIT_S, **data: Any) -> None:
        """Wait until QEMU has told of an event with this data; each is told once."""
        end = time.monotonic() + limit_s
        while True:
            for message in self._events:
                told = message.get("data", {})
                if message["event"] == event and data.items() <= told.items():
                    self._events.remove(message)
                    return
            self._events.append(self._next_message(end))

    def _next_message(self, end: float) -> dict[str, Any]:
        while b"\n" not in self._heard:
            self._socket.settimeout(max(0.001, end - time.monotonic()))
            try:
                piece = self._socket.recv(1 << 16)
            except TimeoutError:
                raise Silent("QEMU says nothing") from None
            if not piece:
                raise Silent("QEMU has gone")
            self._heard += piece
        line, self._heard = self._heard.split(b"\n", 1)
        message: dict[str, Any] = json.loads(line)
        return message
