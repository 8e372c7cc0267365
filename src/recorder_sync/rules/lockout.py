"""When somebody who gave wrong passwords may try again. Pure.

Five failures in a row lock an account, or a PIN, for a quarter of an hour; a success, or that
quarter of an hour, starts the count anew. The count is of the account and not of the address
that was tried from, so that many addresses are no way round it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

FAILURES = 5
LOCKED_FOR = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Attempts:
    """Failures in a row, and until when nothing is tried."""

    failures: int = 0
    locked_until: datetime | None = None

    def is_locked(self, at: datetime) -> bool:
        """Tell whether nothing is tried at `at`: never for longer than it was locked for.

        A clock that was wrong when it was locked, and set back since, locks nobody out for years.
        """
        return self.locked_until is not None and at < self.locked_until <= at + LOCKED_FOR

    def failed(self, at: datetime) -> "Attempts":
        """Return what stands after one more failure."""
        began_anew = self.locked_until is not None and not self.is_locked(at)
        failures = 1 if began_anew else self.failures + 1
        return Attempts(failures, at + LOCKED_FOR if failures >= FAILURES else None)

    def succeeded(self) -> "Attempts":
        return Attempts()
