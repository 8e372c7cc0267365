"""How fast is a verified intake beside other ways of copying, and what does it take?

Makes cards, copies them in alternating rounds by the product and by what it is compared
with, and prints one table of targets with what was measured: paired medians, processor
time also as a multiple of this machine's floor (floor.py). Every copy goes to a fresh
folder on the same disk; before each, the card's pages are dropped from the page cache, and free
memory is filled with pages of another file, as on a computer that has been up for a while.
Exits 1 when a target is missed, and says which.

Not to be concluded: how fast an intake is from a real card, which reads slower than this
disk; or with evidence that is immutable (here it is not, so that it can be removed). What
other programs do on this computer at the same time weighs on every figure; only ratios
within a round are a little safe from it. How long the program takes to start: `--version`
is answered before anything is imported; the steps of the photos show the start of an intake.

The modules beside this one: cards.py and images.py make cards, ways.py copies them,
floor.py is the floor, rounds.py and measured_process.py measure, page_cache.py brings memory
into one state before each run, docked.py and throttle.py hold cameras to a rate, steps.py looks
at single steps, rows.py has the targets, table.py draws.
"""

import argparse
import shutil
import sys
import tempfile
from compileall import compile_dir
from pathlib import Path

from docked import Plan
from rounds import Workshop
from rows import ROWS, Benchmark, Sizes
from table import missed, screen, targets, write_markdown

import recorder_sync
from recorder_sync.config import Media
from recorder_sync.media.ffprobe import SMALL, find_ffprobe

_BUILT = Path(sys.prefix) / "small" / SMALL.relative_to("/")
"""Where `make bench` builds the small ffprobe, as `make install` puts one in place."""


def main() -> int:
    given = _arguments()
    # As pip leaves it: compiling all modules would be a third of a start.
    compile_dir(Path(recorder_sync.__file__).parent, quiet=1)
    sizes = _sizes(given)
    folder = Path(tempfile.mkdtemp(prefix="recorder-sync-bench-", dir=given.folder))
    workshop = Workshop(folder, 1 if given.quick else given.runs, given.ffprobe, screen.print)
    benchmark = Benchmark(workshop, sizes, given.only or ROWS)
    screen.print(f"Described by {given.ffprobe}")
    try:
        benchmark.run()
    finally:  # what was measured before an interrupt is shown
        shutil.rmtree(folder)
        wrong = _show(benchmark, given)
    return 1 if wrong else 0


def _show(benchmark: Benchmark, given: argparse.Namespace) -> list[str]:
    """Print the table; return what was missed or failed."""
    screen.print()
    screen.print(targets(benchmark.lines))
    if given.quick:
        screen.print("Small sizes and one round: this shows that the scripts work, no more.")
    if given.markdown:
        write_markdown(given.markdown, benchmark.lines, benchmark.details)
    wrong = [missed(line) for line in benchmark.lines if line.met is False] + benchmark.failures
    for text in wrong:
        screen.print(text, style="bold red")
    return wrong


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=7, help="rounds (default: 7)")
    parser.add_argument("--only", action="append", choices=ROWS, help="a row; may be repeated")
    parser.add_argument("--ffprobe", default=_ffprobe(), help="(default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="small sizes, one round")
    parser.add_argument("--minutes", type=float, default=10, help="of the docked cameras")
    parser.add_argument("--rate", type=float, default=30, help="MB/s of each docked camera")
    parser.add_argument("--docked", type=int, help="docked cameras (default: 16, quick: 3)")
    parser.add_argument(
        "--evidence-image",
        action="store_true",
        help="docked cameras: evidence in a sparse image as large as all cards together",
    )
    parser.add_argument("--markdown", type=Path, help="also write the tables to this file")
    parser.add_argument("--folder", type=Path, default=Path("/var/tmp"), help="on a real disk")
    return parser.parse_args()


def _ffprobe() -> str:
    """Return the one in use here, or the small one that was built to be measured."""
    return find_ffprobe(Media(ffprobe=str(_BUILT) if _BUILT.exists() else None))


def _sizes(given: argparse.Namespace) -> Sizes:
    rate = round(given.rate * 1e6)
    if not given.quick:
        plan = Plan(given.docked or 16, rate, given.minutes * 60, 512 << 20, given.evidence_image)
        return Sizes(docked=plan)
    return Sizes(
        clip_size=64 << 20,
        many_clips=10,
        photos=200,
        known=100,
        cameras_clip_size=8 << 20,
        docked=Plan(given.docked or 3, rate, 12, 64 << 20, given.evidence_image),
    )


if __name__ == "__main__":
    sys.exit(main())
