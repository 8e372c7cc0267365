"""A request to clear a card does not outlive the wish to clear cards."""

from collections.abc import Callable

from recorder_sync.rules.docking import Stay
from tests.conftest import Card, MediaFiles
from tests.dock.conftest import Port
from tests.dock.test_stay import make_writable


def test_promise_1_nothing_is_cleared_when_it_was_switched_off_after_the_request(
    new_port: Callable[..., Port], camera: Card, media_files: MediaFiles
) -> None:
    port = new_port(clear="sealed")
    assert port.dock.run("devices", "add", "0031").code == 0
    clip = camera.put("clip.mp4", media_files.video)
    port.runtime.joinpath("clear").mkdir()
    port.plug(camera.path)
    make_writable(port)
    port.dock.configure(paths={"runtime": str(port.runtime)}, ingest={"immutable": False})
    done = port.dock.run("clear")
    port.shows(Stay.SAFE)
    assert "kept=1" in done.err
    assert clip.exists()
