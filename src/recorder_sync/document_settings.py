"""Settings of documents of cases: `[documents]`."""

from typing import Annotated

from pydantic import Field

from recorder_sync.rules.document_types import DEFAULT_TYPES
from recorder_sync.section import Section

_Ending = Annotated[str, Field(pattern=r"^[a-z0-9]{1,8}$")]


class DocumentSettings(Section):
    largest_mib: Annotated[int, Field(ge=1, le=4096)] = 200
    """Size of a document at most, in MiB."""
    types: Annotated[tuple[_Ending, ...], Field(min_length=1)] = DEFAULT_TYPES
    """Endings of the names of files that may be documents, in lower case."""
