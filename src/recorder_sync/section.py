"""What every section of the configuration is: strict, and the same as long as it is in use."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict


class Section(BaseModel):
    """A table of the configuration: no key but those it names, and it never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True, defer_build=True)


def absolute(path: Path) -> Path:
    """Return the path. Raises ValueError unless it is absolute."""
    if not path.is_absolute() or "\0" in str(path):
        raise ValueError("should be an absolute path")
    return path


AbsolutePath = Annotated[Path, AfterValidator(absolute)]
