import errno
import io
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from kernel.errors import OperatorError
from seatswitch.shell.logs import configure_logs


@pytest.fixture
def stream() -> Iterator[io.BytesIO]:
    yield io.BytesIO()
    structlog.reset_defaults()


def test_event_is_one_line_with_fields(stream: io.BytesIO) -> None:
    configure_logs("info", stream)
    structlog.get_logger().info("call ended", call="a1", waited=12.5, verdict="success", note="two words")
    line = stream.getvalue().decode()
    assert line.endswith('Z info    call ended call=a1 waited=12.5 verdict=success note="two words"\n')


def test_peer_cannot_forge_a_line(stream: io.BytesIO) -> None:
    configure_logs("info", stream)
    structlog.get_logger().info("refused", caller="x\n2026 info call ended", key='a="b"')
    text = stream.getvalue().decode()
    assert text.count("\n") == 1
    assert r'caller="x\n2026 info call ended" key="a=\"b\""' in text


def test_level_is_a_bound(stream: io.BytesIO) -> None:
    configure_logs("warning", stream)
    structlog.get_logger().info("unheard")
    structlog.get_logger().warning("heard")
    assert stream.getvalue().count(b"\n") == 1


def test_traceback_follows_its_line(stream: io.BytesIO) -> None:
    configure_logs("info", stream)
    structlog.get_logger().error("bug", exc_info=ValueError("wrong"))
    lines = stream.getvalue().decode().splitlines()
    assert lines[0].endswith(" bug")
    assert lines[-1] == "ValueError: wrong"


def test_unknown_level_is_the_operators_mistake(stream: io.BytesIO) -> None:
    with pytest.raises(OperatorError, match="'loud' is none of debug, info, warning, error"):
        configure_logs("loud", stream)


class Full(io.BytesIO):
    """A file on a disk that has no room, for a while."""

    is_full = True

    def write(self, data: Any) -> int:
        if self.is_full:
            raise OSError(errno.ENOSPC, "No space left on device")
        return super().write(data)

    def flush(self) -> None:
        if self.is_full:
            raise BrokenPipeError


def test_a_line_that_cannot_be_written_is_lost_and_nothing_else() -> None:
    stream = Full()
    configure_logs("info", stream)
    structlog.get_logger().info("lost")
    stream.is_full = False
    structlog.get_logger().info("heard")
    structlog.reset_defaults()
    assert stream.getvalue().count(b"\n") == 1
    assert b"heard" in stream.getvalue()
