from kernel.ids import StreamId
from media.known import CommandBox
from media.messages import Close, Stop, decode_commands

A, B = StreamId(1), StreamId(2)


def test_what_is_told_to_one_worker_is_one_message_in_order() -> None:
    box = CommandBox()
    box.tell(0, Stop(A))
    box.tell(1, Close(B))
    box.tell(0, Close(A))
    assert len(box) == 2
    assert [(worker, decode_commands(message)) for worker, message in box.take()] == [
        (0, [Stop(A), Close(A)]),
        (1, [Close(B)]),
    ]
    assert box.take() == []


def test_what_was_meant_for_a_worker_that_died_is_not_said_to_its_successor() -> None:
    box = CommandBox()
    box.tell(0, Stop(A))
    box.tell(1, Stop(B))
    box.forget(0)
    box.forget(7)
    assert [worker for worker, _ in box.take()] == [1]
