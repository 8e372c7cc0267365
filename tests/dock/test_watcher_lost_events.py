"""Events of udev that are lost, a socket that dies, and the end of the watching."""

import errno
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
import pyudev

from recorder_sync.dock.watcher import Watcher
from recorder_sync.errors import MissingPart
from tests.dock.devices import camera
from tests.dock.plugging import Port, made_up_port


@pytest.fixture
def port() -> Iterator[Port]:
    with made_up_port() as port:
        yield port


def test_what_happened_while_events_were_lost_is_found_out(port: Port) -> None:
    left, stayed, new = (
        camera("1-1", "sda", "LEFT"),
        camera("1-2", "sdb", "STAYED"),
        camera("1-3", "sdc", "NEW"),
    )
    port.plug(*left, *stayed)
    port.watch()
    port.came(), port.came()
    port.vanish(left[0], told=False)
    port.lose_next_event()
    port.plug(*new)
    assert port.gone() == left[-1].key
    assert port.came().usb.serial == "NEW"
    assert port.nothing_more()


_OVERFLOW = """
import errno, pyudev, socket, threading
from recorder_sync.dock.watcher import Watcher, open_monitor

opened = []

def opening(context):
    opened.append(open_monitor(context))
    if len(opened) == 1:
        sender = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 15)
        while True:  # until the receiver's buffer is full
            sender.sendto(bytes(8000), (0, 2))
            if not full(opened[0]):
                continue
            break
    else:
        watcher.stop()
    return opened[-1]

def full(monitor):
    import select
    ready = select.poll()
    ready.register(monitor.fileno(), 0)
    return bool(ready.poll(0))

watcher = Watcher(monitoring=opening)
print(sum(1 for _ in watcher.events()), len(opened))
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may send what looks like udev's events")
def test_a_real_socket_that_overflows_is_replaced() -> None:
    """In a network of its own, so that nobody else is flooded."""
    command = ["unshare", "--net", sys.executable, "-c", _OVERFLOW]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if "unshare failed" in done.stderr:
        pytest.skip(f"no network of its own can be had here: {done.stderr.strip()}")
    assert done.stdout.split()[-1] == "2", done.stdout + done.stderr
    assert "udev-events-lost" in done.stdout + done.stderr


class DeafMonitor:
    """A fake: there is always something to receive, and receiving it fails."""

    def __init__(self) -> None:
        self._readable = open("/dev/zero", "rb")  # noqa: SIM115

    def fileno(self) -> int:
        return self._readable.fileno()

    def poll(self, timeout: float) -> None:
        raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))


def test_listening_that_fails_again_is_tried_until_it_works() -> None:
    tries: list[int] = []

    def monitoring(context: pyudev.Context) -> DeafMonitor:
        tries.append(len(tries))
        if len(tries) == 2:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        if len(tries) == 4:
            watcher.stop()
        return DeafMonitor()

    watcher = Watcher(monitoring=monitoring)
    list(watcher.events())
    assert len(tries) == 4


def test_a_station_that_cannot_listen_to_udev_at_all_says_so() -> None:
    def monitoring(context: pyudev.Context) -> pyudev.Monitor:
        raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))

    with pytest.raises(MissingPart) as caught:
        list(Watcher(monitoring=monitoring).events())
    assert caught.value.hint is not None


def test_a_stop_before_the_start_counts() -> None:
    watcher = Watcher()
    watcher.stop()
    assert list(watcher.events()) == []


def test_it_ends_when_it_is_told_to(port: Port) -> None:
    port.plug(*camera("1-2"))
    port.watch()
    port.came()
    port.stop()
    assert port.ended()


def test_it_ends_by_a_signal(port: Port) -> None:
    port.plug(*camera("1-2"))
    port.watch()
    port.came()
    port.signal(signal.SIGTERM)
    assert port.ended()
