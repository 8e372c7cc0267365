"""One SSH connection with its SFTP session, asked from any thread, and made anew when lost.

The connection has an event loop in a thread of its own; every request has an end to how long
it is waited for. Settings of the user's ssh, its agent and its known hosts play no part: who
the server is, and how it is logged in to, stands in our settings alone.
"""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Generic, TypeAlias, TypeVar

import asyncssh

from recorder_sync.errors import MissingPart, os_reason
from recorder_sync.language import T, Text
from recorder_sync.printable import printable
from recorder_sync.stores.store import StoreProblem, Trouble
from recorder_sync.stores.store_settings import SftpPlace

logging.getLogger("asyncio").setLevel(logging.ERROR)  # it warns of writes on a lost connection

Result = TypeVar("Result")
Link: TypeAlias = Future[asyncssh.SFTPClient]

WINDOW = 4
"""Chunks that are under way at the same time."""
CHUNK = 512 << 10
_SLOWEST = 8 << 10
"""Bytes a second: a line that is slower is taken for dead."""
_SYNC_WITHIN_S = 600.0
"""Seconds for a server to put a large file on its disk."""
_CIPHERS = (
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "chacha20-poly1305@openssh.com",
    "aes128-ctr",
    "aes256-ctr",
)
"""The fastest first."""
_FULL_BELOW = 1 << 20
"""Bytes: with less room a failure without a reason is taken for a full server."""

_NO_LOGIN = (asyncssh.PermissionDenied, asyncssh.KeyImportError)
_NO_ROOM = (asyncssh.SFTPNoSpaceOnFilesystem, asyncssh.SFTPQuotaExceeded)
_NO_RIGHT = (
    asyncssh.SFTPPermissionDenied,
    asyncssh.SFTPWriteProtect,
    asyncssh.KeyExchangeFailed,
    ValueError,
)
_AWAY = (asyncssh.SFTPConnectionLost, asyncssh.SFTPNoConnection)


