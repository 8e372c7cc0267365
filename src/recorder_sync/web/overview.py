"""The overview: what needs me now."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from recorder_sync.web.rendering import page
from recorder_sync.web.visits import Visit, visitor

router = APIRouter()


@router.get("/")
def overview(request: Request, _visit: Annotated[Visit, Depends(visitor())]) -> Response:
    return page(request, "overview.html")
