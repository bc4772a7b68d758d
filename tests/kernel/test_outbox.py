"""The outbox gives everything once, in order."""

from kernel.outbox import Outbox


def test_take_gives_all_once() -> None:
    outbox: Outbox[int] = Outbox()
    outbox.put(1)
    outbox.put(2)
    assert len(outbox) == 2
    assert outbox.take() == [1, 2]
    assert outbox.take() == []
