"""Lengths of time as people read them: an age, and what is left until a limit."""

from datetime import datetime, timedelta

from recorder_sync.language import T


def length(of: timedelta) -> str:
    """Return a length in its two largest units; the sign is left out."""
    minutes = int(abs(of.total_seconds()) // 60)
    days, hours = divmod(minutes // 60, 24)
    if days:
        return T("{days} d {hours} h", days=days, hours=hours).shown
    if hours:
        return T("{hours} h {minutes} min", hours=hours, minutes=minutes % 60).shown
    return T("{minutes} min", minutes=minutes).shown


def left(due: datetime, now: datetime) -> str:
    """Say how long it is until a limit, or how long it has passed. The last instant is on time."""
    if now > due:
        return T("{length} over", length=length(now - due)).shown
    return T("{length} left", length=length(due - now)).shown
