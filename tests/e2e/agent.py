"""The agent in the guest, from outside: runs commands there, and waits there.

All waiting for something to become so in the guest is done by `Followed.until`: the
agent tells of a file whenever it has changed, and nobody sleeps.
"""

import json
import shlex
import socket
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

Found = TypeVar("Found")

PATIENCE_S = 240.0
"""How long anything may take on a busy machine without KVM, before it is a failure."""


class GuestFailed(Exception):
    """A command in the guest ended badly."""


class NotInTime(Exception):
    """Something did not become so in the guest."""


@dataclass(frozen=True)
class Said:
    """What a command in the guest printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Agent:
    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(str(path))
        self._heard = b""
        self._count = 0
        self._answers: defaultdict[int, deque[dict[str, Any]]] = defaultdict(deque)

    def close(self) -> None:
        self._socket.close()

    def answers(self, limit_s: float) -> bool:
        """Tell whether the guest is there, after waiting for it."""
        try:
            self._answer(self._ask(run=["true"]), limit_s)
        except NotInTime:
            return False
        return True

    def run(self, *command: str, input_: str = "", limit_s: float = PATIENCE_S) -> Said:
        """Run a command in the guest to its end, whatever that is.

        Raises NotInTime.
        """
        asked = self._ask(run=list(command), input=input_, limit=limit_s)
        answer = self._answer(asked, limit_s + PATIENCE_S)
        if answer["code"] is None:
            said = (answer["out"] + answer["err"])[-2000:]
            raise NotInTime(f"{' '.join(command)} did not end within {limit_s} s: {said}")
        return Said(answer["code"], answer["out"], answer["err"])

    def sh(self, script: str, limit_s: float = PATIENCE_S) -> str:
        """Run a shell script in the guest and return what it printed.

        Raises GuestFailed when a line of it fails.
        """
        said = self.run("bash", "-euo", "pipefail", "-c", script, limit_s=limit_s)
        if said.code:
            raise GuestFailed(f"{script!r} ended with {said.code}: {(said.out + said.err)[-4000:]}")
        return said.out

    def start(self, script: str) -> None:
        """Start a shell script in the guest and do not wait for its end."""
        self.sh(f"systemd-run --quiet --collect bash -c {shlex.quote(script)}")

    @contextmanager
    def follow(self, path: str) -> Iterator["Followed"]:
        """Follow a file of the guest: what it holds now, and whenever it has changed."""
        asked = self._ask(follow=path)
        try:
            yield Followed(path, lambda limit_s: self._answer(asked, limit_s)["text"])
        finally:
            self._answer(self._ask(unfollow=asked), PATIENCE_S)
            self._answers.pop(asked, None)

    def _ask(self, **asked: Any) -> int:
        self._count += 1
        line = json.dumps({"id": self._count, **asked}) + "\n"
        self._socket.settimeout(PATIENCE_S)
        self._socket.sendall(line.encode())
        return self._count

    def _answer(self, asked: int, limit_s: float) -> dict[str, Any]:
        end = time.monotonic() + limit_s
        while not self._answers[asked]:
            self._socket.settimeout(max(0.001, end - time.monotonic()))
            try:
                piece = self._socket.recv(1 << 16)
            except (TimeoutError, ConnectionError):
                raise NotInTime(f"the guest does not answer within {limit_s:.0f} s") from None
            if not piece:
                raise NotInTime("the guest has gone")
            *lines, self._heard = (self._heard + piece).split(b"\n")
            for line in lines:
                answer = json.loads(line)
                self._answers[answer["id"]].append(answer)
        return self._answers[asked].popleft()


class Followed:
    """A file of the guest that is being followed."""

    def __init__(self, path: str, next_text: Callable[[float], str | None]) -> None:
        self._path = path
        self._next_text = next_text
        self._text: str | None = None
        self._known = False

    def until(
        self,
        what: str,
        look: Callable[[str | None], Found | None],
        limit_s: float = PATIENCE_S,
    ) -> Found:
        """Return what `look` finds in the file's text, now or when the file has changed.

        `look` is given None while the file is not there. Raises NotInTime, with `what` was
        waited for and the last text.
        """
        end = time.monotonic() + limit_s
        while True:
            if self._known and (found := look(self._text)) is not None:
                return found
            try:
                self._text = self._next_text(end - time.monotonic())
            except NotInTime:
                raise NotInTime(
                    f"not within {limit_s:.0f} s: {what}; {self._path} is {self._text!r}"
                ) from None
            self._known = True
