"""Rows survive the journal's encoding, with their table's name first."""

import msgspec

from kernel.rows import AnyRow, PresenceRow, VisitRow


def test_rows_round_trip_by_tag() -> None:
    visit = VisitRow("c.1", "c", "junior", 1.0, 2.5, 1.5, 0.0, "answered", "", "8001", True)
    presence = PresenceRow("8001/1", "8001", "", 1.0, "ready", "", "idle", "signed_in", "")
    for row in (visit, presence):
        data = msgspec.msgpack.encode(row)
        assert msgspec.msgpack.decode(data, type=AnyRow) == row
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(visit))[:2] == ["visits", "c.1"]
