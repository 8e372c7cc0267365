"""Which device, officer and case a recording belongs to, and why.

Each source makes a claim. The best source is used: what a person said at the
command line, then the file's name, the container's tags, an identity file on the
card, what the ledger knows, the duty calendar. Sources that disagree are a conflict:
every value is kept, and a person decides.
"""

from collections.abc import Iterable

from recorder_sync.model import Claim, Flag, Source, Tag, Tags

_BEST_FIRST = {source: rank for rank, source in enumerate(Source)}


def decide(claims: Iterable[Claim]) -> Tag | None:
    """Return the tag that the claims make together, or None where there are none.

    Two claims agree when they are equal apart from case and surrounding spaces.
    """
    said = [claim for claim in claims if claim.value.strip()]
    if not said:
        return None
    ranked = sorted(said, key=lambda claim: _BEST_FIRST[claim.source])
    best = ranked[0]
    value = best.value.strip()
    others = tuple(c for c in ranked[1:] if c.value.strip().casefold() != value.casefold())
    return Tag(value, best.source, best.detail, others)


def conflicts(tags: Tags) -> frozenset[Flag]:
    """Return a flag for each tag whose sources disagree."""
    found = set()
    if tags.device and tags.device.in_conflict:
        found.add(Flag.DEVICE_CONFLICT)
    if tags.officer and tags.officer.in_conflict:
        found.add(Flag.OFFICER_CONFLICT)
    if tags.case and tags.case.in_conflict:
        found.add(Flag.CASE_CONFLICT)
    return frozenset(found)
