"""Three simulated camera cards, with real clips made by ffmpeg.

Between them they have what a dock meets: three makers' naming schemes, a photo with
EXIF, an audio note, a truncated clip, a Chinese file name, a clip older than 24 hours,
and files that are no recordings.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from PIL import ExifTags, Image

from recorder_sync.errors import MissingPart
from recorder_sync.language import T

_CUT = 0.6
"""How much of the truncated clip is left."""


@dataclass(frozen=True, slots=True)
class Card:
    """A folder as a camera's mounted card would be."""

    path: Path
    port: str


def make_cards(folder: Path, now: datetime, zone: tzinfo) -> list[Card]:
    """Make the cards, with clips recorded in the hours before `now`.

    Raises MissingPart when ffmpeg is not there or fails.
    """
    local = now.astimezone(zone)
    return [
        _by_officer(folder / "card-1", local),
        _by_device(folder / "card-2", local),
        _by_ini(folder / "card-3", local),
    ]


def _by_officer(card: Path, now: datetime) -> Card:
    """Names with the officer first, `sn.txt`, and a sidecar for each day."""
    clips = card / "VIDEO"
    clips.mkdir(parents=True)
    (card / "sn.txt").write_text("000010\n")
    for hours, seconds, rate in ((30.0, 6, 220), (5.0, 20, 440), (4.5, 8, 550)):
        start = now - timedelta(hours=hours)
        _clip(clips / f"000010_0_{start:%Y%m%d_%H%M%S}.mp4", start, seconds, rate)
    start = now - timedelta(hours=3)
    cut = clips / f"000010_0_{start:%Y%m%d_%H%M%S}.mp4"
    _clip(cut, start, 5, 660)
    os.truncate(cut, int(cut.stat().st_size * _CUT))
    touch(cut, start + timedelta(seconds=3))
    for hours in (30.0, 5.0):
        day = now - timedelta(hours=hours)
        (card / f"000010_{day:%Y%m%d}.xml").write_text(
            "<records><record><deviceno>ZFY-0031</deviceno><caseno>冀石执〔2026〕17号</caseno>"
            "</record></records>\n",
            encoding="utf-8",
        )
    return Card(card, "1")


def _by_device(card: Path, now: datetime) -> Card:
    """Names with the device first, one clip marked important, and a photo."""
    folder = card / "DCIM"
    folder.mkdir(parents=True)
    for hours, seconds, mark, rate in ((6.0, 12, "_IMP", 330), (2.0, 10, "", 480)):
        start = now - timedelta(hours=hours)
        name = f"DCAM_CAM001_000001_{start:%Y%m%d_%H%M%S}{mark}.mp4"
        _clip(folder / name, start, seconds, rate)
    start = now - timedelta(hours=2, minutes=5)
    _photo(folder / f"DCAM_CAM001_000001_{start:%Y%m%d_%H%M%S}.jpg", start)
    (card / "readme.txt").write_text("Do not delete.\n")
    return Card(card, "2")


def _by_ini(card: Path, now: datetime) -> Card:
    """A counter for names, an ini that says whose camera it is, a note, a Chinese name."""
    folder = card / "DCIM" / "100MEDIA"
    folder.mkdir(parents=True)
    (card / "recorder.ini").write_bytes(
        "[recorder]\r\nrecorder_serial=ZFY-0047\r\nuser_no=000023\r\nuser_name=李明\r\n"
        "dept_code=130102\r\n".encode("gb18030")
    )
    for number, (hours, seconds, rate) in enumerate(((8.0, 10, 350), (1.0, 15, 600)), start=1):
        start = now - timedelta(hours=hours)
        _clip(folder / f"MAH{number:05d}.MP4", start, seconds, rate)
    start = now - timedelta(hours=7)
    _clip(folder / "现场勘验笔录.mp4", start, 6, 700)
    start = now - timedelta(minutes=50)
    _note(folder / "REC00001.WAV", start)
    (card / "System.log").write_text("boot ok\n")
    return Card(card, "3")


def _clip(path: Path, start: datetime, seconds: int, tone_hz: int) -> None:
    """Make a clip as cameras do: local time in the container, marked `Z`."""
    run_ffmpeg(
        "-f", "lavfi", "-i", f"testsrc2=size=1280x720:rate=25:duration={seconds}",
        "-f", "lavfi", "-i", f"sine=frequency={tone_hz}:duration={seconds}",
        "-c:v", "mpeg4", "-q:v", "2", "-c:a", "aac",
        "-metadata", f"creation_time={start:%Y-%m-%dT%H:%M:%SZ}",
        str(path),
    )  # fmt: skip
    touch(path, start + timedelta(seconds=seconds))


def _note(path: Path, start: datetime) -> None:
    run_ffmpeg("-f", "lavfi", "-i", "sine=frequency=300:duration=20", str(path))
    touch(path, start + timedelta(seconds=20))


def _photo(path: Path, start: datetime) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "SIMULATED"
    exif[ExifTags.Base.DateTime] = f"{start:%Y:%m:%d %H:%M:%S}"
    exif.get_ifd(ExifTags.IFD.GPSInfo).update(
        {1: "N", 2: (38.0, 2.0, 32.3), 3: "E", 4: (114.0, 30.0, 53.6)}
    )
    Image.linear_gradient("L").resize((1600, 1200)).save(path, exif=exif, quality=85)
    touch(path, start)


def touch(path: Path, moment: datetime) -> None:
    seconds = moment.astimezone(UTC).timestamp()
    os.utime(path, (seconds, seconds))


def run_ffmpeg(*arguments: str) -> None:
    program = shutil.which("ffmpeg")
    if program is None:
        raise MissingPart(
            T("The program {program} is not installed.", program="ffmpeg"),
            T("Install it with: sudo apt-get install ffmpeg"),
        )
    done = subprocess.run(
        [program, "-nostdin", "-v", "error", "-y", *arguments],
        check=False,
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise MissingPart(
            T("ffmpeg could not make a clip: {why}", why=done.stderr.strip()[-300:]),
            T("The demo needs ffmpeg with the mpeg4 and aac encoders, as Debian has it."),
        )
