"""Mixes that several want of one stream: all of them together, until the last wants nothing."""

from calls.call import Call
from kernel.ids import CallId, StreamId
from media.messages import Mix
from tests.calls.office import Office

A, B = CallId("a"), CallId("b")
SUPERVISOR = StreamId(77)


class Scene:
    """Two who talk; wishes are those of calls that are said to live."""

    def __init__(self) -> None:
        self.office = Office()
        self.office.register("8001")
        self.call, self.answer, _ = self.office.talk()
        assert self.call.caller_leg is not None
        assert self.call.callee is not None
        self.caller, self.seat = self.call.caller_leg.stream, self.call.callee.stream
        self.hearing = self.office.board.hearing
        for whose in (A, B):
            self.office.board.calls[whose] = Call(whose, self.office.now)

    def want(self, whose: CallId, stream: StreamId, *hears: StreamId) -> list[tuple[StreamId, ...]]:
        """Return what the worker was told of ``stream`` by this."""
        self.office.commands.clear()
        self.hearing.want(whose, stream, hears, self.office.now)
        self.office.settle()
        mixes = [command for command in self.office.commands if isinstance(command, Mix)]
        return [mix.near for mix in mixes if mix.stream == stream]


def test_wishes_add_up_and_one_who_hears_nobody_hears_its_peer() -> None:
    scene = Scene()
    assert scene.want(A, scene.seat, scene.caller) == [(scene.caller,)]
    assert scene.want(B, scene.seat, scene.caller) == []  # heard already
    assert scene.hearing.hears(scene.seat) == (scene.caller,)
    assert scene.want(A, scene.seat) == []  # B still wants it
    assert scene.want(B, scene.seat) == [()]
    assert scene.hearing.wanted == {}
    assert scene.hearing.hears(scene.seat) == ()


def test_a_stream_that_is_over_is_wanted_by_nobody() -> None:
    scene = Scene()
    assert scene.want(A, scene.caller, scene.seat) == [(scene.seat,)]
    assert scene.want(A, SUPERVISOR, scene.seat) == []
    assert list(scene.hearing.wanted) == [scene.caller]
    scene.office.caller_says("BYE", scene.answer, 2)
    scene.office.settle()
    assert scene.hearing.wanted == {}
    assert list(scene.office.board.calls) == [A, B]


def test_a_source_that_is_over_leaves_the_rest() -> None:
    scene = Scene()
    scene.office.plane.open(SUPERVISOR, scene.office.now)
    scene.hearing.want(A, scene.seat, (scene.caller, SUPERVISOR), scene.office.now)
    scene.hearing.want(B, scene.seat, (SUPERVISOR,), scene.office.now)
    scene.hearing.forget(SUPERVISOR)
    assert scene.hearing.wanted == {scene.seat: {A: (scene.caller,)}}
    scene.hearing.check()
    scene.hearing.forget(scene.caller)
    assert scene.hearing.wanted == {}
    scene.hearing.check()
