"""SFTP against OpenSSH's own server: who it is, lines that break, and a server that is full."""

import asyncio
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from recorder_sync.stores.sftp import SftpStore
from recorder_sync.stores.store import StoreProblem, Trouble, Verdict
from recorder_sync.stores.store_settings import SftpPlace
from tests.faults.disk import FaultyDisk
from tests.stores.sending import Bytes, Noted, content, outgoing, send, stored
from tests.stores.ssh_server import SshServer, ssh_server
from tests.stores.tcp_proxy import TcpProxy, tcp_proxy

Stores = Callable[..., SftpStore]

_DATA = content(3_000_001, seed=3)


@pytest.fixture
def stores() -> Iterator[Stores]:
    """Make stores that are closed when the test ends."""
    with ExitStack() as made:

        def make(server: SshServer, **more: Any) -> SftpStore:
            store = SftpStore("server", SftpPlace.model_validate(server.place(**more)))
            made.callback(store.close)
            return store

        yield make


@pytest.fixture
def proxy(ssh: SshServer) -> Iterator[TcpProxy]:
    with tcp_proxy(ssh.port) as proxy:
        yield proxy


def _trouble(store: SftpStore) -> Trouble:
    with pytest.raises(StoreProblem) as caught:
        send(store, _DATA)
    assert caught.value.hint is not None
    return caught.value.trouble


def _sent(store: SftpStore) -> Trouble | None:
    try:
        send(store, _DATA)
    except StoreProblem as problem:
        return problem.trouble
    return None


def _other_key(folder: Path) -> str:
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "other")]
    subprocess.run(command, check=True)
    return " ".join((folder / "other.pub").read_text().split()[:2])


def test_a_server_with_another_key_gets_nothing(
    ssh: SshServer, ssh_folder: Path, stores: Stores, tmp_path: Path
) -> None:
    store = stores(ssh, path=str(ssh_folder), host_keys=[_other_key(tmp_path)])
    assert _trouble(store) is Trouble.WRONG_PLACE
    assert list(ssh_folder.iterdir()) == []
    assert [one.verdict for one in store.check(datetime.now(UTC))] == [Verdict.BAD]


def test_the_host_key_may_stand_in_a_file(
    ssh: SshServer, ssh_folder: Path, stores: Stores, tmp_path: Path
) -> None:
    known = tmp_path / "known_hosts"
    known.write_text(f"[127.0.0.1]:{ssh.port} {ssh.host_key}\n")
    store = stores(ssh, path=str(ssh_folder), host_keys=[], known_hosts=str(known))
    facts = store.bind("dock-01").facts
    assert facts["host-key"].startswith("SHA256:")
    known.write_text(f"[127.0.0.1]:{ssh.port} {_other_key(tmp_path)}\n")
    store.close()
    assert _trouble(store) is Trouble.WRONG_PLACE
    known.unlink()
    assert _trouble(store) is Trouble.REFUSED


