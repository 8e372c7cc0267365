"""The address of a channel: where it stands, and what of it nobody may read elsewhere.

An address holds passwords and keys. It comes from a file that not everybody may use, or
from the environment. What a library or a server says about a delivery may repeat parts of
it: those are taken out before the words go into a log, an alert or onto a screen.
"""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from recorder_sync.errors import MissingPart, os_reason
from recorder_sync.language import T

_HIDDEN = "***"
_SHORTEST = 4
"""Characters; shorter parts, such as a port, give nothing away and stand in other words."""

_NAMES_A_HOST = frozenset(
    {
        *("mailto", "mailtos", "json", "jsons", "xml", "xmls", "form", "forms", "rsyslog"),
        *("syslog", "desktop", "ntfy", "ntfys", "gotify", "gotifys", "mmost", "mmosts"),
        *("matrix", "matrixs", "rocket", "rockets"),
    }
)
"""Services whose address has a host where others have a key."""


def addresses_in(path: Path) -> list[tuple[int, str]]:
    """Return the addresses of a file with the numbers of their lines.

    Empty lines and those that begin with # are passed over. Raises MissingPart, also when
    everybody may read it.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        with os.fdopen(handle, encoding="utf-8") as file:
            if os.fstat(handle).st_mode & stat.S_IRWXO:
                raise MissingPart(
                    T("The file {path} holds passwords, and everybody may use it.", path=path),
                    T(
                        "Run: chown root:recorder-sync {path} && chmod 0640 {path}",
                        path=path,
                    ),
                )
            lines = [line.strip() for line in file]
    except UnicodeDecodeError as error:  # its own words would show what the file holds
        raise MissingPart(
            T("The file of addresses {path} is not text in UTF-8.", path=path),
            T("Put one address on each line, and let the service read the file."),
        ) from error
    except OSError as error:
        raise MissingPart(
            T(
                "The file of addresses {path} cannot be read: {why}.",
                path=path,
                why=os_reason(error),
            ),
            T("Put one address on each line, and let the service read the file."),
        ) from error
    return [
        (number, line)
        for number, line in enumerate(lines, start=1)
        if line and not line.startswith("#")
    ]


def address_of(name: str, url: str | None, file: Path | None, variable: str | None) -> str:
    """Return the address of the channel `name`, from wherever it stands. Raises MissingPart."""
    if url is not None:
        return url
    if file is not None:
        found = addresses_in(file)
        if len(found) != 1:
            raise MissingPart(
                T(
                    "{path} should hold one address, and holds {count}.",
                    path=file,
                    count=len(found),
                ),
                T("Put the address of the channel {name} on a line of its own there.", name=name),
            )
        return found[0][1]
    if address := os.environ.get(variable or "", "").strip():
        return address
    raise MissingPart(
        T("The environment has no {variable}.", variable=variable),
        T("Give it to the service that sends: systemctl edit recorder-sync-forward"),
    )


def without_secrets(words: str, url: str) -> str:
    """Return what was said about a delivery without anything that only the address says."""
    parts = sorted({*_secrets(url)}, key=len, reverse=True)
    pattern = "|".join(re.escape(part) for part in parts if len(part) >= _SHORTEST)
    return re.sub(pattern, _HIDDEN, words) if pattern else words


def _secrets(url: str) -> Iterator[str]:
    yield url
    try:
        split = urlsplit(url)
        host, user, password = split.hostname, split.username, split.password
    except ValueError:  # no address at all: then each of its words is one
        yield from re.split(r"\W+", url)
        return
    found = [user, password, *re.split(r"[/,;:@\s]", split.path), *re.split(r"[&=,;]", split.query)]
    if split.scheme.lower() not in _NAMES_A_HOST:
        # The library may put it into capitals or small letters, or leave them.
        found += [host, split.netloc, *re.split(r"[@:]", split.netloc)]
    for part in found:
        if part:
            yield from (part, unquote(part))
