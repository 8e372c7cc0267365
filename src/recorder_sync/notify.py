"""Tells systemd how the service is (sd_notify(3)); nothing at all where nobody listens."""

import os
import socket
import time
from contextlib import suppress


class Notify:
    """The service manager that started this process, if one did."""

    def __init__(self) -> None:
        self._address = os.environ.get("NOTIFY_SOCKET", "")
        self._watchdog_s = int(os.environ.get("WATCHDOG_USEC", "0")) / 1e6
        self._pinged_at = 0.0

    def ready(self, status: str) -> None:
        self._send(f"READY=1\nSTATUS={status}")

    def reloading(self) -> None:
        usec = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._send(f"RELOADING=1\nMONOTONIC_USEC={usec}")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def alive(self) -> None:
        """Say so, as often as the watchdog wants it (WatchdogSec=)."""
        now = time.monotonic()
        if self._watchdog_s and now - self._pinged_at >= self._watchdog_s / 3:
            self._pinged_at = now
            self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        address = self._address
        if address.startswith("@"):  # an abstract name
            address = "\0" + address[1:]
        with (
            suppress(OSError),  # the manager itself is restarted: nothing to be done about it
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel,
        ):
            channel.connect(address)
            channel.sendall(message.encode())
