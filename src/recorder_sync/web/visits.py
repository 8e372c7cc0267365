"""Who visits: every page says what it needs, and gets a visit or nothing.

A visit has the account, the desk (its deeds go on record under that account's name) and the
token that every form carries. A page that is posted to is refused without the token, whatever
the page itself looks at (`app.py` puts `checked_form` before every router).
"""

import hmac
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request

from recorder_sync.access import sessions
from recorder_sync.access.accounts import Account
from recorder_sync.access.sessions import Limits, Session
from recorder_sync.config import Configuration
from recorder_sync.rules.access import Permission
from recorder_sync.station import Station
from recorder_sync.web.desks import Desk, Desks
from recorder_sync.web_settings import Web

FORM_TOKEN = "csrf"
BACKGROUND = "x-background"
"""Header of what a page asks by itself, without anybody touching it."""
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class NotSignedIn(Exception):
    """Nobody is signed in, or the session is over."""


class NotAllowed(Exception):
    """The account may not do this."""


class FormRefused(Exception):
    """A form came without the token of the session that it was shown in."""


@dataclass(frozen=True, slots=True)
class Visit:
    account: Account
    csrf: str
    desk: Desk

    @property
    def station(self) -> Station:
        return self.desk.station

    @property
    def settings(self) -> Configuration:
        return self.desk.station.settings

    def may(self, wanted: Permission) -> bool:
        return self.account.may(wanted)


def desks_of(request: Request) -> Desks:
    found = request.app.state.desks
    assert isinstance(found, Desks)
    return found


def lent_desk(request: Request) -> Iterator[Desk]:
    """Lend a desk to a page that nobody needs to be signed in for."""
    with desks_of(request).lent() as desk:
        yield desk


OpenDesk = Annotated[Desk, Depends(lent_desk, scope="function")]


def cookie_name(settings: Web) -> str:
    """Browsers take a cookie of this name by HTTPS only, for this very host (RFC 6265bis)."""
    return "__Host-session" if settings.is_encrypted else "session"


def session_in(request: Request, desk: Desk) -> Session | None:
    """Return the session of a request's cookie, if it has one that is not over."""
    settings = desk.station.settings.web
    token = request.cookies.get(cookie_name(settings))
    if not token:
        return None
    is_used = BACKGROUND not in request.headers
    limits = session_limits(settings)
    return sessions.resume(desk.accounts, token, limits, desk.station.now(), is_used=is_used)


def session_limits(settings: Web) -> Limits:
    return Limits(timedelta(minutes=settings.idle_minutes), timedelta(hours=settings.session_hours))


def visitor(*needed: Permission) -> Callable[[Request, Desk], Visit]:
    """Return what gives a page its visit: somebody signed in who may do all that is needed.

    The page's visit raises NotSignedIn or NotAllowed, which `app.py` turns into answers.
    """

    def visit(request: Request, desk: OpenDesk) -> Visit:
        session = session_in(request, desk)
        if session is None:
            raise NotSignedIn
        request.state.account, request.state.csrf = session.account, session.csrf
        if not all(session.account.may(one) for one in needed):
            raise NotAllowed
        return Visit(session.account, session.csrf, desk.of(session.account.actor))

    return visit


def visitor_of_any(*enough: Permission) -> Callable[[Request, Desk], Visit]:
    """Return the same for a page that any one of these permissions opens."""
    signed_in = visitor()

    def visit(request: Request, desk: OpenDesk) -> Visit:
        found = signed_in(request, desk)
        if not any(found.may(one) for one in enough):
            raise NotAllowed
        return found

    return visit


async def checked_form(request: Request) -> None:
    """Refuse a form that does not carry the token of its session. Raises FormRefused."""
    if request.method in SAFE_METHODS:
        return
    given = (await request.form()).get(FORM_TOKEN)
    if not isinstance(given, str):
        given = request.headers.get("x-csrf-token", "")
    if not given or not await _fits(request, given):
        raise FormRefused


async def _fits(request: Request, given: str) -> bool:
    from starlette.concurrency import run_in_threadpool

    def looked_up() -> bool:
        with desks_of(request).lent() as desk:
            session = session_in(request, desk)
        return session is not None and hmac.compare_digest(session.csrf.encode(), given.encode())

    return await run_in_threadpool(looked_up)
