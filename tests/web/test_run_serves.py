"""`run` serves the pages too, and takes footage in whether it can serve them or not."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from recorder_sync.dock.live_status import read_status
from tests.conftest import Dock
from tests.ingest.aftermath import until
from tests.web.served import Service


@contextmanager
def running(dock: Dock, runtime: Path, **web: object) -> Iterator[Service]:
    service = Service(dock, "run")
    service.configure(paths={"runtime": str(runtime)}, web={"enabled": True, **web})
    with service:
        yield service


def _said(runtime: Path) -> dict[str, str | None]:
    def said() -> dict[str, str | None]:
        return (read_status(runtime) or {}).get("web") or {}

    return until(said, "a word of the pages in the status")


def test_run_serves_the_dock_screen_as_well(dock: Dock, tmp_path: Path) -> None:
    with running(dock, tmp_path / "run") as service:
        assert httpx.get(f"{service.address}/dock").status_code == 200
        assert _said(tmp_path / "run") == {"address": f"{service.address}/", "problem": None}


@pytest.mark.parametrize("trouble", ["port", "certificate"])
def test_what_keeps_the_pages_from_being_served_stops_no_camera(
    dock: Dock, tmp_path: Path, trouble: str
) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    web = {"certificate": str(bad), "certificate_key": str(bad)} if trouble == "certificate" else {}
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        if trouble == "port":
            web["port"] = other.getsockname()[1]
        with running(dock, tmp_path / "run", **web):
            said = _said(tmp_path / "run")
            assert said["address"] is None
            assert said["problem"]
            status = dock.run("status")
            assert "running" in status.out
            assert "not served" in status.out
