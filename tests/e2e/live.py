"""The live status file, as other programs read it: the one place that knows its form."""

import json
from collections.abc import Callable
from dataclasses import dataclass

from recorder_sync.rules.docking import Stay, is_settled
from tests.e2e.agent import Agent

STATUS = "/run/recorder-sync/status.json"


@dataclass(frozen=True)
class OnPort:
    """What the status says of one port."""

    port: str
    device: str | None
    docking: str | None
    state: Stay
    copied: int
    """Bytes."""
    to_copy: int

    @property
    def is_in_the_middle(self) -> bool:
        """Whether a good part of its bytes is copied, and another is not."""
        return self.state is Stay.COPYING and self.to_copy // 4 < self.copied < self.to_copy

    @property
    def is_settled(self) -> bool:
        return is_settled(self.state)


def read(text: str | None) -> list[OnPort]:
    """Return what the status file says; without a file nothing is on any port."""
    if not text:
        return []
    return [
        OnPort(
            port=row["port"],
            device=row["device"],
            docking=row["docking"],
            state=Stay(row["state"]),
            copied=row["bytes"]["copied"],
            to_copy=row["bytes"]["total"],
        )
        for row in json.loads(text)["ports"]
    ]


def until(
    agent: Agent, what: str, is_so: Callable[[list[OnPort]], bool], limit_s: float
) -> list[OnPort]:
    """Wait until the ports are as wanted, and return them. Raises NotInTime."""

    def look(text: str | None) -> list[OnPort] | None:
        ports = read(text)
        return ports if is_so(ports) else None

    with agent.follow(STATUS) as status:
        return status.until(what, look, limit_s)
