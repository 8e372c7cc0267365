"""How a line of the journal looks: the event, and its facts as `key=value`.

Under systemd each line begins with its priority (sd-daemon(3)), and the journal knows
the time; anywhere else the line has the time.
"""

import os
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_PRIORITY = {"debug": 7, "info": 6, "warning": 4, "error": 3, "critical": 2}


def configure(least: int) -> None:
    """Have structlog write to standard error what is at least so severe."""
    in_journal = "JOURNAL_STREAM" in os.environ
    processors: list[structlog.typing.Processor] = [structlog.processors.format_exc_info]
    if in_journal:
        processors += [structlog.stdlib.add_log_level, _with_priority]
    else:
        processors += [
            structlog.stdlib.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ]
    order = ["timestamp", "level", "event"]
    processors.append(
        structlog.processors.LogfmtRenderer(key_order=order, drop_missing=True)
        if not in_journal
        else _PriorityLine()
    )
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )


def write(method: str, event: str, facts: dict[str, object]) -> None:
    """Write one line by the method of structlog's logger that is named."""
    getattr(structlog.get_logger(), method)(event, **facts)


def _with_priority(
    _logger: object, _method: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    event["priority"] = _PRIORITY.get(event.pop("level"), 6)
    return event


class _PriorityLine:
    """Renders `<6>event key=value`."""

    def __init__(self) -> None:
        self._rest = structlog.processors.LogfmtRenderer(key_order=["event"], drop_missing=True)

    def __call__(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
        priority = event.pop("priority")
        return f"<{priority}>{self._rest(logger, method, event)}"
