"""The dock PC as the people around it see it: ports, the status, and the command."""

from collections.abc import Callable, Sequence
from typing import Any

from recorder_sync.rules.docking import Stay
from tests.e2e import live
from tests.e2e.agent import Said
from tests.e2e.camera import Camera
from tests.e2e.live import OnPort
from tests.e2e.machine import Machine
from tests.e2e.product import SERVICE
from tests.e2e.usb import USB_PRODUCT, USB_VENDOR, BadSectors, Plug, Ports

LIMIT_S = 300.0
"""How long taking in a card of ten megabytes may take on a busy machine."""
EVIDENCE = "/srv/evidence"


class Dock:
    def __init__(self, running: Machine) -> None:
        self.machine = running
        self._ports = Ports(running.control)
        self._plugs: dict[str, Plug] = {}

    def run(self, *arguments: str) -> Said:
        """Run a command of the product, as an administrator would."""
        return self.machine.agent.run("recorder-sync", *arguments)

    def register(self, *cameras: Camera) -> None:
        """Enter cameras in the device ledger."""
        for camera in cameras:
            usb = f"{USB_VENDOR}:{USB_PRODUCT}:{camera.serial}"
            added = self.run("devices", "add", camera.device, "--usb", usb)
            assert added.code == 0, added.err

    def plug(
        self,
        camera: Camera,
        port: str = "1",
        *,
        bytes_per_s: int | None = None,
        bad: tuple[BadSectors, ...] = (),
    ) -> None:
        self._plugs[camera.device] = self._ports.plug(
            camera.image, camera.serial, port, bytes_per_s=bytes_per_s, bad=bad
        )

    def plug_hub(self, port: str) -> None:
        self._ports.plug_hub(port)

    def full_speed(self, camera: Camera) -> None:
        self._ports.set_speed(self._plugs[camera.device], None)

    def pull(self, *cameras: Camera) -> None:
        """Pull cameras out, now, and wait until the status knows it."""
        for camera in cameras:
            self._ports.pull(self._plugs.pop(camera.device))
        gone = {camera.device for camera in cameras}
        self.until(f"{gone} are gone", lambda ports: not gone & {row.device for row in ports})

    def until(self, what: str, is_so: Callable[[list[OnPort]], bool]) -> list[OnPort]:
        """Wait until the ports are so, and return them."""
        return live.until(self.machine.agent, what, is_so, LIMIT_S)

    def until_in_the_middle(self, camera: Camera) -> None:
        """Wait until a part of a camera's bytes is copied. It must be slow enough to be seen."""

        def is_so(ports: list[OnPort]) -> bool:
            rows = [row for row in ports if row.device == camera.device]
            assert not any(row.is_settled for row in rows), f"{camera.device} was too fast"
            return any(row.is_in_the_middle for row in rows)

        self.until(f"{camera.device} is in the middle", is_so)

    def until_settled(self, *cameras: Camera) -> list[Stay]:
        """Wait until the dock has done with cameras, and return their states in order."""
        return self._until_all(cameras, "settled", lambda row: row.is_settled)

    def until_safe(self, *cameras: Camera) -> None:
        """Wait until cameras may be taken, whatever was said of them before."""
        self._until_all(cameras, "safe", lambda row: row.state is Stay.SAFE)

    def _until_all(
        self, cameras: Sequence[Camera], what: str, is_so: Callable[[OnPort], bool]
    ) -> list[Stay]:
        wanted = [camera.device for camera in cameras]

        def states(ports: list[OnPort]) -> dict[str | None, Stay]:
            return {row.device: row.state for row in ports if is_so(row)}

        ports = self.until(f"{wanted} are {what}", lambda ports: set(wanted) <= set(states(ports)))
        return [states(ports)[device] for device in wanted]

    def kill_service(self) -> None:
        """End the daemon as a crash would; systemd starts it again."""
        self.machine.agent.sh(f"systemctl kill --kill-whom=main --signal=KILL {SERVICE}")

    def fill_evidence_disk(self, leave_bytes: int) -> None:
        self.machine.agent.sh(
            f"free=$(df --output=avail -B1 {EVIDENCE} | tail -1);"
            f" fallocate -l $((free - {leave_bytes})) /srv/filler"
        )

    def empty_evidence_disk(self) -> None:
        self.machine.agent.sh("rm /srv/filler")

    def dockings(self) -> list[Any]:
        """Return all dockings, newest first."""
        found: list[Any] = self._answer("dockings", "list")["dockings"]
        return found

    def inventory(self, docking: str) -> list[Any]:
        """Return the files of a docking's inventory, with what became of each."""
        found: list[Any] = self._answer("dockings", "show", docking)["files"]
        return found

    def recordings(self) -> list[Any]:
        found: list[Any] = self._answer("recordings", "list", "--limit", "1000")["recordings"]
        return found

    def verify(self) -> Said:
        return self.run("verify", "--all")

    def sealed_digests(self) -> list[str]:
        """Return the SHA-256 of every recording in the evidence folder, asked of no one else."""
        printed = self.machine.agent.sh(
            f"find {EVIDENCE} -mindepth 1 -name '.*' -prune -o -type f ! -name '*.json'"
            " ! -name B3SUMS ! -name SHA256SUMS -exec sha256sum {} +"
        )
        return sorted(line.split()[0].removeprefix("\\") for line in printed.splitlines())

    def journal(self) -> str:
        """Return what the services said last, and the status, for a failed test."""
        script = (
            "journalctl --boot --no-pager --output short-monotonic | tail -n 120;"
            f" systemctl --no-pager --failed; cat {live.STATUS}"
        )
        said = self.machine.agent.run("bash", "-c", script)
        return said.out + said.err

    def _answer(self, *arguments: str) -> Any:
        said = self.run(*arguments, "--json")
        assert said.code == 0, said.err
        return said.json
