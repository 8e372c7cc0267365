"""`make install`, quick: environments without anything in them, a source that is built at once."""

import os
import shlex
import stat
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

EMPTY_ENVIRONMENTS = """#!/bin/sh
case $2 in *base_prefix*) echo /usr; exit ;; esac
[ "$2" = venv ] || exec python3 "$@"
mkdir -p "$3/bin"
printf '#!/bin/sh\\n' > "$3/bin/pip"
chmod +x "$3/bin/pip"
"""
"""A Python that makes virtual environments without anything in them, at once."""

SMALL = Path("usr/local/lib/recorder-sync/ffprobe")

_A_COMPUTER = """
set -eu
mount -t tmpfs tmpfs /run
for folder in /etc /opt /srv /var/lib /usr/local; do
    upper=/run/upper$folder work=/run/work$folder
    mkdir -p "$upper" "$work"
    mount -t overlay -o "lowerdir=$folder,upperdir=$upper,workdir=$work" overlay "$folder"
done
rm -rf /usr/local/lib/recorder-sync
"""
"""What is installed on it, nobody else on this computer sees. Its systemd does not run."""

_CONFIGURE = """#!/bin/sh
cat > Makefile <<MADE
ffprobe:
\tprintf '#!/bin/sh\\necho "%s" "%s"\\n' "\\$\\$(id -un)" '$*' > ffprobe
\tchmod +x ffprobe
MADE
"""
"""A configure whose ffprobe says who built it, and with which options."""


def on_a_computer(*lines: str, path: Path) -> subprocess.CompletedProcess[str]:
    """Run shell commands as root of a computer of their own; programs in `path` come first."""
    where = [f"PATH={shlex.quote(str(path))}:$PATH", f"cd {shlex.quote(str(ROOT))}"]
    script = "\n".join([_A_COMPUTER, *where, *lines])
    return subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-c", script],
        env={key: value for key, value in os.environ.items() if key != "MAKEFLAGS"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def make(target: str, destination: Path, python: Path, *settings: str) -> str:
    """Have it made below a folder; return what it says."""
    done = subprocess.run(
        ["make", target, f"DESTDIR={destination}", f"PYTHON={python}", *settings],
        cwd=ROOT,
        env={key: value for key, value in os.environ.items() if key != "MAKEFLAGS"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def source_of_ffmpeg(folder: Path, configure: str = _CONFIGURE) -> Path:
    """Make what stands for FFmpeg, which itself takes three minutes: this is built at once."""
    source = folder / "of ffmpeg" / "ffmpeg-5.1.9"
    (source / "debian").mkdir(parents=True)
    (source / "configure").write_text(configure)
    (source / "configure").chmod(0o755)
    first = "ffmpeg (7:5.1.9-0+deb12u1) bookworm-security; urgency=medium\n"
    (source / "debian/changelog").write_text(f"{first}\n  * Corrected.\n\n{first}")
    return source