@dataclass(frozen=True, slots=True)
class Begun(Generic[Result]):
    """A request that is under way, and on which connection."""

    future: Future[Result]
    link: Link


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file that is open at the server; it is gone with its connection."""

    file: Any
    link: Link


class SftpSession:
    """The session with one server. Methods raise StoreProblem only."""

    def __init__(self, store: str, place: SftpPlace) -> None:
        self._store = store
        self._place = place
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._link: Link | None = None
        self._connection: asyncssh.SSHClientConnection | None = None
        self._connections = 0

    def connected(self) -> int:
        """Connect where there is no connection; return the connection's number."""
        self._connect_once()
        return self._connections

    def do(
        self, work: Callable[[asyncssh.SFTPClient], Awaitable[Result]], within_s: float = 0
    ) -> Result:
        """Have the server do something; connect first where there is no connection."""
        link = self._connect_once()
        client = link.result()
        return self.wait(self._begun(lambda: work(client), within_s, link))

    def open(self, path: str, mode: str) -> RemoteFile:
        link = self._connect_once()
        client = link.result()

        async def opened() -> Any:
            return await client.open(path, mode)

        return RemoteFile(self.wait(self._begun(opened, 0, link)), link)

    def begin(
        self, remote: RemoteFile, work: Callable[[Any], Awaitable[Result]], within_s: float = 0
    ) -> Begun[Result]:
        """Begin something with an open file; `wait` has what came of it."""
        if remote.link is not self._link:
            raise self._away(T("the connection was lost"))
        return self._begun(lambda: work(remote.file), within_s, remote.link)

    def wait(self, begun: Begun[Result]) -> Result:
        """Return what came of a request."""
        with self._troubles(begun.link):
            return begun.future.result()

    def close_file(self, remote: RemoteFile) -> None:
        """Close a file of the server's; one whose connection is gone is closed already."""
        if remote.link is self._link:
            with suppress(StoreProblem):
                self.wait(self.begin(remote, lambda file: file.close()))

    @property
    def transfer_within_s(self) -> float:
        """Seconds that a chunk may take, with those before it."""
        return self._place.timeout_s + WINDOW * CHUNK / _SLOWEST

    @property
    def sync_within_s(self) -> float:
        return self._place.timeout_s + _SYNC_WITHIN_S

    def host_key(self) -> str:
        """Return the fingerprint of the server's key, which is one of the settings'."""
        self._connect_once()
        key = self._connection.get_server_host_key() if self._connection else None
        if key is None:
            raise self._away(T("the connection was lost"))
        return key.get_fingerprint()

    def close(self) -> None:
        """Give the connection back; the next request makes a new one."""
        with self._lock:
            loop, self._loop = self._loop, None
            connection, self._connection = self._connection, None
            self._link = None
        if loop is None:
            return

        def end() -> None:
            if connection is not None:
                connection.abort()
            for task in asyncio.all_tasks(loop):
                task.cancel()
            loop.call_soon(loop.stop)

        loop.call_soon_threadsafe(end)

    def _connect_once(self) -> Link:
        """Return the connection; the first thread that asks makes it, others wait for it."""
        with self._lock:
            is_lost = self._connection is not None and self._connection.is_closed()
            if self._link is None or is_lost:
                self._connection = None
                self._connections += 1
                self._link = self._in_loop(self._connect())
            link = self._link
        try:
            with self._troubles(link):
                link.result()
        except StoreProblem:
            self._drop(link)
            raise
        return link

    def _begun(
        self, work: Callable[[], Awaitable[Result]], within_s: float, link: Link
    ) -> Begun[Result]:
        async def bounded() -> Result:
            return await asyncio.wait_for(work(), within_s or self._place.timeout_s)

        return Begun(self._in_loop(bounded()), link)

    async def _connect(self) -> asyncssh.SFTPClient:
        place = self._place
        secret = place.key or place.password
        assert secret is not None
        keys = None
        if place.key is not None:
            passphrase = place.passphrase.read() if place.passphrase else None
            keys = [asyncssh.import_private_key(secret.read() + "\n", passphrase)]
        connection = await asyncssh.connect(
            place.host,
            place.port,
            username=place.user,
            client_keys=keys,
            password=secret.read() if keys is None else None,
            known_hosts=self._known_hosts(),
            config=None,
            agent_path=None,
            preferred_auth=("publickey" if keys else ("password", "keyboard-interactive")),
            encryption_algs=_CIPHERS,
            compression_algs=None,
            connect_timeout=place.timeout_s,
            login_timeout=place.timeout_s,
            keepalive_interval=max(0.1, place.timeout_s / 3),
            keepalive_count_max=3,
        )
        try:
            client = await asyncio.wait_for(connection.start_sftp_client(), place.timeout_s)
        except BaseException:
            connection.abort()
            raise
        self._connection = connection
        return client

    def _known_hosts(self) -> Any:
        path = self._place.known_hosts
        if path is not None:
            try:
                return asyncssh.import_known_hosts(path.read_text("utf-8"))
            except OSError as error:
                raise MissingPart(
                    T("The host keys in {path} cannot be read: {why}.",
                      path=path, why=os_reason(error)),
                    T("Put the server's public key there, as ssh-keyscan shows it, compared "
                      "with what its keeper says."),
                ) from error  # fmt: skip
        return [asyncssh.import_public_key(key) for key in self._place.host_keys], [], []

    def _in_loop(self, work: Coroutine[Any, Any, Result]) -> Future[Result]:
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.new_event_loop()
            loop.set_exception_handler(_leave_to_the_request)
            threading.Thread(
                target=_run, args=(loop,), name=f"sftp {self._store}", daemon=True
            ).start()
        return asyncio.run_coroutine_threadsafe(work, loop)

    def _drop(self, lost: Link) -> None:
        """Forget a connection, so that the next request makes another."""
        with self._lock:
            if lost is not self._link:
                return
            connection, self._connection = self._connection, None
            self._link = None
        if connection is not None and self._loop is not None:
            self._loop.call_soon_threadsafe(connection.abort)

    @contextmanager
    def _troubles(self, link: Link) -> Iterator[None]:
        try:
            yield
        except MissingPart as missing:
            raise StoreProblem(Trouble.REFUSED, missing.text, missing.hint) from missing
        except (asyncssh.Error, asyncssh.KeyImportError, OSError, ValueError) as error:
            problem = self._problem(error, link)
            if problem.trouble in (Trouble.TRANSIENT, Trouble.WRONG_PLACE):
                self._drop(link)
            raise problem from error
        except (asyncio.CancelledError, CancelledError) as error:
            self._drop(link)
            raise self._away(T("the connection was closed")) from error

    def _problem(self, error: Exception, link: Link) -> StoreProblem:
        """Return what an error of the library's or the system's means."""
        said = T("{why}", why=printable(str(error)))
        if isinstance(error, OSError):
            is_late = isinstance(error, TimeoutError)
            return self._away(T("it did not answer in time") if is_late else os_reason(error))
        if isinstance(error, asyncssh.HostKeyNotVerifiable):
            return self._other_server(said)
        if isinstance(error, _NO_LOGIN):
            return self._no_login(said)
        if isinstance(error, _NO_RIGHT):
            return self._refused(said)
        if isinstance(error, asyncssh.SFTPError) and not isinstance(error, _AWAY):
            return self._failure(error, said, link)
        return self._away(said)

    def _other_server(self, said: Text) -> StoreProblem:
        return StoreProblem(
            Trouble.WRONG_PLACE,
            T("{store}: {host} is not the server of the settings: {said}.",
              store=self._store, host=self._place.host, said=said),
            T("Find out why its key is another. Only if it is meant, put the new key into "
              "host_keys or known_hosts."),
        )  # fmt: skip

    def _no_login(self, said: Text) -> StoreProblem:
        return StoreProblem(
            Trouble.REFUSED,
            T("{store}: {user} may not log in at {host}: {said}.",
              store=self._store, user=self._place.user, host=self._place.host, said=said),
            T("Check user, key and password of this store, and what the server allows."),
        )  # fmt: skip

    def _away(self, why: Text) -> StoreProblem:
        return StoreProblem(
            Trouble.TRANSIENT,
            T("{store}: {host} cannot be reached: {why}.",
              store=self._store, host=self._place.host, why=why),
            T("Check the network, host and port, and that the server runs."),
        )  # fmt: skip

    def _refused(self, said: Text) -> StoreProblem:
        return StoreProblem(
            Trouble.REFUSED,
            T("{store}: {host} refused it: {said}.",
              store=self._store, host=self._place.host, said=said),
            T("Check path of this store, and the rights of its user there."),
        )  # fmt: skip

    def _failure(self, error: Exception, said: Text, link: Link) -> StoreProblem:
        """Return what a failure without a reason is; OpenSSH's server says no more when full."""
        if isinstance(error, _NO_ROOM) or self._is_full(link):
            return StoreProblem(
                Trouble.FULL,
                T("{store}: the server is full.", store=self._store),
                T("Make room there; it goes on by itself."),
            )
        return StoreProblem(
            Trouble.OBJECT,
            T("{store}: {host} could not do it: {said}.",
              store=self._store, host=self._place.host, said=said),
            T("Look into the journal of the server."),
        )  # fmt: skip

    def _is_full(self, link: Link) -> bool:
        client = link.result()

        async def ask() -> bool:
            state = await asyncio.wait_for(client.statvfs(self._place.path), self._place.timeout_s)
            return bool(state.bavail * state.frsize < _FULL_BELOW)

        try:
            return self._in_loop(ask()).result()
        except (asyncssh.Error, OSError, CancelledError):
            return False  # it cannot say; the failure itself is what is reported


def _leave_to_the_request(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say nothing of the parts of a request that failed as a whole: that one is reported."""
    if "never retrieved" not in context["message"]:
        loop.default_exception_handler(context)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
    finally:
        loop.close()
