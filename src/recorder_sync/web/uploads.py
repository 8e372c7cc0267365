"""Receives a form with a file, piece by piece, straight onto the disk.

The forms of other pages are small and read as a whole. A document may have hundreds of
megabytes: none of it is held in memory, nothing of it is kept before the form's token and the
size that is announced were looked at, and what is not received as a whole is removed. What a
browser sends is `multipart/form-data` (RFC 7578); the file comes last, after the fields.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, NoReturn

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool

from recorder_sync.errors import UsageProblem
from recorder_sync.ingest.tray import Receiving, Tray
from recorder_sync.language import T
from recorder_sync.web.visits import FormRefused

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

_MOST_FIELDS = 32
_LARGEST_FIELD = 16 << 10
_LARGEST_HEADER = 16 << 10
_FIELDS = 1 << 20
"""Bytes that the fields of a form and what is between them may take."""
_AT_ONCE = 1 << 20
"""Bytes that are written together."""
_SILENT_S = 60.0
"""Seconds after which somebody who sends nothing is given up."""

Fields = dict[str, str]


class TooLarge(Exception):
    """More is sent than a document may have."""


class Upload:
    """One form while it is received: its fields, and its file on the disk."""

    def __init__(
        self,
        tray: Tray,
        stack: ExitStack,
        request: Request,
        largest: int,
        reserve: int,
        check: Callable[[Fields], Awaitable[None]],
    ) -> None:
        """`check` looks at the fields before anything of the file is kept, and may raise."""
        self.fields: Fields = {}
        self.name: bytes | None = None
        """Of the file, as the browser said it."""
        self.received: Receiving | None = None
        self._tray, self._stack = tray, stack
        self._request, self._pieces = request, _pieces(request)
        self._largest, self._reserve = largest, reserve
        self._check = check
        self._headers: dict[bytes, bytes] = {}
        self._header: tuple[bytes, bytes] = (b"", b"")
        self._field: str | None = None
        self._data = bytearray()
        self._is_file = False
        self._is_whole = False
        self._announced = 0

    async def receive(self) -> None:
        """Receive all of it. Raises FormRefused, TooLarge, UsageProblem, and what others raise."""
        headers = self._request.headers
        kind, options = parse_options_header(headers.get("content-type"))
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            await self._without_file()
        length = headers.get("content-length", "")
        announced = int(length) if length.isdigit() else 0
        if announced > self._largest + _FIELDS:
            raise TooLarge
        parser = MultipartParser(boundary, self._callbacks())
        self._announced = min(announced, self._largest)
        try:
            async for data in self._pieces:
                parser.write(data)
                await self._keep(_AT_ONCE)
        except FormParserError as error:
            raise _not_whole() from error
        if not self._is_whole:
            raise _not_whole()
        await self._keep(0)
        if self.received is None:
            await self._check(self.fields)
            raise _no_file()

    async def _without_file(self) -> NoReturn:
        """Refuse a form that can have no file, by its token first: it is small, or not read."""
        length = self._request.headers.get("content-length", "")
        if not length.isdigit() or int(length) > _FIELDS:
            raise FormRefused
        form = await self._request.form()
        await self._check({name: value for name, value in form.items() if isinstance(value, str)})
        raise _no_file()

    async def pass_over(self, size: int) -> None:
        """Read on for so many bytes and keep nothing, so that the answer is heard."""
        async for data in self._pieces:
            size -= len(data)
            if size < 0:
                return

    async def _keep(self, from_size: int) -> None:
        """Write what came of the file, where that is so much."""
        if not self._is_file:
            return
        if self.received is None:
            await self._check(self.fields)
            holding = self._tray.receiving(self._announced, self._reserve)
            self.received = await run_in_threadpool(self._stack.enter_context, holding)
        if len(self._data) <= from_size:
            return
        data, self._data = bytes(self._data), bytearray()
        if self.received.size + len(data) > self._largest:
            raise TooLarge
        await run_in_threadpool(self.received.write, data)

    def _callbacks(self) -> "MultipartCallbacks":
        return {
            "on_part_begin": self._part_begins,
            "on_header_field": self._header_field,
            "on_header_value": self._header_value,
            "on_header_end": self._header_ends,
            "on_headers_finished": self._headers_end,
            "on_part_data": self._part_data,
            "on_part_end": self._part_ends,
            "on_end": self._ends,
        }

    def _part_begins(self) -> None:
        if self._is_file or len(self.fields) >= _MOST_FIELDS:
            raise UsageProblem(
                T("The form is not as this page sends it."), T("Load the page again.")
            )
        self._headers, self._header = {}, (b"", b"")

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0] + data[start:end], self._header[1])
        self._check_header()

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header = (self._header[0], self._header[1] + data[start:end])
        self._check_header()

    def _check_header(self) -> None:
        if sum(map(len, self._header)) > _LARGEST_HEADER:
            raise UsageProblem(T("The file has no name that can be kept."), T("Shorten it."))

    def _header_ends(self) -> None:
        name, value = self._header
        self._headers[name.lower()] = value
        self._header = (b"", b"")

    def _headers_end(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        self._field = options.get(b"name", b"").decode("utf-8", "replace")
        name = options.get(b"filename")
        if name:  # an empty one: no file was chosen
            self._is_file, self.name = True, name

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        self._data += data[start:end]
        if not self._is_file and len(self._data) > _LARGEST_FIELD:
            raise UsageProblem(T("A field of the form is too long."), T("Write less."))

    def _part_ends(self) -> None:
        if not self._is_file and self._field is not None:
            self.fields[self._field] = self._data.decode("utf-8", "replace")
            self._data = bytearray()

    def _ends(self) -> None:
        self._is_whole = True


def _no_file() -> UsageProblem:
    return UsageProblem(T("No file was chosen."), T("Choose the file of the document."))


def _not_whole() -> UsageProblem:
    return UsageProblem(T("The form did not arrive as a whole."), T("Send it once more."))


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    stream = request.stream().__aiter__()
    while True:
        try:
            async with asyncio.timeout(_SILENT_S):
                data = await anext(stream)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise _not_whole() from None
        if data:
            yield data
