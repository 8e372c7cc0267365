"""Settings of documents of cases: `[documents]`."""

from typing import Annotated

from pydantic import Field

from recorder_sync.section import Section


class DocumentSettings(Section):
    largest_mib: Annotated[int, Field(ge=1, le=4096)] = 200
    """Size of a document at most, in MiB."""
