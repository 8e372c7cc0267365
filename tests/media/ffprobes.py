"""Programs that answer what an ffprobe answers about itself."""

from pathlib import Path

from recorder_sync.media.demuxers import DEMUXERS

OLD, NEW = "5.1.8-0+deb12u1", "5.1.9-0+deb12u1"


def ffprobe(
    path: Path, version: str, containers: str = DEMUXERS, otherwise: str = "exit 1"
) -> Path:
    """Put a program there that says this version, and that it can read these containers.

    `otherwise` is what it does when it is asked of a recording.
    """
    said = f"ffprobe version {version} Copyright (c) 2007-2026 the FFmpeg developers"
    known = f"File formats:\\n D. = Demuxing supported\\n --\\n D  {containers}  one\\n"
    answers = f"*-version*) echo '{said}' ;; *-demuxers*) printf '{known}' ;; *) {otherwise} ;;"
    return program(path, f"case $* in {answers} esac")


def program(path: Path, script: str) -> Path:
    """Put a program there, in one step where there is one already."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".new")
    beside.write_text(f"#!/bin/sh\n{script}\n")
    beside.chmod(0o755)
    return beside.replace(path)
