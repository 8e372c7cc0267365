"""Serves the pages from threads of their own, in whichever process that is."""

import gc
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from recorder_sync.config import Configuration
from recorder_sync.errors import MissingPart, os_reason
from recorder_sync.ingest.stopping import Stop
from recorder_sync.journal import Log
from recorder_sync.language import T
from recorder_sync.previews.maker import PreviewMaker
from recorder_sync.web.app import build
from recorder_sync.web.checks import Checks
from recorder_sync.web.connections import Impatient
from recorder_sync.web.deadlines import read_ahead
from recorder_sync.web.desks import Desks

_log = Log()
_GOODBYE_S = 3
"""Seconds that requests under way get at the end."""


def _look_for_garbage_less_often() -> None:
    """Leave what is imported and built out of garbage collection.

    A page of thousands of facts would set off collections that look at all of it, a tenth of a
    second each.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


@contextmanager
def serving(
    in_use: Callable[[], Configuration], configuration: Path | None = None
) -> Iterator[str]:
    """Serve while the block lasts; yields the address for a browser.

    Raises MissingPart where the address cannot be listened at or the certificate not be read.
    """
    settings = in_use().web
    desks = Desks(in_use, configuration)
    previews, checks = PreviewMaker(in_use), Checks()
    app = build(desks, previews, checks)
    listener = _listener(settings.address, settings.port)
    try:
        config = uvicorn.Config(
            app,
            http=Impatient,
            ssl_certfile=settings.certificate,
            ssl_keyfile=settings.certificate_key,
            proxy_headers=settings.behind_proxy,
            forwarded_allow_ips="127.0.0.1,::1",
            server_header=False,
            date_header=True,
            access_log=False,
            log_config=None,
            lifespan="off",
            timeout_graceful_shutdown=_GOODBYE_S,
        )
        config.load()
    except OSError as error:
        listener.close()
        raise MissingPart(
            T("The certificate cannot be used: {why}.", why=os_reason(error)),
            T("Check web.certificate and web.certificate_key, and the rights of both files."),
        ) from error
    _look_for_garbage_less_often()
    server = uvicorn.Server(config)
    thread = threading.Thread(
        target=server.run, kwargs={"sockets": [listener]}, name="web", daemon=True
    )
    thread.start()
    stop = Stop()
    ahead = threading.Thread(
        target=read_ahead, args=(desks, app.state.running, stop), name="web ahead", daemon=True
    )
    ahead.start()
    previews.start()
    port = listener.getsockname()[1]
    host = settings.address if ":" not in settings.address else f"[{settings.address}]"
    address = f"{'https' if settings.certificate else 'http'}://{host}:{port}/"
    _log.info("serving", address=address)
    try:
        yield address
    finally:
        stop.request()
        app.state.feed.close()  # its streams would last as long as the screens
        server.should_exit = True
        thread.join(_GOODBYE_S + 2)
        previews.stop()
        checks.close()
        app.state.samples.stop()
        ahead.join(_GOODBYE_S)
        desks.close()


def _listener(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # With its protocol named, asyncio sends every answer at once: else each would wait for the
    # browser's delayed acknowledgement, 40 ms (TCP_NODELAY; RFC 1122, 4.2.3.2).
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise MissingPart(
            T(
                "Nothing can be served at {address}, port {port}: {why}.",
                address=address,
                port=port,
                why=os_reason(error),
            ),
            T("Choose another web.port, or stop the program that has this one."),
        ) from error
    return listener
