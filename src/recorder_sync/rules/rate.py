"""How many requests are taken from one source: a bucket of tokens. Pure.

A source may ask a number of times at once, and from then on at a steady rate.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    at_once: int
    each_s: float
    """Seconds until one more request is taken."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """What is left for one source; `at` is a moment of a steady clock, in seconds."""

    left: float
    at: float


def taken(bucket: Bucket | None, rate: Rate, at: float) -> tuple[Bucket, float]:
    """Take one request; return what is left, and how many seconds to wait where none was."""
    if bucket is None:
        left = float(rate.at_once)
    else:
        left = min(float(rate.at_once), bucket.left + max(0.0, at - bucket.at) / rate.each_s)
    if left >= 1.0:
        return Bucket(left - 1.0, at), 0.0
    return Bucket(left, at), (1.0 - left) * rate.each_s
