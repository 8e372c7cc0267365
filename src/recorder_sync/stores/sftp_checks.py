"""What `stores check` asks of a folder at an SSH server."""

from collections.abc import Iterator
from typing import Any

import asyncssh

from recorder_sync.language import T
from recorder_sync.stores.directory_checks import room_check
from recorder_sync.stores.key import INCOMING
from recorder_sync.stores.sftp_folder import SftpFolder
from recorder_sync.stores.sftp_session import SftpSession
from recorder_sync.stores.store import Check, Verdict


def trial(store: str, session: SftpSession, folder: SftpFolder) -> Iterator[Check]:
    """Yield what a server does with files that are put there to try it, and are removed."""
    folder.make_folder(INCOMING)
    first, second = (folder.path(f"{INCOMING}/trial-{store}-{n}") for n in (1, 2))
    is_synced = True

    async def put(client: asyncssh.SFTPClient) -> Any:
        nonlocal is_synced
        async with client.open(first, "w+b") as file:
            await file.write(b"tried")
            try:
                await file.fsync()
            except asyncssh.SFTPOpUnsupported:
                is_synced = False
        async with client.open(second, "wb"):
            pass
        async with client.open(first, "rb") as file:
            return await file.read()

    try:
        if session.do(put) != b"tried":
            text = T("a file that was written there was read back differently")
            hint = T("Do not use this server before it is mended.")
            yield Check(Verdict.BAD, text, hint)
        replaces = folder.rename(first, second)
        if not replaces:
            folder.remove(second)
            folder.rename(first, second)
    finally:
        folder.remove(first)
        folder.remove(second)
    yield Check(Verdict.GOOD, T("a file can be written, renamed and read back"))
    if replaces:
        hint = T("Let no other program write into this folder.")
        yield Check(Verdict.DOUBTFUL, T("the server replaces a file when it renames"), hint)
    if is_synced:
        yield Check(Verdict.GOOD, T("the server puts a file on its disk when asked to"))
    else:
        text = T("the server does not say when a file is on its disk (fsync@openssh.com)")
        hint = T("Use OpenSSH's server; its sudden end may cost what was sent last.")
        yield Check(Verdict.DOUBTFUL, text, hint)


def room(session: SftpSession, folder: SftpFolder) -> Iterator[Check]:
    """Yield whether there is room."""

    async def ask(client: asyncssh.SFTPClient) -> tuple[int, int] | None:
        try:
            state = await client.statvfs(folder.path(""))
        except asyncssh.SFTPOpUnsupported:
            return None
        return state.bavail * state.frsize, state.blocks * state.frsize

    found = session.do(ask)
    if found is None:
        yield Check(Verdict.DOUBTFUL, T("the server does not say how much room there is"))
    else:
        yield room_check(*found)
