"""May a device's footage be taken in without a person's word?

Footage is evidence: what belongs to a device of the ledger is taken in even when its
identity is in conflict, and the conflict is shown. What belongs to nobody may be a
private stick, and waits for the custodian unless the station takes in everything.
"""

from collections.abc import Container
from enum import StrEnum

from recorder_sync.model import Identity, IdentityState


class Admission(StrEnum):
    TAKE_IN = "take-in"
    HOLD = "hold"


def admit(identity: Identity, registered: Container[str], *, hold_unknown: bool) -> Admission:
    """Say whether a device is taken in now or held for the custodian.

    `registered` are the device numbers in the ledger.
    """
    if identity.state is IdentityState.KNOWN or not hold_unknown:
        return Admission.TAKE_IN
    claimed = {claim.value.strip() for claim in identity.claims}
    return Admission.TAKE_IN if any(one in registered for one in claimed) else Admission.HOLD
