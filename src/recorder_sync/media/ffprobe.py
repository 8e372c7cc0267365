"""Which ffprobe describes recordings, and whether it is as new as the distribution's.

A small one that `make install` built takes a twentieth of the time and of the
memory, but the distribution's updates do not reach it. So its version is held against that of
the distribution's, and where it does not run or lacks what we need, the distribution's is taken:
nothing of this keeps a camera waiting. A small one that is only older goes on being used.

The programs are asked about themselves only, in this process. No recording is opened here.
"""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from recorder_sync.config import Media as MediaSettings
from recorder_sync.errors import MissingPart, os_reason
from recorder_sync.language import T, Text
from recorder_sync.media.demuxers import DEMUXERS
from recorder_sync.rules.versions import is_newer

SMALL = Path("/usr/local/lib/recorder-sync/ffprobe")
"""Where `tools/install.sh` puts the small one."""

_LIMIT_S = 10.0
"""Seconds that a program gets to say its version: Debian's takes 0.1, from a slow disk more."""

_VERSION = re.compile(r"ffprobe version ([\w.+~:-]{1,100})", re.ASCII)
_DEMUXER = re.compile(r"^ *D[E d]* +([\w,]+)", re.ASCII | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Chosen:
    path: str
    passed_over: Text | None = None
    """Why the small one is not used though it is there."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What somebody should know of the program that is used."""

    text: Text
    hint: Text


def find_ffprobe(settings: MediaSettings) -> str:
    """Return the path of the program that is used, or raise MissingPart."""
    return choose(settings).path


def choose(settings: MediaSettings, small: Path = SMALL) -> Chosen:
    """Choose the one that the settings name; else the small one, if it is fit; else PATH's.

    Raises MissingPart when there is none.
    """
    if settings.ffprobe is not None:
        return Chosen(_named(settings.ffprobe))
    if not os.path.lexists(small):
        return Chosen(_on_path("ffprobe"))
    unfit = _unfit(small)
    return Chosen(str(small)) if unfit is None else Chosen(_on_path("ffprobe"), unfit)


def notice_of(settings: MediaSettings, small: Path = SMALL) -> Notice | None:
    """Return what somebody should know; where the distribution's is used no program is asked.

    Raises MissingPart when the one that is used is not there, or does not run.
    """
    chosen = choose(settings, small)
    if chosen.passed_over is not None:
        text = T(
            "{why} Recordings are described by {program} meanwhile.",
            why=chosen.passed_over,
            program=chosen.path,
        )
        return Notice(text, _build_it_again())
    on_path = _all_on_path()
    others = [path for path in on_path if not Path(path).samefile(chosen.path)]
    if not others:
        return None if on_path else _nobody_tells(chosen.path)
    return _compared(chosen.path, others[0])


def candidates(settings: MediaSettings, small: Path = SMALL) -> tuple[str, ...]:
    """Return the files whose change can make `notice_of` say something else."""
    named = (shutil.which(settings.ffprobe),) if settings.ffprobe is not None else (str(small),)
    return tuple(path for path in (*named, *_all_on_path()) if path is not None)


def _compared(program: str, other: str) -> Notice | None:
    ours = version_of(program)
    try:
        theirs = version_of(other)
    except MissingPart as error:
        return Notice(error.text, _install())
    return _older(program, ours, theirs) if is_newer(theirs, ours) else None


def _older(program: str, ours: str, theirs: str) -> Notice:
    text = T(
        "{program} was built from FFmpeg {ours}; this computer has {theirs} by now.",
        program=program,
        ours=ours,
        theirs=theirs,
    )
    return Notice(text, _build_it_again())


def _nobody_tells(program: str) -> Notice:
    text = T(
        "Nothing here can tell when {program} is out of date: the distribution's ffprobe is "
        "not installed.",
        program=program,
    )
    return Notice(text, _install())


def _all_on_path() -> list[str]:
    """Return every ffprobe on PATH: the distribution's may stand behind one in /usr/local."""
    folders = os.environ.get("PATH", os.defpath).split(os.pathsep)
    found = (shutil.which("ffprobe", path=folder) for folder in folders if folder)
    return [path for path in found if path is not None]


def version_of(program: str) -> str:
    """Return the version that an ffprobe says it has. Raises MissingPart when it says none."""
    found = _VERSION.search(_said(program, "-version"))
    if found is None:
        raise _broken(program, T("it does not say its version"))
    return found[1]


def _unfit(small: Path) -> Text | None:
    """Return why the small one cannot be used, or None when it can."""
    try:
        said = _said(str(small), "-v", "error", "-demuxers")
    except MissingPart as error:
        return error.text
    known = {name for names in _DEMUXER.findall(said) for name in names.split(",")}
    lacking = [name for name in DEMUXERS.split(",") if name not in known]
    if not lacking:
        return None
    return T(
        "{program} is of an older kind and cannot read: {formats}.",
        program=small,
        formats=", ".join(lacking),
    )


def _said(program: str, *arguments: str) -> str:
    """Return what the program prints about itself. Raises MissingPart."""
    try:
        done = subprocess.run(
            [program, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LIMIT_S,
            check=False,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
        )
    except OSError as error:
        raise _broken(program, os_reason(error)) from error
    except subprocess.TimeoutExpired as error:
        raise _broken(program, T("it says nothing for {limit} s", limit=_LIMIT_S)) from error
    if done.returncode:
        last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2][-200:] or "-"
        why = T("it ended with code {code}: {why}", code=done.returncode, why=last)
        raise _broken(program, why)
    return done.stdout.decode("utf-8", "replace")


def _broken(program: str, why: Text) -> MissingPart:
    return MissingPart(
        T("The program {program} does not work: {why}.", program=program, why=why),
        T("Install it again, or name another one as media.ffprobe in the configuration."),
    )


def _named(name: str) -> str:
    if os.sep in name and shutil.which(name) is None:
        raise MissingPart(
            T("media.ffprobe names {program}, and that is no program.", program=name),
            T("Correct it in the configuration, or leave it out: then one is looked for."),
        )
    return _on_path(name)


def _on_path(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise MissingPart(T("The program {program} is not installed.", program=name), _install())
    return found


def _install() -> Text:
    return T("Install it with: sudo apt-get install ffmpeg")


def _build_it_again() -> Text:
    return T('Build it again: docs/dock.md, "A small ffprobe".')
