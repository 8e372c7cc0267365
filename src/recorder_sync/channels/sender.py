"""Sends the messages of one channel, in a process of its own that can be killed.

Requests are lines of JSON on standard input, answers such lines on standard output. The
library (apprise) sets limits for each read and none for a whole delivery, so a server that
gives one byte at a time holds it for good: whoever started this process ends it then.

The library takes a status of 200 for success. WeCom, DingTalk and Feishu answer 200 with an
error in the text; a network that asks for a login first answers with a page of its own.
So what servers answer is looked at here as well, and no redirection is followed.
"""

import json
import logging
import resource
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from recorder_sync.channels.local import Refused, send_to_desktop, send_to_syslog
from recorder_sync.channels.secret import without_secrets
from recorder_sync.orphan import end_with_parent

_MOST_MEMORY = 1 << 30
"""Bytes of address space; an answer that never ends must not take all of the machine's."""
_MOST_SAID = 300
"""Characters of what a server says that are kept."""

_SOCKET = "Socket Exception: "
_LOCAL = ("syslog", "desktop")
"""What is sent without the library."""


@dataclass
class _Heard:
    """What was said during one delivery."""

    logged: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    retry_after: str | None = None

    def begin(self) -> None:
        self.logged.clear()
        self.refusals.clear()
        self.retry_after = None


class _Listening(logging.Handler):
    def __init__(self, heard: _Heard) -> None:
        super().__init__()
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        # What the mail server or the system said, the library tells nobody but developers.
        if record.levelno >= logging.WARNING or said.startswith(_SOCKET):
            self._heard.logged.append(said.removeprefix(_SOCKET))


class Apprise:
    """The library, loaded with the first message: it takes 28 MiB."""

    def __init__(self) -> None:
        self._heard = _Heard()
        self._senders: dict[str, Any] = {}
        """One for each address: it keeps the pace that its service allows."""

    def load(self) -> None:
        """Load it, and listen to what it and the servers say."""
        import apprise

        apprise.Apprise().add("json://localhost")  # has it load all its services
        library = logging.getLogger("apprise")
        library.setLevel(logging.DEBUG)
        library.addHandler(_Listening(self._heard))
        self._listen_to_servers()

    def send(self, request: Mapping[str, str]) -> dict[str, Any]:
        """Send one message and return the answer for it."""
        import apprise

        self._heard.begin()
        sender = self._senders.get(request["url"])
        if sender is None:
            asset = apprise.AppriseAsset(
                async_mode=False,
                storage_mode="memory",
                app_id="recorder-sync",
                http_redirects=False,
            )
            sender = apprise.Apprise(asset=asset)
            if not sender.add(request["url"]):
                return {"delivered": False, "unknown": True, "why": self._why(request["url"])}
            self._senders[request["url"]] = sender
        taken = sender.notify(
            request["text"],
            title=request["title"],
            notify_type=apprise.NotifyType(request["type"]),
            body_format=apprise.NotifyFormat.TEXT,
        )
        if taken and not self._heard.refusals:
            return {"delivered": True}
        return {
            "delivered": False,
            "why": self._why(request["url"]),
            "retry_after": self._heard.retry_after,
        }

    def _why(self, url: str) -> str:
        # The library shows the first and the last letter of a password with its "URL:".
        logged = [line for line in self._heard.logged if "URL:" not in line]
        said = dict.fromkeys(self._heard.refusals or logged)
        return without_secrets("; ".join(said), url)[:_MOST_SAID]

    def _listen_to_servers(self) -> None:
        """Look at each answer; the library gives none of them back."""
        import requests

        request_of_library, heard = requests.Session.request, self._heard

        def request(session: Any, *given: Any, **more: Any) -> Any:
            try:
                answer = request_of_library(session, *given, **more)
            except requests.RequestException as error:
                heard.refusals.append(_innermost(error))
                raise
            heard.retry_after = answer.headers.get("Retry-After", heard.retry_after)
            if refusal := refusal_in(answer.status_code, answer.content):
                heard.refusals.append(refusal)
            return answer

        setattr(requests.Session, "request", request)  # noqa: B010 - typed as it was


def refusal_in(status: int, body: bytes) -> str | None:
    """Return what an answer says against the message, or None when it was taken.

    errcode is of WeCom and DingTalk, code and StatusCode are of Feishu; 0 is success. Others
    may use `code` for their own success: what Feishu refuses comes with `msg`.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    said = found if isinstance(found, dict) else {}
    for code, words in (("errcode", "errmsg"), ("code", "msg"), ("StatusCode", "StatusMessage")):
        number = said.get(code)
        if isinstance(number, int) and number and words in said:
            return f"{code} {number}: {said[words]}"
    return None if 200 <= status < 300 else f"HTTP {status}"


def _innermost(error: BaseException) -> str:
    """Return what the system said, without the layers of libraries around it."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    return f"{type(error).__name__}: {error}"


def _answer(library: Apprise, request: Mapping[str, str]) -> dict[str, Any]:
    url = request["url"]
    scheme = url.partition(":")[0].lower()
    try:
        if "load" in request:
            if scheme not in _LOCAL:
                library.load()
            return {}
        if scheme == "syslog":
            send_to_syslog(url, request["title"], request["text"], request["type"])
            return {"delivered": True}
        if scheme == "desktop":
            send_to_desktop(request["title"], request["text"], request["type"])
            return {"delivered": True}
        return library.send(request)
    except Refused as refused:
        return {"delivered": False, "why": str(refused)}
    except Exception as error:  # noqa: BLE001 - whatever a library raises is the answer
        said = without_secrets(f"{type(error).__name__}: {error}", url)
        return {"delivered": False, "why": said[:_MOST_SAID]}


def main() -> None:
    end_with_parent()
    resource.setrlimit(resource.RLIMIT_AS, (_MOST_MEMORY, _MOST_MEMORY))
    library = Apprise()
    answers = sys.stdout
    sys.stdout = sys.stderr  # a plugin that prints must not break an answer
    for line in sys.stdin:
        print(json.dumps(_answer(library, json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
