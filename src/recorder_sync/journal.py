"""What the program tells of itself: one line an event, English, with its facts.

`journal_lines.py` says how a line looks. It brings structlog, and with it asyncio and what
colours tracebacks: 100 modules, as long to import as an intake's own. So it comes with the first
line. A service, which writes many, has it from its start; most commands write none.
"""

import logging

_least: int | None = None
"""The least severe that is written; None: nobody has said, as in a command."""


def log_to_the_journal(least: int = logging.INFO) -> None:
    """Write to standard error from now on what is at least so severe."""
    global _least  # noqa: PLW0603 - one process has one standard error
    from recorder_sync.journal_lines import configure

    configure(least)
    _least = least


class Log:
    """Where a part of the program writes its lines; `facts` stand in each of them.

    Where nobody has called `log_to_the_journal`, warnings and worse are written: on standard
    output is the answer of a command, and nothing else.
    """

    def __init__(self, **facts: object) -> None:
        self._facts = facts

    def info(self, event: str, **facts: object) -> None:
        self._write("info", logging.INFO, event, facts)

    def warning(self, event: str, **facts: object) -> None:
        self._write("warning", logging.WARNING, event, facts)

    def error(self, event: str, **facts: object) -> None:
        self._write("error", logging.ERROR, event, facts)

    def exception(self, event: str, **facts: object) -> None:
        """Write an error with the traceback of what is being handled."""
        self._write("exception", logging.ERROR, event, facts)

    def _write(self, method: str, severity: int, event: str, facts: dict[str, object]) -> None:
        if severity < (logging.WARNING if _least is None else _least):
            return
        if _least is None:
            log_to_the_journal(logging.WARNING)
        from recorder_sync.journal_lines import write

        write(method, event, self._facts | facts)
