"""`/healthz` for whoever restarts services, `/metrics` for Prometheus.

Metrics are taken from the figures that the watch keeps and from the live status, so that to
ask for them costs the same with ten recordings and with ten million. They are given to this
computer's own programs (`web.dock_networks`) and to tokens with the scope `metrics:read`.
"""

import shutil
from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4

from recorder_sync import __version__
from recorder_sync.access import tokens
from recorder_sync.catalogue import alerts, recordings, uploads, watch_state
from recorder_sync.catalogue.uploads import UploadState
from recorder_sync.rules.access import ApiScope
from recorder_sync.rules.matter import Severity
from recorder_sync.station import Station
from recorder_sync.web.desks import Desk
from recorder_sync.web.dock import is_at_the_dock
from recorder_sync.web.visits import OpenDesk

router = APIRouter()


@router.get("/healthz")
def healthz(desk: OpenDesk) -> Response:
    """Answer 200 where the catalogue can be read; no more is said to whoever asks."""
    desk.station.catalogue.execute("select 1 from recordings limit 1").fetchone()
    return JSONResponse({"status": "ok"})


@router.get("/metrics")
def metrics(
    request: Request, desk: OpenDesk, authorization: Annotated[str | None, Header()] = None
) -> Response:
    if not _may_ask(request, desk, authorization):
        return PlainTextResponse("A token with the scope metrics:read is needed.\n", 401)
    return Response(generate_latest(_measured(desk.station)), media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _may_ask(request: Request, desk: Desk, authorization: str | None) -> bool:
    kind, _, given = (authorization or "").partition(" ")
    if kind.lower() == "bearer":
        token = tokens.known(desk.accounts, given, desk.station.now())
        return token is not None and ApiScope.METRICS_READ in token.scopes
    return is_at_the_dock(request)


def _measured(station: Station) -> CollectorRegistry:
    registry = CollectorRegistry()
    db, settings, now = station.catalogue, station.settings, station.now()

    def gauge(name: str, says: str, *labels: str) -> Gauge:
        return Gauge(f"recorder_sync_{name}", says, labels, registry=registry)

    gauge("info", "Version and station.", "version", "station").labels(
        __version__, settings.station.id
    ).set(1)
    sealed, late = recordings.count_sealed(db)
    gauge("recordings_sealed", "Sealed recordings.").set(sealed)
    gauge("recordings_late", "Of these, sealed after their deadline (Art. 21).").set(late)
    gauge("custody_entries", "Entries of the custody log.").set(station.custody.size())
    live = alerts.live(db)
    open_alerts = gauge("alerts", "Alerts that are not resolved.", "severity")
    for severity in Severity:
        open_alerts.labels(severity.value).set(sum(one.severity is severity for one in live))
    disk = shutil.disk_usage(settings.paths.evidence)
    gauge("evidence_disk_bytes", "Size of the evidence disk.").set(disk.total)
    gauge("evidence_disk_free_bytes", "Free space on it.").set(disk.free)
    if (ticked := watch_state.last_tick_at(db)) is not None:
        age = gauge("watch_age_seconds", "Seconds since deadlines were last looked at.")
        age.set((now - ticked).total_seconds())
    queue = gauge("store_recordings", "Recordings by store and state.", "store", "state")
    for store in settings.stores:
        found = uploads.queue_of(db, store.name)
        queue.labels(store.name, UploadState.WAITING.value).set(found.waiting)
        queue.labels(store.name, UploadState.FAILED.value).set(found.failed)
        queue.labels(store.name, "confirmed").set(found.confirmed)
    return registry
