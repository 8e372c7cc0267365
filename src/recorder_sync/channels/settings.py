"""Settings of one channel: where it leads, whom it tells, in which language, and of what."""

import re
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from recorder_sync.language import Language
from recorder_sync.rules.matter import Severity
from recorder_sync.rules.recipient import Recipient
from recorder_sync.section import Section

_OPEN = re.compile(r"(syslog|desktop):(//(/[^?#@:]*)?)?")
"""Addresses without a secret, which may stand in the configuration itself."""


class Channel(Section):
    """One address that messages go to."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$")]
    url: str | None = None
    """`syslog://` or `desktop://`, which hold no secret."""
    url_file: Path | None = None
    """File that holds the address of anything else, and that not everybody may read."""
    url_variable: Annotated[str, Field(pattern=r"^[A-Z_][A-Z0-9_]*$")] | None = None
    """Or the variable of the environment that holds it."""
    to: Annotated[tuple[Recipient, ...], Field(min_length=1)] = (Recipient.CUSTODIAN,)
    """Whom it tells."""
    officers: tuple[str, ...] = ()
    """Certificate numbers of the officers whose messages it takes; none: of all."""
    language: Language | None = None
    """Language of its messages; None: the station's."""
    least: Severity = Severity.NOTICE
    """The least severe alert that it tells of."""

    @field_validator("url")
    @classmethod
    def _holds_no_secret(cls, url: str | None) -> str | None:
        if url is not None and not _OPEN.fullmatch(url):
            raise ValueError(
                "should be syslog:// or desktop://; other addresses hold secrets: use url_file"
            )
        return url

    @field_validator("url_file")
    @classmethod
    def _is_absolute(cls, path: Path | None) -> Path | None:
        if path is not None and (not path.is_absolute() or "\0" in str(path)):
            raise ValueError("should be an absolute path")
        return path

    @model_validator(mode="after")
    def _one_address(self) -> "Channel":
        given = [one for one in (self.url, self.url_file, self.url_variable) if one is not None]
        if len(given) != 1:
            raise ValueError("should have one of url, url_file and url_variable")
        return self
