"""Sends checkpoints as messages: mail, WeCom, DingTalk, Feishu, webhooks, through apprise.

Each line of the file is one address (https://github.com/caronc/apprise/wiki); empty lines
and those that begin with # are passed over. Addresses hold passwords: they stand in no log,
alert or file name, where the line's number and the kind of service stand for them. Text is
sent as text: a note that was made into HTML can no longer be checked.

The library is loaded with the first message only; it takes 28 MiB.
"""

import hashlib
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from recorder_sync.custody.checkpoints import Signed
from recorder_sync.errors import MissingPart, os_reason
from recorder_sync.language import T
from recorder_sync.witnessing.in_time import in_time
from recorder_sync.witnessing.target import NotDelivered, Target
from recorder_sync.witnessing.witnessed import Witnessed

_IN_ALL_S = 120.0
"""Seconds that sending a message may take; what takes longer is sent again, and may come twice."""

_loading = threading.Lock()


@dataclass(frozen=True, slots=True)
class Address:
    """One line of the file."""

    line: int
    url: str

    @property
    def mark(self) -> str:
        """Tells addresses apart, without naming them."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:16]


def addresses_in(path: Path) -> list[Address]:
    """Read the file of addresses. Raises MissingPart, also when everybody may read it."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        with os.fdopen(handle, encoding="utf-8") as file:
            if os.fstat(handle).st_mode & stat.S_IRWXO:
                raise MissingPart(
                    T("The file {path} holds passwords, and everybody may use it.", path=path),
                    T(
                        "Run: chown root:recorder-sync {path} && chmod 0640 {path}",
                        path=path,
                    ),
                )
            lines = [line.strip() for line in file]
    except (OSError, UnicodeDecodeError) as error:
        why = os_reason(error) if isinstance(error, OSError) else T("{why}", why=error)
        raise MissingPart(
            T("The file of addresses {path} cannot be read: {why}.", path=path, why=why),
            T("Put one address on each line, and let the service read the file."),
        ) from error
    return [
        Address(number, line)
        for number, line in enumerate(lines, start=1)
        if line and not line.startswith("#")
    ]


class Channel(Target):
    """One address that messages are sent to."""

    def __init__(
        self,
        address: Address,
        every: timedelta,
        witnessed: Witnessed,
        now: Callable[[], datetime],
    ) -> None:
        self.name = f"address in line {address.line}"
        self._address = address
        self._every = every
        self._witnessed = witnessed
        self._now = now

    def has(self, size: int) -> bool:
        sent = self._witnessed.sent(self._address.mark)
        if sent is None:
            return False
        told, at = sent
        since = self._now() - at
        return told == size or timedelta(0) <= since < self._every

    def deliver(self, signed: Signed) -> None:
        title = T(
            "Checkpoint of {log}: {size} entries",
            log=signed.checkpoint.origin,
            size=signed.checkpoint.size,
        )
        about = T(
            "Keep this message. The lines below show later whether the custody log was changed: "
            "recorder-sync custody verify --against FILE"
        )
        message = f"{about.shown}\n\n{signed.note}"
        try:
            is_taken = in_time(
                f"channel {self._address.mark}",
                lambda: _send(self._address.url, title.shown, message),
                _IN_ALL_S,
            )
        except TimeoutError:
            is_taken = False
        if not is_taken:
            raise NotDelivered(
                T(
                    "The message with the checkpoint was not taken: address in line {line}.",
                    line=self._address.line,
                ),
                T("Check that line of channels_file; the journal of the service says more."),
            )
        self._witnessed.note_sent(self._address.mark, signed.checkpoint.size, self._now())


def _send(url: str, title: str, text: str) -> bool:
    with _loading:  # the library fills its tables of services when it is first asked
        import apprise

        asset = apprise.AppriseAsset(
            async_mode=False, storage_mode="memory", app_id="recorder-sync"
        )
        sender = apprise.Apprise(asset=asset)
        if not sender.add(url):
            return False
    return bool(sender.notify(text, title=title, body_format=apprise.NotifyFormat.TEXT))
