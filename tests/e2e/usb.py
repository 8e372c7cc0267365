"""The dock's USB ports: plugging, pulling, slow cards, broken cards, hubs.

What is plugged in is an image file, behind parts that slow it down or break it. The
guest may write to it: that nothing does is for the tests to see.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from tests.e2e.qmp import Control, Refused

SECTOR = 512
USB_VENDOR, USB_PRODUCT = "46f4", "0001"
"""Of every stick that QEMU makes."""


@dataclass(frozen=True)
class BadSectors:
    """A part of a card that cannot be read."""

    first: int
    count: int


@dataclass(frozen=True)
class Plug:
    """Something that is plugged in."""

    name: str
    _nodes: tuple[str, ...]
    """The parts between the stick and the image file, topmost first."""
    _limits: str


class Ports:
    def __init__(self, control: Control) -> None:
        self._control = control
        self._count = count(1)

    def plug(
        self,
        image: Path,
        serial: str,
        port: str,
        *,
        bytes_per_s: int | None = None,
        bad: Sequence[BadSectors] = (),
    ) -> Plug:
        """Plug an image in as a USB stick, into a port such as `3`, or `3.1` of a hub.

        Below 20 000 bytes a second QEMU itself may hang.
        """
        name = f"stick{next(self._count)}"
        limits = f"{name}-limits"
        self._control.tell(
            "object-add", qom_type="throttle-group", id=limits, limits=_limits(bytes_per_s)
        )
        nodes = (f"{name}-slow", f"{name}-disk", f"{name}-bad", f"{name}-file")
        slow, disk, broken, file = nodes
        self._add(file, driver="file", filename=str(image))
        self._add(broken, driver="blkdebug", image=file, inject_error=_errors(bad))
        self._add(disk, driver="raw", file=broken, cache={"direct": False, "no-flush": True})
        self._add(slow, driver="throttle", file=disk, throttle_group=limits)
        self._control.tell(
            "device_add",
            driver="usb-storage",
            id=name,
            drive=slow,
            bus="usb.0",
            port=port,
            serial=serial,
            removable=True,
        )
        return Plug(name, nodes, limits)

    def plug_hub(self, port: str, ports: int = 4) -> Plug:
        name = f"hub{next(self._count)}"
        self._control.tell(
            "device_add", driver="usb-hub", id=name, bus="usb.0", port=port, ports=ports
        )
        return Plug(name, (), "")

    def pull(self, plug: Plug) -> None:
        """Pull it out, now, whatever is going on."""
        self._control.tell("device_del", id=plug.name)
        self._control.wait_for("DEVICE_DELETED", device=plug.name)
        self.release(plug)

    def release(self, plug: Plug) -> None:
        """Close the image of something that is out, as with the hub it was plugged into."""
        for node in plug._nodes:
            self._control.tell("blockdev-del", node_name=node)
        if plug._limits:
            with suppress(Refused):
                self._control.tell("object-del", id=plug._limits)

    def set_speed(self, plug: Plug, bytes_per_s: int | None) -> None:
        """Change how fast it is read; None is as fast as it goes."""
        self._control.tell(
            "qom-set",
            path=f"/objects/{plug._limits}",
            property="limits",
            value=_limits(bytes_per_s),
        )

    def _add(self, name: str, **parts: Any) -> None:
        named = {key: value for key, value in parts.items() if value != []}
        self._control.tell("blockdev-add", node_name=name, **named)


def _limits(bytes_per_s: int | None) -> dict[str, int]:
    return {"bps-total": bytes_per_s or 0}


def _errors(bad: Sequence[BadSectors]) -> list[dict[str, Any]]:
    return [
        {"event": "none", "iotype": "read", "errno": 5, "sector": sector, "once": False}
        for part in bad
        for sector in range(part.first, part.first + part.count)
    ]
