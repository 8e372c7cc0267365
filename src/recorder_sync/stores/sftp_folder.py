"""One folder at an SSH server: names, attributes and open files of it, by requests of SFTP 3.

What a server does not offer beyond that version is left out quietly where it only adds to
safety (fsync, chmod); the checks of a store say so.
"""

from contextlib import suppress
from typing import Any

import asyncssh

from recorder_sync.stores.sftp_session import Begun, RemoteFile, SftpSession

_READ_ONLY = 0o440


class SftpFolder:
    """What is asked of one server about one folder. Methods raise StoreProblem only.

    `make_folder` and `listed` take a path within the folder, the others what `path` made of it.
    """

    def __init__(self, session: SftpSession, root: str) -> None:
        self._session = session
        self._root = root
        self._made: set[str] = set()

    def path(self, relative: str) -> str:
        return f"{self._root.rstrip('/')}/{relative}" if relative else self._root

    def forget(self) -> None:
        """Believe no more that the folders are there that were made."""
        self._made.clear()

    def begin_read(self, file: RemoteFile, at: int, size: int) -> Begun[bytes]:
        within_s = self._session.transfer_within_s
        return self._session.begin(file, lambda opened: opened.read(size, at), within_s)

    def begin_write(self, file: RemoteFile, at: int, chunk: bytes) -> Begun[int]:
        within_s = self._session.transfer_within_s
        return self._session.begin(file, lambda opened: opened.write(chunk, at), within_s)

    def size(self, file: RemoteFile) -> int:
        found = self._session.wait(self._session.begin(file, lambda opened: opened.stat()))
        return found.size or 0

    def truncate(self, file: RemoteFile, size: int) -> None:
        self._session.wait(self._session.begin(file, lambda opened: opened.truncate(size)))

    def rename(self, old: str, new: str) -> bool:
        """Give a file its name; False: another has it already."""

        async def renamed(client: asyncssh.SFTPClient) -> bool:
            try:
                await client.rename(old, new)
            except asyncssh.SFTPFailure:
                if await client.lexists(new):
                    return False
                raise
            return True

        return self._session.do(renamed)

    def remove(self, path: str) -> None:
        async def removed(client: asyncssh.SFTPClient) -> None:
            with suppress(asyncssh.SFTPNoSuchFile):
                await client.remove(path)

        self._session.do(removed)

    def make_folder(self, relative: str) -> None:
        if relative not in self._made:
            path = self.path(relative)
            self._session.do(lambda client: client.makedirs(path, exist_ok=True))
            self._made.add(relative)

    def attributes(self, path: str) -> asyncssh.SFTPAttrs | None:
        async def asked(client: asyncssh.SFTPClient) -> asyncssh.SFTPAttrs | None:
            try:
                return await client.lstat(path)
            except asyncssh.SFTPNoSuchFile:
                return None

        return self._session.do(asked)

    def listed(self, relative: str) -> list[tuple[str, asyncssh.SFTPAttrs]]:
        async def asked(client: asyncssh.SFTPClient) -> list[tuple[str, asyncssh.SFTPAttrs]]:
            try:
                found = await client.readdir(self.path(relative))
            except asyncssh.SFTPNoSuchFile:
                return []
            return [
                (str(one.filename), one.attrs) for one in found if one.filename not in (".", "..")
            ]

        return self._session.do(asked, self._session.transfer_within_s)

    def sync(self, file: RemoteFile) -> None:
        async def synced(opened: Any) -> None:
            with suppress(asyncssh.SFTPOpUnsupported):
                await opened.fsync()

        self._session.wait(self._session.begin(file, synced, self._session.sync_within_s))

    def make_read_only(self, path: str) -> None:
        async def made(client: asyncssh.SFTPClient) -> None:
            with suppress(asyncssh.SFTPPermissionDenied, asyncssh.SFTPOpUnsupported):
                await client.chmod(path, _READ_ONLY)

        self._session.do(made)
