"""Logs: one line per event, ``time level event key=value ...``, to standard error.

A terminal, journald and grep all read it; values with blanks are quoted. Nothing is formatted below the
configured level.
"""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any, BinaryIO

import structlog
from structlog.typing import EventDict, WrappedLogger

from kernel.errors import OperatorError

_NOT_PLAIN = re.compile(r'[ "=]')

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logs(level: str, stream: BinaryIO | None = None) -> None:
    """Send events of ``level`` and above to ``stream`` (default: standard error).

    Raises OperatorError for a level that is none of :data:`LEVELS`.
    """
    if level not in LEVELS:
        raise OperatorError("log.level", f"{level!r} is none of {', '.join(LEVELS)}")
    structlog.configure(
        processors=[structlog.processors.format_exc_info, render_line],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=structlog.BytesLoggerFactory(stream or sys.stderr.buffer),
        cache_logger_on_first_use=False,
    )


def render_line(logger: WrappedLogger, method: str, event: EventDict) -> bytes:
    """Return ``event`` as one line; a traceback follows on lines of its own."""
    moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    traceback = event.pop("exception", None)
    parts = [moment, f"{method:<7}", str(event.pop("event", ""))]
    parts.extend(f"{key}={_value(value)}" for key, value in event.items())
    line = " ".join(parts)
    if traceback:
        line += "\n" + str(traceback)
    return line.encode("utf-8", "backslashreplace")


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    text = value if isinstance(value, str) else str(value)
    # A peer's text must not forge a line or a field: whatever is not plain is quoted.
    if text.isalnum() or (text.isprintable() and not _NOT_PLAIN.search(text) and text):
        return text
    return json.dumps(text, ensure_ascii=False)
