"""Sends a message to this machine's own syslog, or onto the desktop of this session.

Syslog is spoken as every program speaks it: one datagram to a local socket, RFC 3164. The
desktop is asked through notify-send, which needs the session of whoever sits there.
"""

import os
import socket
import subprocess
import time
from html import escape
from urllib.parse import unquote, urlsplit

from recorder_sync.printable import printable

_DAEMON = 3 << 3
"""The facility of system services."""
_SEVERITY = {"info": 5, "warning": 4, "failure": 2}
_URGENCY = {"info": "low", "warning": "normal", "failure": "critical"}
_MOST = 8000
"""Bytes of a datagram that every syslog daemon takes."""
_WAIT_S = 10.0


class Refused(Exception):
    """It was not taken, for this reason."""


def send_to_syslog(url: str, title: str, text: str, kind: str) -> None:
    """Send one line to the socket that `syslog://` and a path name; /dev/log without one."""
    path = unquote(urlsplit(url).path) or "/dev/log"
    line = " | ".join(printable(part) for part in (title, *text.splitlines()) if part)
    at = time.strftime("%b %e %H:%M:%S")
    head = f"<{_DAEMON | _SEVERITY[kind]}>{at} recorder-sync[{os.getppid()}]: "
    data = (head + line).encode()
    if len(data) > _MOST:
        data = data[: _MOST - 3].decode(errors="ignore").encode() + "…".encode()
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as log:
            log.settimeout(_WAIT_S)  # a daemon that hangs lets its queue fill up
            log.connect(path)
            log.send(data)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror or error}") from error


def send_to_desktop(title: str, text: str, kind: str) -> None:
    """Show a notification; its text is markup to the desktop, so it is escaped."""
    command = [
        *("notify-send", "--app-name=recorder-sync", f"--urgency={_URGENCY[kind]}"),
        *("--", title, escape(text, quote=False)),
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
    except OSError as error:
        raise Refused(f"notify-send: {error.strerror or error}") from error
    if done.returncode:
        said = printable(done.stderr.strip()) or f"exit code {done.returncode}"
        raise Refused(f"notify-send: {said}")
