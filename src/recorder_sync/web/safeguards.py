"""What stands before every page: whose request it may be, in which language, with which headers.

A request that changes something must come from a page of this very service: browsers say so in
`Sec-Fetch-Site` and `Origin` (OWASP, cross-site request forgery). Every answer forbids scripts,
pictures and frames from elsewhere (Content Security Policy level 3).
"""

from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recorder_sync.language import Language, speaking
from recorder_sync.web.visits import SAFE_METHODS

LANGUAGE_COOKIE = "language"
LARGEST_FORM = 1 << 20
"""Bytes of a request that changes something; what is uploaded has a route of its own."""

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

    def __init__(self, app: ASGIApp, *, is_encrypted: bool) -> None:
        self._app = app
        self._is_encrypted = is_encrypted

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

        if why := _refused(scope, headers):
            await PlainTextResponse(why, 403)(scope, receive, send_guarded)
            return
        with speaking(_language(headers)):
            await self._app(scope, receive, send_guarded)


def _refused(scope: Scope, headers: Headers) -> str | None:
    """Return why a request is refused at the door, or None."""
    if scope["method"] in SAFE_METHODS or "authorization" in headers:
        return None
    site = headers.get("sec-fetch-site")
    if site is not None and site not in ("same-origin", "none"):
        return "This request was made by another site."
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        return "This request was made by another site."
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > LARGEST_FORM:
        return "This request is too large."
    return None


def _language(headers: Headers) -> Language | None:
    """Return the language that a browser asks for by its cookie."""
    chosen = cookie_parser(headers.get("cookie", "")).get(LANGUAGE_COOKIE)
    return Language(chosen) if chosen in set(Language) else None
