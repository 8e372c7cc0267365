"""Secrets: from a file, the environment, or what systemd hands a service.

Settings say where a secret is, never what it is. It is read each time that a connection is
made, so one that was changed is in force without a restart, and it stands in no log, error or
listing. systemd's credentials (`LoadCredential=`, systemd.exec(5)) are files in a folder that
only the service can read.
"""

import os
import stat
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, model_validator

from recorder_sync.durable import open_regular
from recorder_sync.errors import MissingPart, os_reason
from recorder_sync.language import T
from recorder_sync.section import AbsolutePath, Section

_LARGEST = 64 << 10
_FOLDER_VARIABLE = "CREDENTIALS_DIRECTORY"


class Secret(Section):
    """Where a secret is: exactly one of these."""

    file: AbsolutePath | None = None
    """File that others may not read."""
    environment: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    """Variable of the environment."""
    credential: Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._-]*$")] | None = None
    """Name of a systemd credential."""

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(one is not None for one in (self.file, self.environment, self.credential)) != 1:
            raise ValueError("should hold one of file, environment and credential")
        return self

    def read(self) -> str:
        """Return the secret without the newlines behind it. Raises MissingPart."""
        if self.environment is not None:
            text = os.environ.get(self.environment)
            if not text:
                raise MissingPart(
                    T("The environment variable {name} is not set.", name=self.environment),
                    T("Set it for the service, or keep the secret in a file."),
                )
            return text
        return _from_file(self._path())

    def _path(self) -> Path:
        if self.file is not None:
            return self.file
        folder = os.environ.get(_FOLDER_VARIABLE)
        if not folder:
            raise MissingPart(
                T("systemd gave this process no credential {name}.", name=self.credential),
                T(
                    "Add LoadCredential={name}:FILE to the unit of the service; a command at a "
                    "terminal needs systemd-run with the same.",
                    name=self.credential,
                ),
            )
        return Path(folder) / str(self.credential)


def _from_file(path: Path) -> str:
    try:
        with open_regular(path) as file:
            if os.fstat(file.fileno()).st_mode & stat.S_IRWXO:
                raise MissingPart(
                    T("The file {path} holds a secret, and everybody may use it.", path=path),
                    T("Run: chown root:recorder-sync {path} && chmod 0640 {path}", path=path),
                )
            text = file.read(_LARGEST).decode().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        why = os_reason(error) if isinstance(error, OSError) else T("it is no text in UTF-8")
        raise MissingPart(
            T("The secret in {path} cannot be read: {why}.", path=path, why=why),
            T("Put the secret there and let the service read the file."),
        ) from error
    if not text:
        raise MissingPart(T("The file {path} is empty.", path=path), T("Put the secret there."))
    return text
