"""Every route of the console: whom it lets in, and that what is out of reach does not exist.

The tables name every route there is, so that a new one is not forgotten: who may ask for it is
written here a second time, independently of the code.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from urllib.parse import quote

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute, Mount

from recorder_sync.catalogue import alerts, recordings
from recorder_sync.config import load
from recorder_sync.model import Kind
from recorder_sync.previews.maker import PreviewMaker
from recorder_sync.web.app import build
from recorder_sync.web.checks import Checks
from recorder_sync.web.desks import Desks
from tests.conftest import Dock, MediaFiles
from tests.documents.handing_in import PDF
from tests.web import duties
from tests.web.served import Service

ROLES = {"O": "wang", "C": "custodian", "T": "chen", "I": "inspector", "A": "admin"}
"""Officer, custodian, team leader, inspector, administrator: their accounts."""

WHO_MAY = """
GET /                                        O C T I A
GET /overview/now                            O C T I A
GET /about                                   O C T I A
GET /my-account                              O C T I A
POST /my-account/password                    O C T I A
POST /my-account/language                    O C T I A
POST /my-account/sign-out-elsewhere          O C T I A
GET /recordings                              O C T I
POST /recordings/saved                       O C T I
POST /recordings/saved/forget                O C T I
GET /recordings-being-made                   O C T I
GET /recordings/{identifier}                 O C T I
GET /recordings/{identifier}/media           O C T I
HEAD /recordings/{identifier}/media          O C T I
GET /recordings/{identifier}/preview         O C T I
HEAD /recordings/{identifier}/preview        O C T I
GET /recordings/{identifier}/thumbnail       O C T I
GET /recordings/{identifier}/check           O C T I
POST /recordings/{identifier}/check            C   I
POST /recordings/{identifier}/tags           O C T
POST /recordings/{identifier}/marks          O C T
POST /recordings/{identifier}/bookmarks      O C T
POST /recordings/{identifier}/bookmarks/{number}/withdraw  O C T
GET /recordings/{identifier}/track           O C T I
POST /recordings/{identifier}/document       O C T
GET /documents/{identifier}                  O C T I
GET /documents/{identifier}/file             O C T I
POST /documents/{identifier}/correction        C T
POST /case-documents                           C T
GET /holds                                   O C T I
POST /holds/recordings/{identifier}            C T
POST /holds/cases/{number:path}                C T
POST /recordings-copy                          C T I
POST /recordings/{identifier}/marked-preview   C T I
GET /alerts                                    C T I A
GET /alerts/{number}                           C T I A
POST /alerts                                   C T
POST /alerts/{number}                          C T
POST /alerts/{number}/explain                  C T
GET /deadlines                               O C T I A
GET /deferrals                               O C T I A
POST /deferrals                              O C T
POST /deferrals/{identifier}/approve             T
POST /deferrals/{identifier}/return          O C T
GET /gaps                                    O C T I
GET /gaps/{after}                            O C T I
POST /gaps/{after}                           O C T
GET /cases                                   O C T I
GET /cases/{number:path}                     O C T I
POST /cases                                  O C T
POST /cases/import                           O C T
POST /cases/{number:path}                    O C T
GET /calendar                                O C T I A
POST /calendar/import                          C T
POST /calendar/explain                       O C T
GET /dockings                                  C T I A
GET /dockings/{identifier}                     C T I A
GET /stores                                    C T I A
GET /stores/now                                C T I A
POST /stores/{name}                            C     A
GET /verification                              C T I A
GET /verification/now                          C T I A
POST /verification                             C   I A
GET /custody                                   C T I A
GET /custody/verifier-key.svg                  C T I A
POST /custody/proof                            C T I A
GET /custody/proof/{identifier}                C T I A
GET /devices                                   C T I A
GET /devices/{number:path}                     C T I A
GET /device-handover                           C T I A
GET /device-labels                             C T I A
GET /device-issue                              C
POST /device-issue                             C
GET /device-moves/{move}                       C
POST /device-moves/{move}                      C
GET /device-registration                       C
POST /device-registration                      C
GET /statistics                                C T I
GET /statistics/table.csv                      C T I
GET /statistics/tables.xlsx                    C T I
GET /settings                                      I A
GET /audit                                         I A
GET /accounts                                        A
GET /accounts/{name}                                 A
GET /account-registration                            A
POST /account-registration                           A
POST /accounts/{name}/change                         A
POST /accounts/{name}/link                           A
POST /accounts/{name}/disable                        A
POST /accounts/{name}/enable                         A
POST /accounts/{name}/sign-out                       A
GET /officers                                        A
GET /officers/{cert_no:path}                         A
GET /officers/{cert_no:path}/pin                     A
POST /officers/{cert_no:path}/pin                    A
POST /officers/{cert_no:path}/no-pin                 A
GET /officer-registration                            A
POST /officer-registration                           A
GET /officer-import                                  A
POST /officer-import                                 A
GET /programs                                        A
POST /programs                                       A
POST /programs/{name}/revoke                         A
"""

WITHOUT_SIGNING_IN = {
    *("GET /sign-in", "POST /sign-in", "POST /sign-out", "POST /language"),
    *("GET /invitation/{token}", "POST /invitation/{token}", "GET /healthz", "GET /metrics"),
    *("GET /dock", "GET /dock/now", "GET /dock/stream", "GET /dock/officer/{docking}"),
    *("POST /dock/officer/stay", "POST /dock/officer/leave"),
    "POST /dock/officer/{docking}/identify",
    "POST /dock/officer/{docking}/case",
    "POST /dock/officer/{docking}/important",
    "POST /dock/officer/{docking}/notified",
    "POST /dock/officer/{docking}/gap",
    "POST /dock/officer/{docking}/shows",
    "GET /dock/officer/{docking}/cases",
    "GET /dock/officer/{docking}/picture/{recording}",
}
"""Guarded by what they ask for and where they are asked from: test_dock.py, test_coming_in.py."""

OF_NO_UNIT = {
    *("POST /stores/{name}", "GET /device-moves/{move}", "POST /device-moves/{move}"),
    *("GET /accounts/{name}", "POST /accounts/{name}/change", "POST /accounts/{name}/link"),
    *("POST /accounts/{name}/disable", "POST /accounts/{name}/enable"),
    *("POST /accounts/{name}/sign-out", "POST /programs/{name}/revoke"),
    *("GET /officers/{cert_no:path}", "GET /officers/{cert_no:path}/pin"),
    *("POST /officers/{cert_no:path}/pin", "POST /officers/{cert_no:path}/no-pin"),
}
"""What they name belongs to the station, and is seen by all who may ask or by nobody."""

SECRET_CASE = "冀石执〔2026〕98号"
A_CORRECTION = {"title": "y", "kind": "issued document", "reason": "x"}
A_CASE = {"do": "close", "closed_on": "2026-11-20"}
NOBODYS = {
    "recording": "aaaaaaaaaaaaa",
    "secret": "aaaaaaaaaaaaa",
    "alert": "99999",
    "deferral": "aaaaaaaaaaaaa",
    "docking": "20261123-000000-000000",
    "device": "CAM999",
    "case": "冀石执〔2026〕99号",
    "document": "aaaaaaaaaaaaa",
    "entry": "班次-99",
}
"""Names of the kinds of things that nothing has."""


@dataclass(frozen=True)
class Asked:
    """A request that names one thing: `{}` in its address or its form."""

    route: str
    kind: str
    form: dict[str, str]
    address: str = ""
    roles: str = "OT"
    """Of those who may ask, the ones that do not reach it for their unit."""


OUT_OF_REACH = [
    Asked("GET /recordings/{identifier}", "recording", {}),
    Asked("GET /recordings/{identifier}/media", "recording", {}),
    Asked("HEAD /recordings/{identifier}/media", "recording", {}),
    Asked("GET /recordings/{identifier}/preview", "recording", {}),
    Asked("HEAD /recordings/{identifier}/preview", "recording", {}),
    Asked("GET /recordings/{identifier}/thumbnail", "recording", {}),
    Asked("GET /recordings/{identifier}/check", "recording", {}),
    Asked("POST /recordings/{identifier}/check", "recording", {}, roles=""),
    Asked("POST /recordings/{identifier}/tags", "recording", {"case": "1", "reason": "x"}),
    Asked("POST /recordings/{identifier}/marks", "recording", {"mark": "important"}),
    Asked("POST /recordings/{identifier}/bookmarks", "recording", {"second": "1", "kind": "scene"}),
    Asked(
        "POST /recordings/{identifier}/bookmarks/{number}/withdraw",
        "recording",
        {"reason": "x"},
        "/recordings/{}/bookmarks/1/withdraw",
    ),
    Asked("POST /recordings/{identifier}/marked-preview", "recording", {"reason": "x"}, roles="T"),
    Asked("GET /recordings/{identifier}/track", "recording", {}),
    Asked("POST /recordings/{identifier}/document", "recording", {"document": ""}),
    Asked(
        "POST /holds/recordings/{identifier}", "recording", {"do": "hold", "reason": "x"}, roles="T"
    ),
    Asked("POST /holds/cases/{number:path}", "case", {"do": "hold", "reason": "x"}, roles="CT"),
    Asked("GET /documents/{identifier}", "document", {}, roles="OCTI"),
    Asked("GET /documents/{identifier}/file", "document", {}, roles="OCTI"),
    Asked("POST /documents/{identifier}/correction", "document", A_CORRECTION, roles="CT"),
    Asked("POST /recordings-copy", "recording", {"ids": "{}", "reason": "x"}, roles="T"),
    Asked("GET /recordings-being-made", "recording", {}, "?thumbnails={}&preview={}"),
    Asked("GET /custody", "recording", {}, "?subject={}", roles="TA"),
    Asked("GET /custody/proof/{identifier}", "recording", {}, roles="TA"),
    Asked("POST /custody/proof", "recording", {"recording": "{}"}, roles="TA"),
    Asked("GET /gaps/{after}", "recording", {}),
    Asked("POST /gaps/{after}", "recording", {"how": "voice", "at": "0:01"}),
    Asked("GET /alerts/{number}", "alert", {}, roles="T"),
    Asked("POST /alerts/{number}", "alert", {"do": "acknowledge"}, roles="T"),
    Asked("POST /alerts", "alert", {"do": "acknowledge", "number": "{}"}, roles="T"),
    Asked("POST /alerts/{number}/explain", "alert", {"reason": "other"}, roles="T"),
    Asked("POST /deferrals/{identifier}/approve", "deferral", {}, roles="T"),
    Asked("POST /deferrals/{identifier}/return", "deferral", {"returned": "2026-11-23T10:00"}),
    Asked("GET /dockings/{identifier}", "docking", {}, roles="T"),
    Asked("GET /dockings", "device", {}, "?device={}", roles="T"),
    Asked("GET /devices/{number:path}", "device", {}, roles="T"),
    Asked("GET /devices", "device", {}, "?q={}", roles="T"),
    Asked("GET /device-handover", "device", {}, "?number={}", roles="T"),
    Asked("GET /device-labels", "device", {}, "?number={}", roles="T"),
    Asked("GET /calendar", "entry", {}, "?entry={}"),
    Asked("POST /calendar/explain", "entry", {"entry": "{}", "reason": "other", "note": "x"}),
    Asked("GET /cases/{number:path}", "case", {}, roles="OCT"),
    Asked("POST /cases/{number:path}", "case", A_CASE, roles="OCT"),
    Asked("GET /cases", "case", {}, "?q={}", roles="OCT"),
]


def app_of(service: Service) -> FastAPI:
    settings = load(service.dock.config)
    return build(Desks(lambda: settings), PreviewMaker(lambda: settings), Checks())


def routes_of(app: FastAPI) -> set[str]:
    """Return the routes beside the API and the files, which are mounted."""
    assert {one.name for one in app.routes if isinstance(one, Mount)} == {"api", "static"}
    return {f"{method} {one.path}" for one in _routes(app.routes) for method in one.methods or ()}


def _routes(found: Sequence[BaseRoute]) -> Iterator[APIRoute]:
    for one in found:
        if isinstance(one, APIRoute):
            yield one
        elif not isinstance(one, Mount):  # as FastAPI keeps an included router
            yield from _routes(one.original_router.routes)  # type: ignore[attr-defined]


def who_may() -> dict[str, set[str]]:
    lines = [line.split() for line in WHO_MAY.strip().splitlines()]
    return {f"{method} {path}": set(roles) for method, path, *roles in lines}


class Person:
    """Somebody signed in, whose forms carry the token."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        found = re.search(r'name="csrf" value="([^"]+)"', http.get("/my-account").text)
        assert found
        self._token = found[1]

    def ask(self, method: str, address: str, form: dict[str, str] | None = None) -> httpx.Response:
        if method in ("GET", "HEAD"):
            return self._http.request(method, address)
        if address == "/case-documents":  # which takes what browsers send with a file
            return self._http.post(address, files={"csrf": (None, self._token)})
        return self._http.post(address, data={**(form or {}), "csrf": self._token})


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, media_files: MediaFiles) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("routes")
    served = Service(Dock(folder))
    served.configure(
        stores=duties.STORES,  # type: ignore[arg-type]
        ingest={"immutable": False},
        web={"requests_per_s": 1000.0},
    )
    duties.make(served.dock, folder, media_files)
    assert served.dock.run("cases", "add", SECRET_CASE).code == 0
    assert served.dock.run("cases", "classify", SECRET_CASE, "state secret").code == 0
    duties.accounts(served.dock)
    with served:
        yield served


@pytest.fixture(scope="module")
def people(service: Service) -> Iterator[dict[str, Person]]:
    with ExitStack() as stack:
        yield {
            role: Person(stack.enter_context(service.signed_in(name)).http)
            for role, name in ROLES.items()
        }


def others(service: Service) -> dict[str, str]:
    """Return of each kind of thing the name of one that is of the other unit, or secret."""
    station = service.dock.station()
    with closing(station.catalogue) as db:
        ids = recordings.sealed_ids(db)
        found = [recordings.recording(db, one).recording for one in ids]
        theirs = [one for one in found if one.device == "CAM031"]
        late = max(theirs, key=lambda one: one.recorded.start)
        own = next(one for one in found if one.device == "CAM001" and one.media.kind is Kind.VIDEO)
        alert = next(one for one in alerts.live(db) if one.device == "CAM031")
        (waits,) = db.execute("select id from deferrals where device = 'CAM031'").fetchone()
        (docking,) = db.execute("select id from dockings where device = 'CAM031'").fetchone()
    done = service.dock.run(
        "recordings", "mark", own.id, "--secrecy", "commercial secret", "--reason", "x"
    )
    assert done.code == 0, done.err
    paper = service.dock.config.with_name("paper.pdf")
    paper.write_bytes(PDF)
    options = ("--title", "x", "--kind", "issued document", "--json")
    added = service.dock.run("cases", "documents", "add", SECRET_CASE, paper, *options)
    assert added.code == 0, added.err
    return {
        "recording": late.id,
        "document": added.json["id"],
        "secret": own.id,
        "alert": str(alert.number),
        "deferral": waits,
        "docking": docking,
        "device": "CAM031",
        "case": SECRET_CASE,
        "entry": "班次-2",
    }


def test_each_route_lets_in_the_roles_whose_duty_it_is_and_no_other(
    service: Service, people: dict[str, Person]
) -> None:
    table = who_may()
    assert set(table) == routes_of(app_of(service)) - WITHOUT_SIGNING_IN
    wrong = []
    for route, allowed in table.items():
        method, path = route.split()
        address = re.sub(r"\{[^}]*\}", "none", path)
        for role, person in people.items():
            code = person.ask(method, address).status_code
            if (code != 403) != (role in allowed) or code >= 500:
                wrong.append(f"{route} for {role}: {code}")
    assert wrong == []


def test_nobody_is_let_in_anywhere_without_signing_in(service: Service) -> None:
    with httpx.Client(base_url=service.address) as stranger:
        for route in who_may():
            method, path = route.split()
            answer = stranger.request(method, re.sub(r"\{[^}]*\}", "none", path))
            if method == "POST" and answer.status_code == 403:
                assert "This form is too old" in answer.text, route
            else:
                assert answer.status_code == 303, route
                assert answer.headers["location"].startswith("/sign-in"), route


def test_art_21_what_is_out_of_reach_is_answered_as_what_does_not_exist(
    service: Service, people: dict[str, Person]
) -> None:
    named = {one.route for one in OUT_OF_REACH}
    assert {route for route in who_may() if "{" in route} == {
        *(route for route in named if "{" in route),
        *OF_NO_UNIT,
    }
    real = others(service)
    secret = [
        replace(one, kind="secret", roles="".join(who_may()[one.route] - {"A"}))
        for one in OUT_OF_REACH
        if one.kind == "recording"
    ]
    wrong = []
    for one in (*OUT_OF_REACH, *secret):
        for role in one.roles:
            found, none = (
                _asked(one, people[role], name) for name in (real[one.kind], NOBODYS[one.kind])
            )
            if found != none or (found[0] != 404 and "?" not in one.address):
                wrong.append((one.route, role, found, none))
    assert wrong == [], _told(wrong)


def _told(wrong: list[tuple[str, str, tuple[int, str], tuple[int, str]]]) -> str:
    """Return the differences without the pages around them."""

    def short(answer: tuple[int, str]) -> str:
        return f"{answer[0]} {' '.join(re.sub('<[^>]*>', '', answer[1]).split())[:300]}"

    return "\n".join(f"{a} for {b}: {short(c)} | {short(d)}" for a, b, c, d in wrong)


def _asked(one: Asked, person: Person, name: str) -> tuple[int, str]:
    """Return the answer, without the name that was asked for."""
    method, path = one.route.split()
    plain = one.address if one.address.startswith("/") else path + one.address
    address = re.sub(r"\{[^}]*\}", quote(name), plain)
    form = {field: value.replace("{}", name) for field, value in one.form.items()}
    answer = person.ask(method, address, form)
    shown = answer.text.partition("<main")[2] or answer.text
    return answer.status_code, shown.replace(name, "…").replace(quote(name), "…")
