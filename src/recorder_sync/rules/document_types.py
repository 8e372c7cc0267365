"""Which files may be documents of a case, by their names' endings and first bytes. Pure.

Nothing here opens a document: whatever a file says it is, it is kept and handed out as bytes.
The check keeps out what was chosen by mistake: a program, a download that broke off and left
an error page. Office files of older programs may begin with anything, and are taken by name.
"""

from collections.abc import Sequence

from recorder_sync.errors import UsageProblem
from recorder_sync.language import T
from recorder_sync.model import CardPath

HEAD = 1024
"""Bytes at the start of a file that are looked at."""

DEFAULT_TYPES = (
    *("pdf", "ofd", "doc", "docx", "wps", "rtf", "odt", "txt"),
    *("xls", "xlsx", "et", "ods", "csv", "ppt", "pptx", "dps", "odp"),
    *("jpg", "jpeg", "png", "tif", "tiff", "bmp", "heic"),
)

_ZIP = (b"PK\x03\x04",)
_BEGINS: dict[str, tuple[bytes, ...]] = {
    "ofd": _ZIP,
    "docx": _ZIP,
    "xlsx": _ZIP,
    "pptx": _ZIP,
    "odt": _ZIP,
    "ods": _ZIP,
    "odp": _ZIP,
    "jpg": (b"\xff\xd8\xff",),
    "jpeg": (b"\xff\xd8\xff",),
    "png": (b"\x89PNG\r\n\x1a\n",),
    "tif": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "tiff": (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"),
    "bmp": (b"BM",),
}


def refuse_other_type(name: CardPath, head: bytes, types: Sequence[str]) -> None:
    """Raise UsageProblem for a file that is none of these types, or not what it is called.

    `head` is its first HEAD bytes. ISO 32000 lets the mark of a PDF stand anywhere in them.
    """
    _, dot, ending = name.name.text.rpartition(".")
    ending = ending.lower()
    if not dot or ending not in types:
        raise UsageProblem(
            T("{name} is no type of file that a document may be.", name=name.name.shown),
            T("Hand in one of: {types}.", types=", ".join(types)),
        )
    begins = _BEGINS.get(ending)
    fits = b"%PDF-" in head if ending == "pdf" else begins is None or head.startswith(begins)
    if not fits:
        raise UsageProblem(
            T("{name} is called .{type}, and is none.", name=name.name.shown, type=ending),
            T("Open it to see what it is, and make the file anew."),
        )
