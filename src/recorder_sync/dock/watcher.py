"""Sees volumes come and go on the USB ports, as udev tells it.

udev's own events are listened to, not the kernel's: only they carry what udev found out
about file systems. The listening starts before what is already there is counted, so
nothing falls between the two; what is told twice is reported once. When events were lost
(the socket's buffer was full, or the socket died), everything is counted anew and what
became different is reported: a burst of events costs a moment, never a camera.
"""

import contextlib
import errno
import os
import select
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyudev

from recorder_sync.dock.plugged import Plugged
from recorder_sync.dock.udev_device import facts_of, is_looked_at
from recorder_sync.dock.udev_facts import plugged_from
from recorder_sync.errors import MissingPart, os_reason
from recorder_sync.journal import Log
from recorder_sync.language import T

_BUFFER_BYTES = 32 << 20
"""Asked for; without CAP_NET_ADMIN the system gives less (net.core.rmem_max)."""

_PAUSE_S = 1.0
"""Between two tries to listen again after listening failed."""

_SEEN = frozenset({"add", "change", "bind", "online", "move"})

_log = Log()


@dataclass(frozen=True, slots=True)
class Came:
    """A volume is there."""

    plugged: Plugged


@dataclass(frozen=True, slots=True)
class Gone:
    """A volume is there no more."""

    key: str
    """The `Plugged.key` that it came with."""
    usb_path: str


Event = Came | Gone


def open_monitor(context: pyudev.Context) -> pyudev.Monitor:
    """Return a monitor that receives udev's events of disks and USB devices from now on."""
    monitor = pyudev.Monitor.from_netlink(context, source="udev")
    monitor.filter_by("block")
    monitor.filter_by("usb", "usb_device")
    with contextlib.suppress(OSError):  # as much as we may have is set all the same
        monitor.set_receive_buffer_size(_BUFFER_BYTES)
    monitor.start()
    return monitor


class Watcher:
    """Whatever is plugged in, one volume at a time.

    `events` is for one thread; `stop` may be called from any, and from a signal handler.
    """

    def __init__(
        self,
        ignored: frozenset[int] = frozenset(),
        monitoring: Callable[[pyudev.Context], pyudev.Monitor] = open_monitor,
    ) -> None:
        """Never report volumes with a device number in `ignored`: the station's own disks."""
        self._ignored = ignored
        self._monitoring = monitoring
        self._context = pyudev.Context()
        self._here: dict[str, Plugged] = {}
        self._stop = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        weakref.finalize(self, os.close, self._stop)

    def stop(self) -> None:
        """End `events`, for good."""
        os.eventfd_write(self._stop, 1)

    def events(self) -> Iterator[Event]:
        """Yield what is there, then what comes and goes, until `stop`.

        Raises MissingPart when udev cannot be listened to at the start.
        """
        heard = False
        while not self._stopped_within(0):
            try:
                monitor = self._monitoring(self._context)
                found = self._found()
            except OSError as error:
                if not heard:
                    raise _deaf(error) from None
                _log.warning("udev-not-heard", reason=str(error))
                self._stopped_within(_PAUSE_S)
                continue
            heard = True
            yield from self._compare(found)
            yield from self._listen(monitor)

    def _listen(self, monitor: pyudev.Monitor) -> Iterator[Event]:
        """Yield what `monitor` tells, until `stop` or until it lost events."""
        while True:
            try:
                device = self._next(monitor)
            except OSError as error:
                _log.warning("udev-events-lost", reason=str(error))
                return
            if device is None:
                return
            if device.action == "remove":
                yield from self._removed(device.sys_path)
            elif device.action in _SEEN:
                yield from self._seen(device)

    def _next(self, monitor: pyudev.Monitor) -> pyudev.Device | None:
        """Wait for the next event; None after `stop`. Raises OSError when any were lost."""
        waiting = select.poll()
        waiting.register(self._stop, select.POLLIN)
        waiting.register(monitor.fileno(), select.POLLIN)
        while True:
            ready = dict(waiting.poll())
            if self._stop in ready:
                return None
            # An overflow shows as POLLERR, and may do so together with POLLIN.
            if ready[monitor.fileno()] & ~select.POLLIN:
                raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))
            device = monitor.poll(timeout=0)
            if device is not None:
                return device

    def _stopped_within(self, seconds: float) -> bool:
        waiting = select.poll()
        waiting.register(self._stop, select.POLLIN)
        return bool(waiting.poll(seconds * 1000))

    def _found(self) -> dict[str, Plugged]:
        """Return every volume that is there and that udev has finished looking at.

        Of the others an event is still to come.
        """
        found = {}
        for matching in ({"subsystem": "block"}, {"subsystem": "usb", "DEVTYPE": "usb_device"}):
            for device in self._context.list_devices(**matching):
                plugged = self._volume(device) if is_looked_at(device) else None
                if plugged is not None:
                    found[plugged.key] = plugged
        return found

    def _compare(self, found: dict[str, Plugged]) -> Iterator[Event]:
        for key in sorted(self._here.keys() | found.keys()):
            yield from self._settle(key, found.get(key))

    def _seen(self, device: pyudev.Device) -> Iterator[Event]:
        """Look at a device that came or changed, and at its disk or its partitions.

        A card put into a reader, or pulled out, may be told of only one of them.
        """
        path = device.sys_path
        for key in [key for key in self._here if _is_part(key, path) or _is_part(path, key)]:
            yield from self._look_again(key)
        yield from self._settle(path, self._volume(device))

    def _look_again(self, key: str) -> Iterator[Event]:
        try:
            device = pyudev.Devices.from_sys_path(self._context, key)
        except pyudev.DeviceNotFoundError:
            yield from self._settle(key, None)
            return
        if is_looked_at(device):
            yield from self._settle(key, self._volume(device))

    def _removed(self, path: str) -> Iterator[Event]:
        """Everything that hung on a hub went with it, told or not."""
        for key in [key for key in self._here if key == path or _is_part(key, path)]:
            yield from self._settle(key, None)

    def _settle(self, key: str, now: Plugged | None) -> Iterator[Event]:
        """Report the difference between what was known of `key` and what is there now."""
        before = self._here.get(key)
        if before is not None and now is not None and _medium(before) == _medium(now):
            return
        if before is not None:
            del self._here[key]
            yield Gone(key, before.usb_path)
        if now is not None:
            self._here[key] = now
            yield Came(now)

    def _volume(self, device: pyudev.Device) -> Plugged | None:
        plugged = plugged_from(facts_of(self._context, device))
        return None if plugged is None or plugged.number in self._ignored else plugged


def _is_part(path: str, whole: str) -> bool:
    return path.startswith(f"{whole}/")


def _medium(plugged: Plugged) -> tuple[object, ...]:
    """Return what is another one when another device or card is there."""
    return (
        *(plugged.interface, plugged.node, plugged.number, plugged.disk_sequence),
        *(plugged.usb, plugged.file_system, plugged.uuid),
    )


def _deaf(error: OSError) -> MissingPart:
    return MissingPart(
        T("The events of devices cannot be received: {why}.", why=os_reason(error)),
        T("See that systemd-udevd runs, and that the service may use AF_NETLINK."),
    )
