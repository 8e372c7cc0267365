"""Signs a webhook's message as Standard Webhooks says (HMAC-SHA256).

https://www.standardwebhooks.com: the receiver computes the same over the message's id, its
time and its body, and refuses what differs or is old.
"""

import base64
import hashlib
import hmac
from datetime import datetime


def signed_headers(secret: str, message: str, at: datetime, body: bytes) -> dict[str, str]:
    """Return the headers that show whom a message is from. `at` is when it is sent."""
    seconds = str(int(at.timestamp()))
    content = b".".join((message.encode(), seconds.encode(), body))
    digest = hmac.digest(_key(secret), content, hashlib.sha256)
    return {
        "webhook-id": message,
        "webhook-timestamp": seconds,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _key(secret: str) -> bytes:
    """Return the key of a secret: as it is, or what `whsec_` says in base64."""
    if secret.startswith("whsec_"):
        return base64.b64decode(secret.removeprefix("whsec_"))
    return secret.encode()
