"""What the program tells of itself: on standard error, and no line that nobody asked for."""

import os
import re
import subprocess
import sys
from pathlib import Path

import recorder_sync
from tests.test_rooms import imports


def told(code: str, **environment: str) -> tuple[str, str]:
    """Run code in a process of its own; return what it wrote on both streams."""
    inherited = {name: value for name, value in os.environ.items() if name != "JOURNAL_STREAM"}
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"from recorder_sync.journal import Log, log_to_the_journal\n{code}",
        ],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**inherited, **environment},
    )
    return done.stdout, done.stderr


_FACTS = 'why="it is \\"full\\"", sent=3, done=True, what=None'


def test_under_systemd_a_line_begins_with_its_priority() -> None:
    code = (
        "log_to_the_journal(); log = Log(port='1-1')\n"
        f"log.info('ready', {_FACTS}); log.warning('late'); log.error('a b=c')"
    )
    out, err = told(code, JOURNAL_STREAM="8:1")
    assert out == ""
    assert err.splitlines() == [
        '<6>event=ready port=1-1 why="it is \\"full\\"" sent=3 done what=',
        "<4>event=late port=1-1",
        '<3>event="a b=c" port=1-1',
    ]


def test_elsewhere_it_has_the_time_and_how_severe_it_is() -> None:
    _, err = told("log_to_the_journal(); Log().info('ready', sent=3)")
    assert re.fullmatch(r"timestamp=\d{4}-\d\d-\d\dT[\d:.]+Z level=info event=ready sent=3\n", err)


def test_an_error_that_is_handled_stands_there_with_where_it_is() -> None:
    code = (
        "log_to_the_journal()\ntry:\n  1/0\nexcept ZeroDivisionError:\n  Log().exception('defect')"
    )
    _, err = told(code, JOURNAL_STREAM="8:1")
    assert err.startswith('<3>event=defect exception="Traceback (most recent call last):\\n')
    assert err.endswith('ZeroDivisionError: division by zero"\n')
    assert err.count("\n") == 1


def test_a_command_that_goes_well_says_nothing_and_brings_no_logger() -> None:
    code = "import sys\nLog().info('ready')\nassert 'structlog' not in sys.modules"
    assert told(code) == ("", "")


def test_a_warning_of_a_command_never_stands_in_its_answer() -> None:
    out, err = told("Log().info('ready'); Log().warning('late', by=2)", JOURNAL_STREAM="8:1")
    assert (out, err) == ("", "<4>event=late by=2\n")


def test_one_module_knows_the_logger() -> None:
    """What is written past `Log` would stand on standard output, in a command's answer."""
    package = Path(recorder_sync.__file__).parent
    users = [
        str(path.relative_to(package))
        for path in sorted(package.rglob("*.py"))
        if any(name.partition(".")[0] == "structlog" for name in imports(path))
    ]
    assert users == ["journal_lines.py"]
