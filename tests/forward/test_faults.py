"""Whatever a store or the way to it does: the custodian is told, nothing is lost, and when it
is over everything is there and confirmed exactly once."""

import os
import random
import signal
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from recorder_sync.model import AlertKind
from recorder_sync.rules.matter import Severity
from tests.faults.conftest import disk
from tests.faults.disk import FaultyDisk
from tests.forward.conftest import Forwarded
from tests.ingest.aftermath import until
from tests.stores.conftest import ssh
from tests.stores.ssh_server import SshServer, ssh_server
from tests.stores.tcp_proxy import TcpProxy, tcp_proxy

pytestmark = pytest.mark.long

__all__ = ["disk", "ssh"]

QUARTER = timedelta(minutes=16)


@pytest.fixture
def line(ssh: SshServer) -> Iterator[TcpProxy]:
    """The way to the server, which can break."""
    with tcp_proxy(ssh.port) as proxy:
        yield proxy


def _server(place: dict[str, Any], name: str = "server") -> str:
    return tomli_w.dumps({"stores": [{"name": name, "sftp": place}]})


def _set_up(bed: Forwarded, ssh: SshServer, folder: Path, **more: Any) -> None:
    """A good directory and a server behind the line."""
    folder.mkdir()
    good = f'[[stores]]\nname = "nas"\n{bed.directory(bed.nas)}'
    place = ssh.place(path=str(folder), **more)
    bed.set_up(stores=good + _server(place))
    bed.bind("nas")


def test_a_line_that_is_reset_at_any_byte_costs_time_and_no_more(
    forwarded: Forwarded, ssh: SshServer, line: TcpProxy, tmp_path: Path
) -> None:
    bed, root = forwarded, tmp_path / "at-the-server"
    _set_up(bed, ssh, root, port=line.port)
    bed.bind("server")
    sealed = bed.seal(3, size=700_000)
    chance = random.Random()
    line.reset_after(chance.randrange(2_000_000))
    bed.start()
    for _ in range(4):
        until(lambda: line.is_reset or len(bed.confirmed("server")) == 3, "the next reset")
        line.reset_after(chance.randrange(1, 400_000))
        bed.retry()
    line.reset_after(None)
    bed.retry()
    bed.until_confirmed(3, "server")
    bed.until_back("server")
    bed.assert_each_is_there_once(sealed, root, "server")
    bed.assert_each_is_there_once(sealed)


def test_a_server_that_says_nothing_is_told_after_a_quarter_of_an_hour_and_holds_up_nothing(
    forwarded: Forwarded, ssh: SshServer, line: TcpProxy, tmp_path: Path
) -> None:
    bed, root = forwarded, tmp_path / "at-the-server"
    _set_up(bed, ssh, root, port=line.port, timeout_s=1.0)
    bed.bind("server")
    line.is_hanging = True
    sealed = bed.seal(2)
    bed.start()
    bed.until_confirmed(2)
    said = bed.until_failing("transient", "server")
    assert "did not answer in time" in said["why"]
    assert (said["waiting"], said["confirmed"]) == (2, 0)
    assert bed.alerts(AlertKind.STORE_UNREACHABLE) == []
    (alert,) = bed.alerts(AlertKind.STORE_UNREACHABLE, QUARTER)
    assert "server" in alert.text.english
    began = time.monotonic()
    assert bed.stop() == 128 + signal.SIGTERM
    assert time.monotonic() - began < 10
    line.is_hanging = False
    bed.start()
    bed.until_confirmed(2, "server")
    assert bed.alerts(AlertKind.STORE_UNREACHABLE, QUARTER) == [], "it ends by itself"
    bed.assert_each_is_there_once(sealed, root, "server")


def test_a_full_store_is_told_at_once_and_goes_on_by_itself_when_there_is_room(
    forwarded: Forwarded, disk: FaultyDisk
) -> None:
    bed = forwarded
    bed.set_up(stores=f'[[stores]]\nname = "nas"\n{bed.directory(disk.path)}')
    bed.bind()
    sealed = bed.seal(2, size=1_500_000)
    state = os.statvfs(disk.path)
    ballast = disk.path / ".ballast"
    ballast.write_bytes(bytes(state.f_bavail * state.f_frsize - 1_000_000))
    bed.start()
    said = bed.until_failing("full")
    assert "the disk is full" in said["why"]
    (alert,) = bed.alerts(AlertKind.STORE_STOPPED)
    assert "the disk is full" in alert.text.english
    assert bed.confirmed() == set()
    ballast.unlink()
    bed.until_confirmed(2)
    bed.until_back()
    assert bed.alerts(AlertKind.STORE_STOPPED) == []
    bed.assert_each_is_there_once(sealed, disk.path)


