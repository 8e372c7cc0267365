"""The dock screen: what officers read before the dock, without signing in.

It is open to the networks that `web.dock_networks` names, which are this computer's own unless
somebody names others; from elsewhere it is seen by who is signed in and may see the station.
"""

from collections.abc import AsyncIterator
from ipaddress import IPv6Address, ip_address, ip_network
from socket import gethostname
from time import monotonic
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import StreamingResponse

from recorder_sync.language import chosen_language
from recorder_sync.rules.access import Permission
from recorder_sync.web.dock_feed import Feed
from recorder_sync.web.dock_tiles import Tile
from recorder_sync.web.guide import guide
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import NotAllowed, NotSignedIn, desks_of, session_in

router = APIRouter()

_SIGNED_IN_FOR_S = 300.0
"""Seconds for which a screen elsewhere is sent what changes before it has to ask again."""


def is_at_the_dock(request: Request) -> bool:
    """Tell whether a request comes from a network that sees the screen without signing in."""
    if request.client is None or not _is_asked_for_by_own_name(request):
        return False
    try:
        address = ip_address(request.client.host)
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    networks = desks_of(request).settings().web.dock_networks
    return any(address in ip_network(one) for one in networks)


def _is_asked_for_by_own_name(request: Request) -> bool:
    """Tell whether the browser went to this station, and not to a name of somebody else's.

    The page of a stranger can have its own name lead to this computer (DNS rebinding), and would
    then read what is shown here. An address, and a name without a dot, is nobody else's.
    """
    settings = desks_of(request).settings().web
    name = (request.url.hostname or "").rstrip(".").lower()
    own = {urlsplit(settings.link_address).hostname, gethostname().lower()}
    return "." not in name or name in own or name.endswith(".local") or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def viewer(request: Request) -> None:
    """Refuse whoever may not see the dock screen. Raises NotSignedIn or NotAllowed."""
    if is_at_the_dock(request):
        return
    with desks_of(request).lent() as desk:
        session = session_in(request, desk)
    if session is None:
        raise NotSignedIn
    if not session.account.may(Permission.SEE_STATION):
        raise NotAllowed


def _is_signed_in(request: Request) -> bool:
    """Tell whether the browser has a session of the console, and so somewhere to go back to."""
    with desks_of(request).lent() as desk:
        return session_in(request, desk) is not None


_Seen = Depends(viewer)


def _feed(request: Request) -> Feed:
    found = request.app.state.feed
    assert isinstance(found, Feed)
    return found


_OfFeed = Annotated[Feed, Depends(_feed)]


@router.get("/dock", dependencies=[_Seen])
def screen(request: Request, feed: _OfFeed) -> Response:
    settings = desks_of(request).settings()
    values = {
        "shown": feed.current(chosen_language()).message,
        "sounds": settings.web.dock_sounds,
        "blank": Tile(""),
        "guide": guide(settings.web),
        "signed_in": _is_signed_in(request),
    }
    return page(request, "dock/screen.html", values)


@router.get("/dock/now", dependencies=[_Seen])
def now(feed: _OfFeed) -> Response:
    """What the screen shows, for a browser that cannot be sent what changes."""
    return Response(feed.current(chosen_language()).document, media_type="application/json")


@router.get("/dock/stream", dependencies=[_Seen])
async def stream(request: Request, feed: _OfFeed) -> Response:
    until = None if is_at_the_dock(request) else monotonic() + _SIGNED_IN_FOR_S

    async def events() -> AsyncIterator[bytes]:
        async for event in feed.follow(language):
            yield event
            if until is not None and monotonic() > until:
                return

    language = chosen_language()
    return StreamingResponse(
        events(), media_type="text/event-stream", headers={"x-accel-buffering": "no"}
    )
