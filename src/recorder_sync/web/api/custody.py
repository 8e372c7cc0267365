"""The newest checkpoint by the API, for whoever keeps them elsewhere."""

from typing import Annotated

from fastapi import APIRouter, Depends

from recorder_sync.errors import NotFound
from recorder_sync.language import T
from recorder_sync.rules.access import ApiScope
from recorder_sync.web.api.callers import Caller, caller
from recorder_sync.web.api.forms import CheckpointForm
from recorder_sync.witnessing.making import checkpoints_of

router = APIRouter(tags=["custody"])


@router.get("/custody/checkpoint")
def newest_checkpoint(
    who: Annotated[Caller, Depends(caller(ApiScope.PROOFS_READ), scope="function")],
) -> CheckpointForm:
    """The newest checkpoint that is kept, with the key that checks it."""
    checkpoints = checkpoints_of(who.station.settings)
    signed = checkpoints.last()
    if signed is None:
        raise NotFound(
            T("No checkpoint was made yet."), T("Make one: recorder-sync custody checkpoint")
        )
    return CheckpointForm(checkpoint=signed.note, verifier_key=str(checkpoints.verifier()))
