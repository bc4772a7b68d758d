"""Tables agree with the settings they become: a key left out means what the floor's own default says."""

import pytest

from config.tables import MANY, SINGLE, Duration, MediaTable, QueueTable, SipTable
from media.settings import MediaSettings
from queues.settings import QueueSettings, Requirement
from sip.settings import SipSettings


def test_defaults_are_those_of_the_floors() -> None:
    queue, table = QueueSettings("a", "t", Requirement(0, 0)), QueueTable(name="a")
    for key in ("policy", "ring_for", "max_wait", "max_waiting", "when_empty", "on_timeout", "service_level"):
        assert getattr(table, key) == getattr(queue, key), key
    for key in ("short_abandon", "pair_back_off", "answer", "music", "welcome", "weight", "priority_credit"):
        assert getattr(table, key) == getattr(queue, key), key
    for key in ("address", "ports", "codecs", "ports_ahead", "rtp_timeout"):
        assert getattr(MediaTable(), key) == getattr(MediaSettings(), key), key
    sip = SipSettings((), ())
    for key in ("register_expires_min", "register_expires_max", "requests_per_source", "options_probe_every"):
        assert getattr(SipTable(), key) == getattr(sip, key), key
    for key in ("session_expires", "min_se"):
        assert getattr(SipTable(), key) == getattr(sip, key), key


@pytest.mark.parametrize("name", [*SINGLE, *MANY])
def test_every_table_is_frozen(name: str) -> None:
    kind = (SINGLE | MANY)[name]
    has_name = "name" in kind.__struct_fields__
    table = kind(**({"name": "a"} if has_name else {}))
    with pytest.raises(AttributeError, match="immutable"):
        setattr(table, kind.__struct_fields__[0], "b")


def test_a_duration_is_a_number() -> None:
    assert Duration(3) + 1 == 4.0
