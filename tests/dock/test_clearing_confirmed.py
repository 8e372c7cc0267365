"""Where cards are cleared of what is confirmed, only what every store has shown goes."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from recorder_sync.rules.docking import Stay
from tests.conftest import Card, MediaFiles
from tests.dock.conftest import Port
from tests.dock.test_stay import make_writable
from tests.ingest.aftermath import until
from tests.warm_start import Running

Docked = Callable[..., tuple[Port, Path]]


def states(port: Port) -> set[str]:
    """Return how the copies of recordings stand in stores."""
    found = port.dock.run("recordings", "list", "--json").json["recordings"]
    return {copy["state"] for one in found for copy in one["stores"].values()}


@pytest.fixture
def docked(
    new_port: Callable[..., Port], camera: Card, media_files: MediaFiles, tmp_path: Path
) -> Iterator[Docked]:
    """A card is sealed, its clearing asked for, and the forward service runs or does not."""
    services: list[Running | subprocess.Popen[bytes]] = []

    def docked(*, forwards: bool, read_back_percent: float = 100.0) -> tuple[Port, Path]:
        nas = tmp_path / "nas"
        nas.mkdir()
        port = new_port(clear="confirmed")
        with port.dock.config.open("a", encoding="utf-8") as file:
            file.write(
                f'\n[[stores]]\nname = "nas"\nread_back_percent = {read_back_percent}\n'
                f'[stores.directory]\npath = "{nas}"\nown_disk = true\nimmutable = false\n'
            )
        assert port.dock.run("devices", "add", "0031").code == 0
        assert port.dock.run("stores", "bind", "nas").code == 0
        clip = camera.put("clip.mp4", media_files.video)
        port.runtime.joinpath("clear").mkdir()
        port.plug(camera.path)
        make_writable(port)
        if forwards:
            services.append(port.dock.start("forward", journal=tmp_path / "journal"))
            until(lambda: "confirmed" in states(port), "the confirmation")
        return port, clip

    yield docked
    for service in services:
        service.kill()
        service.wait()


def test_promise_1_what_the_store_has_shown_is_cleared(docked: Docked) -> None:
    port, clip = docked(forwards=True)
    done = port.dock.run("clear")
    assert done.code == 0, done.err
    port.shows(Stay.SAFE)
    assert not clip.exists()


def test_promise_1_what_no_store_has_confirmed_stays(docked: Docked) -> None:
    port, clip = docked(forwards=False)
    done = port.dock.run("clear")
    port.shows(Stay.SAFE)
    assert "nas has not confirmed it" in done.err
    assert clip.exists()


def test_promise_1_a_size_alone_clears_no_card(docked: Docked) -> None:
    port, clip = docked(forwards=True, read_back_percent=0.0)
    done = port.dock.run("clear")
    port.shows(Stay.SAFE)
    assert "nas was not read back" in done.err
    assert clip.exists()


def test_art_25_what_is_under_legal_hold_stays_though_the_store_has_it(docked: Docked) -> None:
    port, clip = docked(forwards=True)
    (one,) = port.dock.run("recordings", "list", "--json").json["recordings"]
    assert port.dock.run("recordings", "hold", one["id"], "--reason", "诉讼").code == 0
    done = port.dock.run("clear")
    port.shows(Stay.SAFE)
    assert "it is under legal hold" in done.err
    assert clip.exists()
