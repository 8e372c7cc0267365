"""The recipe for an ffprobe that knows what recorders write and nothing else.

Building it takes minutes, so it is not built here. Put the built one first on PATH, and the
other tests of this folder say whether it describes as the distribution's does.
"""

import re
import subprocess
from pathlib import Path

from recorder_sync.media.demuxers import DEMUXERS

RECIPE = Path(__file__).parents[2] / "tools" / "small_ffprobe.sh"
NAMES_IN_FFMPEG = {
    "mov": ("mov", "mp4", "m4a", "3gp", "3g2", "mj2"),
    "matroska": ("matroska", "webm"),
    "mpegps": ("mpeg",),
    "image_jpeg_pipe": ("jpeg_pipe",),
    "image_png_pipe": ("png_pipe",),
}
"""What FFmpeg's configure calls otherwise than ffprobe."""


def test_it_knows_the_containers_that_may_be_read_and_no_others() -> None:
    parts = re.findall(r"^demuxers=(?:\$demuxers,)?(\S+)$", RECIPE.read_text(), re.MULTILINE)
    built = [name for part in parts for name in part.split(",")]
    known = [name for one in built for name in NAMES_IN_FFMPEG.get(one, (one,))]
    assert sorted(known) == sorted(DEMUXERS.split(","))


def test_without_a_source_it_says_what_it_needs(tmp_path: Path) -> None:
    target = tmp_path / "ffprobe"
    done = subprocess.run(
        ["sh", RECIPE, tmp_path, target], capture_output=True, text=True, check=False
    )
    assert (done.returncode, target.exists()) == (2, False)
    assert "apt-get source ffmpeg" in done.stderr
