"""Logs: one line per event, ``time level event key=value ...``, to standard error.

A terminal, journald and grep all read it; values with blanks are quoted. Nothing is formatted below the
configured level. A line that cannot be written (the disk is full, the pipe is closed) is lost, and no more.
"""

import json
import logging
import re
import sys
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, BinaryIO, cast

import structlog

from kernel.errors import OperatorError

_NOT_PLAIN = re.compile(r'[ "=]')

LEVELS = ("debug", "info", "warning", "error")


def configure_logs(level: str, stream: BinaryIO | None = None) -> None:
    """Send events of ``level`` and above to ``stream`` (default: standard error).

    Raises OperatorError for a level that is none of :data:`LEVELS`.
    """
    if level not in LEVELS:
        raise OperatorError("log.level", f"{level!r} is none of {', '.join(LEVELS)}")
    structlog.configure(
        wrapper_class=_LOGGERS[level],
        logger_factory=structlog.BytesLoggerFactory(cast(BinaryIO, _Sink(stream or sys.stderr.buffer))),
        cache_logger_on_first_use=False,
    )


class _Sink:
    """A file whose failures are no exceptions in the middle of a turn."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, data: bytes) -> None:
        """Write, or lose, one line."""
        with suppress(OSError):
            self._file.write(data)

    def flush(self) -> None:
        """Send on what is written."""
        with suppress(OSError):
            self._file.flush()


class LineLogger(structlog.BoundLoggerBase):
    """structlog's bound logger without a chain of processors: one line per call ended costs 5 us, not 17."""

    level = logging.INFO

    def debug(self, event: str, **fields: Any) -> None:
        """Log at DEBUG."""
        if self.level <= logging.DEBUG:
            self._logger.msg(render_line("debug", event, fields))

    def info(self, event: str, **fields: Any) -> None:
        """Log at INFO."""
        if self.level <= logging.INFO:
            self._logger.msg(render_line("info", event, fields))

    def warning(self, event: str, **fields: Any) -> None:
        """Log at WARNING."""
        if self.level <= logging.WARNING:
            self._logger.msg(render_line("warning", event, fields))

    def error(self, event: str, **fields: Any) -> None:
        """Log at ERROR; ``exc_info`` is the exception whose traceback follows."""
        self._logger.msg(render_line("error", event, fields))


class _Debug(LineLogger):
    level = logging.DEBUG


class _Warning(LineLogger):
    level = logging.WARNING


class _Error(LineLogger):
    level = logging.ERROR


_LOGGERS = {"debug": _Debug, "info": LineLogger, "warning": _Warning, "error": _Error}


def render_line(method: str, event: str, fields: dict[str, Any]) -> bytes:
    """Return an event as one line; the traceback of ``exc_info`` follows on lines of its own."""
    error = fields.pop("exc_info", None)
    parts = [datetime.now(UTC).isoformat(timespec="milliseconds")[:-6] + "Z", f"{method:<7}", event]
    for key, value in fields.items():
        is_plain = type(value) is str and value.isalnum()
        parts.append(f"{key}={value if is_plain else _value(value)}")
    line = " ".join(parts)
    if isinstance(error, BaseException):
        trace = traceback.format_exception(type(error), error, error.__traceback__)
        line += "\n" + "".join(trace).rstrip("\n")
    return line.encode("utf-8", "backslashreplace")


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}".rstrip("0").rstrip(".")
    text = value if isinstance(value, str) else str(value)
    # A peer's text must not forge a line or a field: whatever is not plain is quoted.
    if text.isalnum() or (text.isprintable() and not _NOT_PLAIN.search(text) and text):
        return text
    return json.dumps(text, ensure_ascii=False)
