"""`recorder-sync run` with the demo's simulated ports; a test plugs in by lines on its input.

plug PORT FOLDER SERIAL
unplug SERIAL
"""

import sys
import threading
from pathlib import Path

from tests.on_the_day import shift_the_clock

shift_the_clock()  # before the program binds it

from recorder_sync.demo.simulated_dock import Camera, SimulatedDock  # noqa: E402
from recorder_sync.language import use_language  # noqa: E402
from recorder_sync.model import UsbIdentity  # noqa: E402
from recorder_sync.service import DockService  # noqa: E402


def _obey(dock: SimulatedDock) -> None:
    cameras: dict[str, Camera] = {}
    for line in sys.stdin:
        what, *rest = line.rstrip("\n").split("\t")
        if what == "plug":
            port, folder, serial = rest
            cameras[serial] = Camera(Path(folder), UsbIdentity("4255", "1000", serial), battery=90)
            dock.plug(cameras[serial], port)
        else:
            dock.unplug(cameras[rest[0]])


if __name__ == "__main__":
    from recorder_sync.config import load

    configuration, pace = Path(sys.argv[1]), float(sys.argv[2])
    use_language(load(configuration).station.language)
    dock = SimulatedDock(pace)
    threading.Thread(target=_obey, args=(dock,), daemon=True).start()
    sys.exit(DockService(configuration, whole=True, ports=dock.ports).run())
