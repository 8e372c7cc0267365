"""Delivers events to the webhooks of the settings, in the order of the custody log.

The log itself is the queue: nothing is written twice, and nothing is lost by a restart. Each
webhook has a thread of its own and goes on from where it was; one that does not answer holds up
no other, and is tried again at growing intervals for as long as it takes. A new webhook is told
of what happens from then on. `410 Gone` ends the telling until the configuration is read again.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from random import random

from recorder_sync.config import Configuration
from recorder_sync.custody.log import CustodyLog, Entry
from recorder_sync.errors import MissingPart, RecorderSyncError
from recorder_sync.journal import Log
from recorder_sync.language import T, Text
from recorder_sync.lasting import LastingThread
from recorder_sync.rules.retrying import wait_after
from recorder_sync.station import evidence_and_custody, now
from recorder_sync.timestamps import iso
from recorder_sync.webhooks.happenings import ACTS, happening_of, told_of
from recorder_sync.webhooks.place import Standing, keep, standing_of
from recorder_sync.webhooks.settings import Webhook
from recorder_sync.webhooks.signature import signed_headers
from recorder_sync.witnessing.posting import NoAnswer, post

_LOOK_EVERY_S = 1.0
_STOP_WITHIN_S = 2.0
_SHORTEST_SECRET = 24
_GONE = 410

_log = Log()


class _Worker:
    """Tells one webhook, in a thread of its own."""

    def __init__(self, hook: Webhook, settings: Configuration) -> None:
        self._hook = hook
        self._settings = settings
        self.thread = LastingThread(hook.name, self._tell, _log, "events cannot be told")

    def _tell(self) -> None:
        _, log = evidence_and_custody(self._settings)
        state, name = self._settings.paths.state, self._hook.name
        standing = standing_of(state, name)
        if standing is None:
            standing = Standing(log.size())
            keep(state, name, standing)
        while not self.thread.is_to_end:
            for entry in self._news(log, standing):
                told = self._until_told(entry, standing)
                if told is None:
                    self.thread.stop()
                    return
                standing = told
            self.thread.wait(_LOOK_EVERY_S)

    def _news(self, log: CustodyLog, standing: Standing) -> Iterator[Entry]:
        """Yield the events that it was not told of."""
        if log.size() <= standing.next:
            return
        for entry in log.entries_of(ACTS, standing.next):
            if happening_of(entry) in self._hook.events:
                yield entry

    def _until_told(self, entry: Entry, standing: Standing) -> Standing | None:
        """Send one event until it is taken; return how it stands then, or None at the end."""
        state, name = self._settings.paths.state, self._hook.name
        while not self.thread.is_to_end:
            why, is_gone = self._sent(entry)
            if why is None:
                standing = Standing(entry.seq + 1)
                keep(state, name, standing)
                return standing
            standing = replace(
                standing,
                failing_since=standing.failing_since or iso(now()),
                why=why.english,
                attempts=standing.attempts + 1,
            )
            keep(state, name, standing)
            _log.warning("not told", hook=name, entry=entry.seq, why=why.english)
            if is_gone:
                return None
            self.thread.wait(wait_after(standing.attempts, random()).total_seconds())
        return None

    def _sent(self, entry: Entry) -> tuple[Text | None, bool]:
        """Send one event; return why it was not taken, and whether its address is gone."""
        body = json.dumps(told_of(entry), ensure_ascii=False).encode()
        try:
            headers = signed_headers(
                _secret(self._hook), f"{entry.station}-{entry.seq}", now(), body
            )
            answer = post(self._hook.url, body, "application/json", headers=headers)
        except NoAnswer as none:
            return none.why, False
        except (RecorderSyncError, ValueError) as error:
            return error.text if isinstance(error, RecorderSyncError) else _no_secret(), False
        if 200 <= answer.status < 300:
            return None, False
        return T("it answered {status}", status=answer.status), answer.status == _GONE


def _secret(hook: Webhook) -> str:
    secret = hook.secret.read()
    if len(secret) < _SHORTEST_SECRET:
        raise MissingPart(_no_secret())
    return secret


def _no_secret() -> Text:
    return T("its secret is shorter than {count} characters, or no base64", count=_SHORTEST_SECRET)


class _Telling:
    """Keeps one worker for each webhook of the settings in force."""

    def __init__(self, in_use: Callable[[], Configuration]) -> None:
        self._in_use = in_use
        self.thread = LastingThread("webhooks", self._look_after, _log, "events cannot be told")

    def _look_after(self) -> None:
        settings = self._in_use()
        workers = [_Worker(hook, settings).thread for hook in settings.webhooks]
        for worker in workers:
            worker.start()
        while not self.thread.is_to_end and settings is self._in_use():
            self.thread.wait(_LOOK_EVERY_S)
        for worker in workers:
            worker.stop()
        for worker in workers:
            worker.join(_STOP_WITHIN_S)


def telling_events(in_use: Callable[[], Configuration]) -> AbstractContextManager[None]:
    """Tell the webhooks of the settings in force while the block lasts."""
    return _Telling(in_use).thread.at_work(_STOP_WITHIN_S)
