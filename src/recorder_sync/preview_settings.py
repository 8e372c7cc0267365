"""Settings of thumbnails and previews: `[previews]`."""

from typing import Annotated

from pydantic import Field

from recorder_sync.section import Section


class Previews(Section):
    """Pictures of recordings for the console, made beside the evidence and never in it."""

    enabled: bool = True
    """Whether the web service makes them; without, only what a browser plays is shown."""
    ffmpeg: str = "ffmpeg"
    """The ffmpeg program: a name on PATH, or an absolute path."""
    size_mib: Annotated[int, Field(ge=64)] = 2048
    """What they take in the state folder at most; those not looked at longest are removed."""
    height: Annotated[int, Field(ge=120, le=2160)] = 720
    """Height of a preview in pixels at most."""
    picture_limit_s: Annotated[float, Field(gt=0, le=600)] = 30.0
    """Seconds after which a thumbnail is given up."""
    preview_limit_s: Annotated[float, Field(gt=0, le=86_400)] = 7200.0
    """Seconds after which a preview is given up."""
    memory_limit_mib: Annotated[int, Field(ge=256)] = 1536
    """Address space of the process that makes them, in MiB."""