def test_what_the_users_own_ssh_knows_plays_no_part(
    ssh: SshServer, ssh_folder: Path, stores: Stores, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{ssh.port} {ssh.host_key}\n")
    shutil.copy(ssh.folder / "user", home / ".ssh" / "id_ed25519")
    monkeypatch.setenv("HOME", str(home))
    other = _other_key(tmp_path)
    assert _trouble(stores(ssh, path=str(ssh_folder), host_keys=[other])) is Trouble.WRONG_PLACE
    key = {"file": str(tmp_path / "other")}
    assert _trouble(stores(ssh, path=str(ssh_folder), key=key)) is Trouble.REFUSED


def test_a_secret_that_is_not_there_needs_a_person(
    ssh: SshServer, stores: Stores, tmp_path: Path
) -> None:
    assert _trouble(stores(ssh, key={"file": str(tmp_path / "none")})) is Trouble.REFUSED
    open_to_all = tmp_path / "key"
    shutil.copy(ssh.folder / "user", open_to_all)
    open_to_all.chmod(0o644)
    assert _trouble(stores(ssh, key={"file": str(open_to_all)})) is Trouble.REFUSED
    assert _trouble(stores(ssh, key={"environment": "NO_SUCH_KEY"})) is Trouble.REFUSED
    open_to_all.chmod(0o600)
    open_to_all.write_text("no key")
    assert _trouble(stores(ssh, key={"file": str(open_to_all)})) is Trouble.REFUSED


def test_a_server_that_is_down_is_found_again(tmp_path: Path, stores: Stores) -> None:
    with ssh_server(tmp_path / "ssh") as server:
        store = stores(server)
        store.bind("dock-01")
        server.stop()
        store.close()
        assert _trouble(store) is Trouble.TRANSIENT
        server.start()
        send(store, _DATA)
        assert stored(store, outgoing(_DATA)) == _DATA


def test_a_connection_that_was_reset_while_idle_is_made_anew(
    ssh: SshServer, ssh_folder: Path, stores: Stores, proxy: TcpProxy
) -> None:
    store = stores(ssh, path=str(ssh_folder), port=proxy.port)
    store.bind("dock-01")
    proxy.reset_now()
    for _ in range(2):  # the loss is seen by the first request, or was before it
        found = _sent(store)
    assert found is None
    assert stored(store, outgoing(_DATA)) == _DATA


@pytest.mark.parametrize("sent", [1, 900, 4000, 6000, 1_500_000, 3_003_000])
def test_a_connection_that_is_reset_anywhere_costs_nothing_but_time(
    ssh: SshServer, ssh_folder: Path, stores: Stores, proxy: TcpProxy, sent: int
) -> None:
    stores(ssh, path=str(ssh_folder)).bind("dock-01")
    store = stores(ssh, path=str(ssh_folder), port=proxy.port)
    proxy.reset_after(sent)
    assert _sent(store) in (None, Trouble.TRANSIENT)
    assert _sent(store) is None
    assert stored(store, outgoing(_DATA)) == _DATA
    assert list(store.keys()) == [outgoing(_DATA).key]
    assert list(store.unfinished()) == []


def test_a_server_that_answers_no_more_is_given_up(
    ssh: SshServer, ssh_folder: Path, stores: Stores, proxy: TcpProxy
) -> None:
    stores(ssh, path=str(ssh_folder)).bind("dock-01")
    store = stores(ssh, path=str(ssh_folder), port=proxy.port, timeout_s=1.0)

    def hang(arrived: int) -> None:
        proxy.is_hanging = arrived >= 1 << 20

    begun = time.monotonic()
    with pytest.raises(StoreProblem) as caught:
        store.send(outgoing(_DATA), lambda: Bytes(_DATA), Noted(after=hang))
    assert caught.value.trouble is Trouble.TRANSIENT
    assert time.monotonic() - begun < 15
    assert _trouble(store) is Trouble.TRANSIENT
    proxy.is_hanging = False
    proxy.reset_now()
    send(store, _DATA)
    assert stored(store, outgoing(_DATA)) == _DATA


def test_a_server_that_never_greets_is_given_up(ssh: SshServer, stores: Stores) -> None:
    with tcp_proxy(ssh.port) as proxy:
        proxy.is_hanging = True
        assert _trouble(stores(ssh, port=proxy.port, timeout_s=0.5)) is Trouble.TRANSIENT


@pytest.mark.parametrize("host", ["no-such-host.invalid", "127.0.0.1"])
def test_a_server_that_cannot_be_reached_is_tried_again(
    ssh: SshServer, stores: Stores, host: str
) -> None:
    assert _trouble(stores(ssh, host=host, port=1)) is Trouble.TRANSIENT


def test_a_server_that_is_full_is_said_to_be_full(
    ssh: SshServer, stores: Stores, disk: FaultyDisk
) -> None:
    store = stores(ssh, path=str(disk.path))
    store.bind("dock-01")
    state = os.statvfs(disk.path)
    ballast = disk.path / "ballast"
    ballast.write_bytes(bytes(state.f_bavail * state.f_frsize - 2_000_000))
    assert _trouble(store) is Trouble.FULL
    ballast.unlink()
    send(store, _DATA)
    assert stored(store, outgoing(_DATA)) == _DATA


def test_a_server_without_sync_is_pointed_out_and_used(tmp_path: Path, stores: Stores) -> None:
    with ssh_server(tmp_path / "ssh", "-P", "fsync,statvfs") as server:
        store = stores(server)
        store.bind("dock-01")
        send(store, _DATA)
        found = [one for one in store.check(datetime.now(UTC)) if one.verdict is not Verdict.GOOD]
        assert [one.verdict for one in found] == [Verdict.DOUBTFUL] * 2
        assert stored(store, outgoing(_DATA)) == _DATA


def test_a_server_that_only_reads_needs_a_person(tmp_path: Path, stores: Stores) -> None:
    with ssh_server(tmp_path / "ssh") as server:
        stores(server).bind("dock-01")
    with ssh_server(tmp_path / "ssh", "-R") as server:
        store = stores(server)
        assert _trouble(store) is Trouble.REFUSED
        assert list(store.check(datetime.now(UTC)))[-1].verdict is Verdict.BAD


@contextmanager
def _another_implementation(folder: Path, password: str) -> Iterator[int]:
    """Run a server that is not OpenSSH's and asks for a password; yield its port."""

    class Asks(asyncssh.SSHServer):
        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, given: str) -> bool:
            return given == password

    async def listening() -> asyncssh.SSHAcceptor:
        return await asyncssh.listen(
            "127.0.0.1",
            server_factory=Asks,
            server_host_keys=[str(folder / "other")],
            sftp_factory=True,
        )

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(listening(), loop).result()
    try:
        yield server.get_port()
    finally:
        loop.call_soon_threadsafe(server.close)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


def test_a_password_opens_another_servers_door_and_a_wrong_one_does_not(
    ssh: SshServer, ssh_folder: Path, stores: Stores, tmp_path: Path
) -> None:
    key, password = _other_key(tmp_path), tmp_path / "password"
    password.write_text("of the store\n")
    password.chmod(0o600)
    with _another_implementation(tmp_path, "of the store") as port:
        place = {"path": str(ssh_folder), "port": port, "host_keys": [key], "key": None}
        store = stores(ssh, **place, password={"file": str(password)})
        store.bind("dock-01")
        send(store, _DATA)
        assert stored(store, outgoing(_DATA)) == _DATA
        store.close()
        password.write_text("another")
        assert _trouble(store) is Trouble.REFUSED


def test_many_threads_share_one_connection(
    ssh: SshServer, ssh_folder: Path, stores: Stores
) -> None:
    store = stores(ssh, path=str(ssh_folder))
    store.bind("dock-01")
    failed: list[BaseException] = []

    def work(number: int) -> None:
        data = content(600_000, seed=number)
        try:
            send(store, data, outgoing(data, f"a/{number}"))
            assert stored(store, outgoing(data, f"a/{number}")) == data
        except BaseException as error:  # noqa: BLE001 - shown below
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert len(list(store.keys())) == 8
