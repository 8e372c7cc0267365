"""What stands before every page: whose request it may be, in which language, with which headers.

A request that changes something must come from a page of this very service: browsers say so in
`Sec-Fetch-Site` and `Origin` (OWASP, cross-site request forgery). One address cannot ask without
end (RFC 6585, 429), and tries few passwords. Every answer forbids scripts,
pictures and frames from elsewhere (Content Security Policy level 3).
"""

import time
from math import ceil

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recorder_sync.language import Language, chosen_language, speaking
from recorder_sync.rules.rate import Bucket, Rate, taken
from recorder_sync.web.rendering import door_page
from recorder_sync.web.visits import SAFE_METHODS
from recorder_sync.web_settings import Web

LANGUAGE_COOKIE = "language"
LARGEST_FORM = 1 << 20
"""Bytes of a request that changes something."""
LARGEST_CALL = 8 << 20
"""Bytes of one to the API: ten thousand lines of a calendar."""
UPLOAD = "/case-documents"
"""Where the console hands in a document."""
_UPLOADS = (UPLOAD, "/api/v1/cases/documents")
"""They look at the size by themselves, piece by piece (`uploads.py`)."""

_SOURCES = 10_000
"""So many sources are counted at once; when there are more, those not seen for long go."""
_SECONDS_AT_ONCE = 6
"""For so many seconds' requests a page with its pictures may ask at once."""
_TRY_EACH_S = 3.0
"""Seconds until one more password, PIN or link is tried from one address."""
_TRIES = ("/sign-in", "/invitation/", "/dock/")

_TOO_MANY = "Too many requests."
_TOO_LARGE = "This request is too large."
_ELSEWHERE = "This request was made by another site."
HINTS = {
    _TOO_MANY: "Wait a moment, then load the page again. Nothing was changed.",
    _TOO_LARGE: "Send less at once. Nothing was changed.",
    _ELSEWHERE: "Go to the station's own page and do it there. Nothing was changed.",
}
"""What somebody can do who is turned away."""

_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "media-src 'self'",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_A_YEAR = "max-age=31536000"


class Safeguards:
    """Stands before the pages."""

    def __init__(self, app: ASGIApp, settings: Web) -> None:
        self._app = app
        self._is_encrypted = settings.is_encrypted
        each_s = 1 / settings.requests_per_s
        self._rate = Rate(round(settings.requests_per_s * _SECONDS_AT_ONCE), each_s)
        self._tries = Rate(settings.tries_at_once, _TRY_EACH_S)
        self._buckets: dict[tuple[str, str], Bucket] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    answer.setdefault(name, value)
                answer.setdefault("cache-control", "no-store")
                if self._is_encrypted:
                    answer.setdefault("strict-transport-security", _A_YEAR)
            await send(message)

        if wait_s := self._too_many(scope):
            answer = _turned_away(scope, headers, _TOO_MANY, 429)
            answer.headers["retry-after"] = str(ceil(wait_s))
            await answer(scope, receive, send_guarded)
            return
        if why := _refused(scope, headers):
            await _turned_away(scope, headers, why, 403)(scope, receive, send_guarded)
            return
        with speaking(_language(headers)):
            await self._app(scope, _limited(receive, _largest(scope)), send_guarded)

    def _too_many(self, scope: Scope) -> float:
        """Count a request; return how long its source has to wait, which is mostly not at all."""
        address, at = scope["client"][0] if scope["client"] else "", time.monotonic()
        tries = scope["method"] not in SAFE_METHODS and scope["path"].startswith(_TRIES)
        wait_s = self._counted((address, "any"), self._rate, at)
        return wait_s or (self._counted((address, "tries"), self._tries, at) if tries else 0.0)

    def _counted(self, source: tuple[str, str], rate: Rate, at: float) -> float:
        bucket, wait_s = taken(self._buckets.pop(source, None), rate, at)
        self._buckets[source] = bucket
        if len(self._buckets) > _SOURCES:
            del self._buckets[next(iter(self._buckets))]
        return wait_s


def _turned_away(scope: Scope, headers: Headers, why: str, code: int) -> Response:
    """Return the answer to a request that reaches no page: a page for people, a line for others."""
    if _is_call(scope) or "text/html" not in headers.get("accept", ""):
        return PlainTextResponse(why, code)
    with speaking(_language(headers)):
        return HTMLResponse(door_page(chosen_language(), why, HINTS[why]), code)


def _refused(scope: Scope, headers: Headers) -> str | None:
    """Return why a request is refused at the door, or None."""
    if scope["method"] in SAFE_METHODS:
        return None
    length = headers.get("content-length", "0")
    largest = _largest(scope)
    if not (length.isascii() and length.isdigit()) or (largest and int(length) > largest):
        return _TOO_LARGE
    if _is_call(scope):  # it has a token of its own, and cookies count for nothing there
        return None
    site = headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return _ELSEWHERE
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != headers.get("host"):
        return _ELSEWHERE
    return None


def _is_call(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.startswith("/api/")


def _largest(scope: Scope) -> int | None:
    """Return how many bytes a request may have; None: its route looks at that by itself."""
    if scope["path"] in _UPLOADS:
        return None
    return LARGEST_CALL if _is_call(scope) else LARGEST_FORM


def _limited(receive: Receive, largest: int | None) -> Receive:
    """Return what receives no more than that, also of a request that does not say its length."""
    if largest is None:
        return receive
    size = 0

    async def received() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > largest:
            raise HTTPException(413, _TOO_LARGE)
        return message

    return received


def _language(headers: Headers) -> Language | None:
    """Return the language that a browser asks for by its cookie."""
    chosen = cookie_parser(headers.get("cookie", "")).get(LANGUAGE_COOKIE)
    return Language(chosen) if chosen in set(Language) else None