@pytest.mark.raises_and_resolves(AlertKind.COPY_DIFFERS)
def test_a_store_that_keeps_other_bytes_never_confirms_them_and_a_person_is_told_at_once(
    forwarded: Forwarded, disk: FaultyDisk
) -> None:
    bed = forwarded
    bed.set_up(stores=f'[[stores]]\nname = "nas"\n{bed.directory(disk.path)}')
    bed.bind()
    good, bad = bed.seal(2, size=100_000)
    content = (bed.dock.evidence / bad["path"]).read_bytes()
    disk.flip_next_write(content[:32], behind=700)
    bed.start()
    bed.until_failed(1)
    bed.until_confirmed(1)
    assert bed.confirmed() == {good["id"]}
    assert disk.given()["flip"] == 1
    (failure,) = bed.store()["failures"]
    assert failure["recording"] == bad["id"]
    assert "not what was sealed" in failure["why"]
    (alert,) = bed.alerts(AlertKind.COPY_DIFFERS)
    assert alert.severity is Severity.BREACH
    assert bad["id"] in alert.text.english
    bed.retry()
    bed.retry()
    bed.until_failed(1)
    (alert,) = bed.alerts(AlertKind.COPY_DIFFERS)
    (key,) = [k for k in bed.objects(disk.path) if bad["id"] in k and not k.endswith(".json")]
    (disk.path / key).rename(disk.path / ".taken-away")
    bed.retry()
    bed.until_confirmed(2)
    bed.assert_each_is_there_once([good, bad], disk.path)
    assert bed.dock.run("alerts", "resolve", str(alert.number), "--note", "bad disk").code == 0
    assert bed.alerts(AlertKind.COPY_DIFFERS) == []


def test_promise_9_one_object_that_cannot_be_written_holds_up_no_other(
    forwarded: Forwarded, disk: FaultyDisk
) -> None:
    """The disk fails for one recording only, the one that is to be sent first."""
    bed = forwarded
    bed.set_up("", stores=f'[[stores]]\nname = "nas"\n{bed.directory(disk.path)}')
    bed.bind()
    sealed = bed.seal(4, size=100_000)
    (first,) = bed.rows("select id from recordings order by deadline, sealed_at, id limit 1")[0]
    (bad,) = [one for one in sealed if one["id"] == first]
    content = (bed.dock.evidence / bad["path"]).read_bytes()
    disk.fail_writes_of(content[:32])
    bed.start()
    bed.until_confirmed(3)
    assert bad["id"] not in bed.confirmed()
    bed.until_failed(1)
    assert [one["recording"] for one in bed.store()["failures"]] == [bad["id"]]
    disk.heal()
    bed.retry()
    bed.until_confirmed(4)
    bed.assert_each_is_there_once(sealed, disk.path)


def test_keys_that_the_server_takes_no_more_are_told_and_fresh_ones_taken_up_without_a_restart(
    forwarded: Forwarded, tmp_path: Path
) -> None:
    bed, root = forwarded, tmp_path / "at-the-server"
    with ssh_server(tmp_path / "ssh") as ssh:
        _set_up(bed, ssh, root)
        bed.bind("server")
        allowed = ssh.folder / "authorized"
        known = allowed.read_bytes()
        allowed.write_bytes(b"")
        sealed = bed.seal(2)
        bed.start()
        bed.until_confirmed(2)
        said = bed.until_failing("refused", "server")
        assert "may not log in" in said["why"]
        assert "key" in said["hint"]
        (alert,) = bed.alerts(AlertKind.STORE_STOPPED)
        assert "may not log in" in alert.text.english
        (ssh.folder / "user").unlink()
        (ssh.folder / "user.pub").unlink()
        ssh.make_keys()  # the office gives the station another key
        assert allowed.read_bytes() != known
        bed.retry()
        bed.until_confirmed(2, "server")
        bed.until_back("server")
        assert bed.alerts(AlertKind.STORE_STOPPED) == []
        bed.assert_each_is_there_once(sealed, root, "server")


def test_a_name_that_is_not_found_is_told_and_a_mended_address_is_taken_up_by_a_reload(
    forwarded: Forwarded, ssh: SshServer, tmp_path: Path
) -> None:
    bed, root = forwarded, tmp_path / "at-the-server"
    _set_up(bed, ssh, root)
    bed.bind("server")
    text = bed.dock.config.read_text("utf-8")
    bed.dock.config.write_text(text.replace("127.0.0.1", "no-such-host.invalid"), "utf-8")
    sealed = bed.seal(1)
    service = bed.start()
    bed.until_confirmed(1)
    said = bed.until_failing("transient", "server")
    assert "no-such-host.invalid cannot be reached" in said["why"]
    bed.dock.config.write_text(text, "utf-8")
    service.send_signal(signal.SIGHUP)
    bed.until_confirmed(1, "server")
    bed.until_back("server")
    bed.assert_each_is_there_once(sealed, root, "server")
