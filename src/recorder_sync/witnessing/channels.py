"""Sends checkpoints as messages: mail, WeCom, DingTalk, Feishu, webhooks, through apprise.

Each line of the file is one address (https://github.com/caronc/apprise/wiki); empty lines
and those that begin with # are passed over. Addresses hold passwords: they stand in no log,
alert or file name, where the line's number and the kind of service stand for them. Text is
sent as text: a note that was made into HTML can no longer be checked.

A process of its own sends each message, within a minute (`channels/sending.py`).
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from recorder_sync.channels import secret
from recorder_sync.channels.sending import Letter, Sender
from recorder_sync.custody.checkpoints import Signed
from recorder_sync.language import T
from recorder_sync.rules.matter import Severity
from recorder_sync.witnessing.target import NotDelivered, Target
from recorder_sync.witnessing.witnessed import Witnessed

_LIMIT_S = 60.0


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
    return [Address(number, url) for number, url in secret.addresses_in(path)]


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
        letter = Letter(title.shown, f"{about.shown}\n\n{signed.note}", Severity.NOTICE)
        sender = Sender()
        try:
            outcome = sender.send(self._address.url, letter, _LIMIT_S, self._now())
        finally:
            sender.close()
        if not outcome.delivered:
            raise NotDelivered(
                T(
                    "The message with the checkpoint was not taken: address in line {line}: {why}.",
                    line=self._address.line,
                    why=outcome.why or T("no reason given"),
                ),
                T("Check that line of channels_file."),
            )
        self._witnessed.note_sent(self._address.mark, signed.checkpoint.size, self._now())
