"""A station with recordings as officers bring them, for the pages of recordings."""

import subprocess
from pathlib import Path

from tests.conftest import Card, Dock, MediaFiles

HOSTILE = "<img src=x onerror=alert(1)>\"'{{7*7}}.mp4"
PLAYED = "DCIM/DCAM_CAM001_000001_20261123_100000.mp4"


def clip(path: Path, *coded: str, seconds: int = 4, size: str = "160x120") -> Path:
    """Make a clip; by default in a codec that Debian's chromium plays."""
    subprocess.run(
        [
            *("ffmpeg", "-nostdin", "-v", "error", "-y"),
            *("-f", "lavfi", "-i", f"testsrc2=size={size}:rate=10:duration={seconds}"),
            *("-f", "lavfi", "-i", f"sine=duration={seconds}"),
            *(coded or ("-c:v", "libx264", "-g", "10", "-pix_fmt", "yuv420p", "-c:a", "aac")),
            *("-metadata", "title=<script>alert(2)</script>"),
            *("-metadata", "location=+38.0423+114.5149/", str(path)),
        ],
        check=True,
    )
    return path


def with_text(path: Path, film: Path, texts: list[str], codec: str = "mov_text") -> Path:
    """Put a stream of timed text into a film, one text a second, as recorders with GPS do."""
    written = path.with_suffix(".srt")
    written.write_text(
        "".join(
            f"{n + 1}\n00:{n // 60:02d}:{n % 60:02d},000 --> 00:{(n + 1) // 60:02d}:"
            f"{(n + 1) % 60:02d},000\n{text}\n\n"
            for n, text in enumerate(texts)
        ),
        encoding="utf-8",
    )
    subprocess.run(
        ["ffmpeg", "-nostdin", "-v", "error", "-y", "-i", film, "-i", written,
         "-map", "0:v", "-map", "0:a?", "-map", "1:s", "-c", "copy", "-c:s", codec, path],
        check=True,
    )  # fmt: skip
    return path


def furnish(dock: Dock, folder: Path, media_files: MediaFiles) -> dict[str, str]:
    """Take in two officers' cards; return the ids by original name."""

    def done(*arguments: str) -> None:
        result = dock.run(*arguments)
        assert result.code == 0, result.err

    done("officers", "add", "000001", "--name", "王芳", "--unit", "一中队")
    done("officers", "add", "000002", "--name", "李明", "--unit", "二中队")
    done("cases", "add", "冀石执〔2026〕7号", "--party", "李四餐饮", "--cause", "涉嫌占道经营")
    card = Card(folder / "camera-1")
    played = clip(folder / "played.mp4")
    card.put(PLAYED, played)
    card.put("DCIM/DCAM_CAM001_000001_20261123_100030.mp4", clip(folder / "p2.mp4", seconds=3))
    card.put("DCIM/DCAM_CAM001_000001_20261123_110000.jpg", media_files.photo)
    card.put("DCIM/DCAM_CAM001_000001_20261123_120000.wav", media_files.audio)
    card.put("DCIM/" + HOSTILE, clip(folder / "hostile.mp4", seconds=2))
    card.put("DCIM/page.mp4", b"<html><script>alert(3)</script></html>")
    card.put(
        "DCIM/DCAM_CAM001_000001_20261123_130000.avi",
        clip(folder / "old.avi", "-c:v", "mpeg4", "-c:a", "mp3", seconds=3),
    )
    taken = dock.ingest(card, "--case", "冀石执〔2026〕7号")
    other = Card(folder / "camera-2")
    other.put("DCIM/DCAM_CAM002_000002_20261123_093000.mp4", media_files.video)
    also = dock.ingest(other)
    found = [*taken.json["recordings"], *also.json["recordings"]]
    return {one["original_name"]: one["id"] for one in found}
