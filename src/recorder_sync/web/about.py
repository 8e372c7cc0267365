"""What this is: version, station, the key that outsiders check with, licences, and how it fares."""

import hashlib
import platform
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import metadata
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from recorder_sync import __version__
from recorder_sync.catalogue import store_states, watch_state
from recorder_sync.catalogue.store_states import StoreState
from recorder_sync.custody.checkpoint import Verifier
from recorder_sync.custody.handed_out import HandedOut
from recorder_sync.dock.live_status import read_status
from recorder_sync.errors import RecorderSyncError
from recorder_sync.language import T, Text, tr
from recorder_sync.rules.access import Permission
from recorder_sync.web.device_registration import code
from recorder_sync.web.rendering import page
from recorder_sync.web.visits import Visit, visitor

router = APIRouter()

_Anybody = Annotated[Visit, Depends(visitor(), scope="function")]


@dataclass(frozen=True, slots=True)
class Key:
    text: str
    fingerprint: str
    """SHA-256 of the public key, in groups, to be compared by voice."""
    size: int
    drawn: str
    earlier: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Service:
    name: str
    kind: str
    """For its badge."""
    word: str
    says: str | None


@dataclass(frozen=True, slots=True)
class Library:
    name: str
    version: str
    licence: str


@router.get("/about")
def about(request: Request, visit: _Anybody) -> Response:
    may_see = visit.may(Permission.SEE_STATION)
    values = {
        "version": __version__,
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "system": _system(),
        "key": _key(visit),
        "services": list(_services(visit)) if may_see else [],
        "libraries": _libraries(),
    }
    return page(request, "about.html", values)


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):  # os-release(5) need not be there
        return platform.system()


def _key(visit: Visit) -> Key | None:
    """Return the key that is handed out; None before the first checkpoint was signed."""
    try:
        keys = HandedOut(visit.settings.paths.state / "custody").all()
    except (OSError, ValueError):
        return None  # verification names it; here nothing that is not a key is shown as one
    if not keys:
        return None
    newest = keys[-1]
    size, drawn = code(str(newest))
    return Key(str(newest), fingerprint(newest), size, drawn, tuple(str(k) for k in keys[:-1]))


def fingerprint(key: Verifier) -> str:
    """Return what two people compare by voice: the first half of the key's SHA-256."""
    digest = hashlib.sha256(key.key).hexdigest()
    return " ".join(digest[at : at + 4] for at in range(0, 32, 4))


def _services(visit: Visit) -> Iterator[Service]:
    yield Service(tr("Web pages"), "good", tr("running"), None)
    try:
        status = read_status(visit.settings.paths.runtime)
    except RecorderSyncError as problem:
        yield Service(tr("Dock"), "warn", tr("not known"), problem.text.shown)
    else:
        running = status is not None
        yield Service(
            tr("Dock"),
            "good" if running else "bad",
            tr("running") if running else tr("not running"),
            None if running else tr("Nothing is taken in. Start it: recorder-sync.target"),
        )
    looked_at = watch_state.last_tick_at(visit.station.catalogue)
    yield _watch(visit, looked_at)
    for store in visit.settings.stores:
        yield _store(store_states.state_of(visit.station.catalogue, store.name))


def _watch(visit: Visit, looked_at: datetime | None) -> Service:
    if looked_at is None:
        return Service(tr("Watching of deadlines"), "warn", tr("no look yet"), None)
    minutes = (visit.station.now() - looked_at).total_seconds() / 60
    says: Text = T("last look {minutes} min ago", minutes=max(0, round(minutes)))
    is_late = minutes > 10
    return Service(
        tr("Watching of deadlines"),
        "bad" if is_late else "good",
        tr("stands still") if is_late else tr("running"),
        says.shown,
    )


def _store(store: StoreState) -> Service:
    title = T("Store {name}", name=store.name).shown
    if store.paused_at is not None:
        return Service(title, "warn", tr("paused"), None)
    if store.failing_since is not None:
        return Service(title, "bad", tr("not reached"), store.why.shown if store.why else None)
    return Service(title, "good", tr("reached"), None)


@cache
def _libraries() -> list[Library]:
    """Return the libraries that come with the program, with their licences as they name them."""
    found: dict[str, Library] = {}
    waiting = ["recorder-sync"]
    while waiting:
        name = waiting.pop()
        try:
            of = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue
        key = of.metadata["Name"].lower()
        if key in found:
            continue
        found[key] = Library(of.metadata["Name"], of.version, _licence(of))
        for needed in of.requires or ():
            if "extra ==" not in needed:
                waiting.append(_name_in(needed))
    found.pop("recorder-sync", None)
    return sorted(found.values(), key=lambda one: one.name.lower())


def _name_in(requirement: str) -> str:
    end = next((at for at, c in enumerate(requirement) if not (c.isalnum() or c in "-_.")), None)
    return requirement[:end]


def _licence(of: metadata.Distribution) -> str:
    said = ", ".join(of.metadata.get_all("License-Expression") or [])
    if not said:
        classifiers = of.metadata.get_all("Classifier") or []
        named = [c.rsplit("::", 1)[-1].strip() for c in classifiers if c.startswith("License ::")]
        said = ", ".join(one for one in named if one != "OSI Approved")
    said = said or "".join(of.metadata.get_all("License") or [])
    return said.splitlines()[0][:60] if said else "—"
