"""Makes pages of templates: what every template can use, and nothing but text gets in unescaped.

Whatever comes off a card or from a form is escaped by the templates (autoescape) and, where it
is shown in a line, has its unprintable characters replaced (`printable`).
"""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from recorder_sync import __version__, shown
from recorder_sync.access.accounts import Account
from recorder_sync.language import Language, T, Text, chosen_language, tr
from recorder_sync.printable import printable
from recorder_sync.rules.access import Permission
from recorder_sync.rules.readiness import as_found
from recorder_sync.time_left import left, length
from recorder_sync.web.navigation import places_for
from recorder_sync.web.visits import desks_of

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
TEMPLATES = _HERE / "templates"


def page(
    request: Request, template: str, values: Mapping[str, object] | None = None, *, code: int = 200
) -> HTMLResponse:
    """Return the page of a template. `account` and `csrf` are those of the visit, if any."""
    settings = desks_of(request).settings()
    account: Account | None = getattr(request.state, "account", None)
    text = (
        _environment()
        .get_template(template)
        .render(
            {
                "request": request,
                "here": request.url.path,
                "station": settings.station.id,
                "zone": settings.station.zone,
                "account": account,
                "csrf": getattr(request.state, "csrf", ""),
                "navigation": places_for(account) if account else [],
                "language": chosen_language(),
                **(values or {}),
            }
        )
    )
    return HTMLResponse(text, code)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        _=tr,
        say=say,
        static=static,
        icon=icon,
        time_left=left,
        version=__version__,
        Language=Language,
        Permission=Permission,
    )
    environment.filters.update(
        amount=shown.amount,
        span=_span,
        tr=_translated,
        as_found=lambda said: as_found(said).shown,
        plain=lambda value: printable(str(value)),
        local=_local,
        minute=_minute,
        day=_day,
        clock=_clock,
        length_of=length,
        choice_of=_choice_of,
    )
    return environment


def say(template: str, **values: object) -> str:
    """Return a sentence with values in it, in the language of the page."""
    return T(template, **values).shown


def icon(name: str) -> Markup:
    """Return a picture of `static/icons.svg`; decoration, which a screen reader passes over."""
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"/></svg>').format(
        static("icons.svg"), name
    )


def _translated(word: object) -> str:
    """Return a word of an enum, or a Text, in the language of the page."""
    return word.shown if isinstance(word, Text) else tr(str(word))


def _choice_of(word: object) -> tuple[str, str]:
    """Return a word of an enum as an option of a choice."""
    return str(word), tr(str(word))


def _span(seconds: float | timedelta | None) -> str | None:
    return shown.span(seconds.total_seconds() if isinstance(seconds, timedelta) else seconds)


def _local(at: datetime | None, zone: ZoneInfo) -> str | None:
    return shown.local(at, zone)


def _minute(at: datetime | None, zone: ZoneInfo) -> str | None:
    return shown.minute(at, zone)


def _day(at: datetime | date | None, zone: ZoneInfo) -> str | None:
    if at is None:
        return None
    return f"{at.astimezone(zone):%Y-%m-%d}" if isinstance(at, datetime) else at.isoformat()


def _clock(at: datetime | None, zone: ZoneInfo) -> str | None:
    return None if at is None else f"{at.astimezone(zone):%H:%M}"


@cache
def static(name: str) -> str:
    """Return the address of a file in `static/`; it changes with the content, so it can be kept."""
    content: Any = (STATIC / name).read_bytes()
    return f"/static/{name}?v={sha256(content).hexdigest()[:10]}"
