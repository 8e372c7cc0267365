"""Settings of who is told what happened: `[[webhooks]]`."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from recorder_sync.section import Section
from recorder_sync.stores.credentials import Secret
from recorder_sync.webhooks.happening import Happening

_OWN = frozenset({"localhost", "127.0.0.1", "::1"})


class Webhook(Section):
    """One address that events are posted to."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
    url: Annotated[str, Field(max_length=2000)]
    """Address, by HTTPS; by HTTP only on this computer."""
    secret: Secret
    """By which each message is signed; at least 24 characters."""
    events: tuple[Happening, ...] = tuple(Happening)
    """Which events it is told."""

    @field_validator("url")
    @classmethod
    def _is_encrypted(cls, url: str) -> str:
        parts = urlsplit(url)
        is_own = parts.scheme == "http" and parts.hostname in _OWN
        if not parts.hostname or not (parts.scheme == "https" or is_own):
            raise ValueError("should begin with https://, or be an http:// of this computer")
        if parts.username or parts.password:
            raise ValueError("should hold no name and password; messages are signed instead")
        return url


def each_hook_once(hooks: tuple[Webhook, ...]) -> tuple[Webhook, ...]:
    """Return the hooks. Raises ValueError where two have one name."""
    names = [hook.name for hook in hooks]
    if len(set(names)) < len(names):
        raise ValueError("each should have a name of its own")
    return hooks
