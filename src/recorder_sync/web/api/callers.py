"""Which program calls, and what its token allows it.

A token comes in the header `Authorization: Bearer rs_...` (RFC 6750); cookies count for nothing
here, so no page of another site can call in somebody's name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from recorder_sync.access import tokens
from recorder_sync.access.tokens import Token
from recorder_sync.rules.access import ApiScope
from recorder_sync.station import Station
from recorder_sync.web.desks import Desk
from recorder_sync.web.visits import OpenDesk

_bearer = HTTPBearer(auto_error=False, description="A token made by `recorder-sync tokens add`.")
_Given = Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)]


class NotKnown(Exception):
    """There is no token, or it works no more."""


class NotInScope(Exception):
    """The token does not allow this."""

    def __init__(self, needed: ApiScope) -> None:
        super().__init__(needed.value)
        self.needed = needed


@dataclass(frozen=True, slots=True)
class Caller:
    token: Token
    desk: Desk

    @property
    def station(self) -> Station:
        return self.desk.station


def caller(needed: ApiScope) -> Callable[[Request, Desk, _Given], Caller]:
    """Return what gives a route its caller. Raises NotKnown or NotInScope."""

    def known(request: Request, desk: OpenDesk, given: _Given = None) -> Caller:
        token = given and tokens.known(desk.accounts, given.credentials, desk.station.now())
        if not token:
            raise NotKnown
        request.state.token = token.name
        if needed not in token.scopes:
            raise NotInScope(needed)
        return Caller(token, desk.of(token.actor))

    return known
