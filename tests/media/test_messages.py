import msgspec
import pytest

from kernel.ids import StreamId
from media import messages
from media.messages import (
    Close,
    Closed,
    Wire,
    decode_commands,
    decode_reports,
    encode_commands,
    encode_reports,
)


def test_messages_are_arrays_of_arrays_that_begin_with_a_number() -> None:
    message = encode_commands([Close(StreamId(5)), messages.Connect(StreamId(1), StreamId(2))])
    assert msgspec.msgpack.decode(message) == [[7, 5], [2, 1, 2]]
    assert decode_commands(message) == [Close(StreamId(5)), messages.Connect(StreamId(1), StreamId(2))]


def test_reports_come_back_as_they_were() -> None:
    report = Closed(messages.StreamStatistics(StreamId(3), 5, 860, jitter_ms=0.25))
    assert decode_reports(encode_reports([report])) == [report]


def test_mix_names_sources_of_other_workers_by_port() -> None:
    mix = messages.Mix(
        StreamId(5), (StreamId(1),), "192.0.2.9", (messages.FarSource(20_000, "PCMA", 8, 101),)
    )
    message = encode_commands([mix])
    assert msgspec.msgpack.decode(message) == [[13, 5, [1], "192.0.2.9", [[20_000, "PCMA", 8, 101]]]]
    assert decode_commands(message) == [mix]


def test_no_number_is_given_twice() -> None:
    """A worker may be older than the switch it serves."""
    tags = [kind.__struct_config__.tag for kind in Wire.__subclasses__()]
    assert len(dict.fromkeys(tags)) == len(tags) == 28


def test_unknown_numbers_are_refused() -> None:
    with pytest.raises(msgspec.ValidationError):
        decode_commands(msgspec.msgpack.encode([[99, 1]]))
