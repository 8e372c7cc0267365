"""`recorder-sync clear`: remove from cards what is sealed, as the dock requested."""

import sqlite3

import typer

from recorder_sync.catalogue.database import explain
from recorder_sync.cli.session import station_of
from recorder_sync.dock.clearing import clear as clear_card
from recorder_sync.dock.clearing import clearing_requests
from recorder_sync.errors import RecorderSyncError, os_reason
from recorder_sync.journal import Log, log_to_the_journal


def clear(context: typer.Context) -> None:
    """Do what requests wait for; run by the unit that makes a card writable."""
    log_to_the_journal()
    log = Log()
    failed = False
    with station_of(context) as station:
        for request in clearing_requests(station.settings.paths.runtime):
            try:
                done = clear_card(station, request)
                log.info("cleared", docking=request.docking, removed=done.removed, kept=done.kept)
            except RecorderSyncError as error:
                failed = True
                log.error("not cleared", docking=request.docking, why=str(error))
            except OSError as error:
                failed = True
                log.error("not cleared", docking=request.docking, why=os_reason(error).english)
            except sqlite3.DatabaseError as error:
                failed = True
                log.error("not cleared", docking=request.docking, why=str(explain(error)))
            finally:
                request.file.unlink(missing_ok=True)
    if failed:
        raise typer.Exit(1)
