"""Hashes of passwords and PINs: Argon2id with the library's recommended parameters (RFC 9106)."""

import secrets
import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

_hasher = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)

NOBODYS = _hasher.hash(secrets.token_hex(16))
"""Checked for names that do not exist: an answer takes as long as for one that does."""


def hash_of(secret: str) -> str:
    return _hasher.hash(_as_typed(secret))


def fits(hashed: str, secret: str) -> bool:
    try:
        return _hasher.verify(hashed, _as_typed(secret))
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(hashed: str) -> bool:
    """Tell whether a hash was made with weaker parameters than today's."""
    return _hasher.check_needs_rehash(hashed)


def _as_typed(secret: str) -> str:
    """One form for the several that a keyboard may make of one character (NFKC)."""
    return unicodedata.normalize("NFKC", secret)
