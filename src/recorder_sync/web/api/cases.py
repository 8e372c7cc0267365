"""Cases by the API: the office's case system opens, describes and closes them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from recorder_sync.catalogue import ledger
from recorder_sync.custodian.registration import close_case, no_such_case, register_cases
from recorder_sync.model import Case
from recorder_sync.rules.access import ApiScope
from recorder_sync.web.api.callers import Caller, caller
from recorder_sync.web.api.forms import CaseForm, CasesForm, Closing, NewCase
from recorder_sync.web.api.once import Key, once

router = APIRouter(tags=["cases"])

_Reader = Annotated[Caller, Depends(caller(ApiScope.CASES_READ), scope="function")]
_Writer = Annotated[Caller, Depends(caller(ApiScope.CASES_WRITE), scope="function")]


@router.get("/cases")
def list_cases(
    who: _Reader,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
    after: Annotated[str | None, Query(max_length=200)] = None,
) -> CasesForm:
    """Cases in the order of their numbers."""
    found = ledger.cases_after(who.station.catalogue, after, limit + 1, who.token.cleared)
    shown = found[:limit]
    return CasesForm(
        cases=[CaseForm.of(one) for one in shown],
        next=shown[-1].number if len(found) > limit else None,
    )


@router.get("/cases/by-number")
def show_case(who: _Reader, number: Annotated[str, Query(max_length=200)]) -> CaseForm:
    """One case. Its number is a parameter, as case numbers may hold a slash."""
    return CaseForm.of(known_case(who, number))


@router.post("/cases", status_code=201, response_model=CaseForm)
def register_case(who: _Writer, case: NewCase, key: Key = None) -> Response:
    """Register a case, or replace party and cause of one that is registered."""

    def do() -> CaseForm:
        number = case.number.strip()
        known = Case(number, case.party or None, case.cause or None)
        register_cases(who.station, [known], who.token.cleared)
        return CaseForm.of(known_case(who, number))

    return once(who, key, case, do, 201)


@router.post("/cases/close", response_model=CaseForm)
def close(who: _Writer, closing: Closing, key: Key = None) -> Response:
    """Enter the day on which the enforcement ended; the archive counts from it (Art. 26)."""

    def do() -> CaseForm:
        known_case(who, closing.number.strip())
        close_case(who.station, closing.number.strip(), closing.on)
        return CaseForm.of(known_case(who, closing.number.strip()))

    return once(who, key, closing, do)


def known_case(who: Caller, number: str) -> Case:
    """Return a case that the token may see. Raises NotFound."""
    found = ledger.case(who.station.catalogue, number)
    if found is None or found.secrecy not in who.token.cleared:
        raise no_such_case(number)
    return found
