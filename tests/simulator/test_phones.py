"""The simulated phones against each other, without a switch: the times of RFC 3261 to the millisecond."""

from random import Random

import pytest

from tests.simulator.network import Network, Passed, Weather
from tests.simulator.phones import CalledPhone, Errand, Manner, Trunk
from tests.simulator.timeline import Timeline

CALLER, CALLED = ("203.0.113.10", 5060), ("198.51.100.1", 5060)


class Notes:
    """A journal that keeps everything."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.complaints: list[str] = []

    def note(self, who: str, what: str) -> None:
        self.notes.append(f"{who} {what}")

    def complain(self, who: str, what: str) -> None:
        self.complaints.append(f"{who} {what}")


class Pair:
    """A caller whose proxy is the called phone."""

    def __init__(self, seed: int = 1, weather: Weather | None = None) -> None:
        self.time = Timeline()
        self.network = Network(self.time, Random(seed), weather or Weather(delay=0.01))
        self.journal = Notes()
        self.sent: list[tuple[float, str]] = []
        self.network.watchers.append(self._watch)
        random = Random(seed)
        self.caller = Trunk("carrier", self.network, CALLER, CALLED, random, self.journal)
        self.called = CalledPhone("8001", self.network, CALLED, CALLER, random, self.journal)

    def _watch(self, passed: Passed) -> None:
        side = ">" if passed.source == CALLER else "<"
        start = passed.data.partition(b"\r\n")[0].decode()
        word = start.split(" ")[1 if start.startswith("SIP") else 0]
        self.sent.append((round(passed.at, 3), side + word))


def test_a_call_from_invite_to_bye_has_exact_times() -> None:
    pair = Pair()
    pair.called.manner = Manner(rings_after=0.1, answers_after=2.0, talks_for=5.0)
    call = pair.caller.dial(Errand(number="8001"))
    pair.time.run(60.0)
    assert pair.sent == [
        (0.0, ">INVITE"),
        (0.01, "<100"),
        (0.11, "<180"),
        (2.01, "<200"),
        (2.02, ">ACK"),
        (7.03, "<BYE"),
        (7.04, ">200"),
    ]
    assert (call.why, pair.called.calls[0].why) == ("bye", "hung up")
    assert pair.journal.complaints == []


def test_an_invite_into_silence_is_repeated_until_timer_b() -> None:
    """RFC 3261 17.1.1.2: 0.5, 1.5, 3.5, 7.5, 15.5 and 31.5 s, given up at 32 s."""
    pair = Pair()
    pair.called.is_deaf = True
    call = pair.caller.dial(Errand())
    pair.time.run(100.0)
    assert [at for at, _ in pair.sent] == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert (call.why, call.ended_at) == ("no response", 32.0)


def test_a_200_without_ack_is_repeated_and_ends_in_bye() -> None:
    """RFC 3261 13.3.1.4: T1 doubling up to T2, BYE after 64*T1."""
    pair = Pair()
    pair.called.manner = Manner(rings_after=None, answers_after=0.0)
    pair.caller.dial(Errand(acks=False))
    pair.time.run(100.0)
    answers = [at for at, what in pair.sent if what == "<200"]
    assert answers == [0.01, 0.51, 1.51, 3.51, 7.51, 11.51, 15.51, 19.51, 23.51, 27.51, 31.51]
    assert (32.01, "<BYE") in pair.sent


def test_cancel_ends_a_ringing_call_and_waits_for_a_provisional() -> None:
    """RFC 3261 9.1: no CANCEL before a provisional response."""
    pair = Pair()
    pair.called.manner = Manner(answers_after=None)
    call = pair.caller.dial(Errand(hangs_up_after=0.015))
    pair.time.run(10.0)
    assert pair.sent[:6] == [
        (0.0, ">INVITE"),
        (0.01, "<100"),
        (0.02, ">CANCEL"),
        (0.03, "<200"),
        (0.03, "<487"),
        (0.04, ">ACK"),
    ]
    assert (call.why, pair.called.calls[0].why) == ("refused 487", "cancelled")


def test_a_200_that_crosses_the_cancel_is_acknowledged_and_ended() -> None:
    pair = Pair()
    pair.called.manner = Manner(answers_after=None, answers_cancelled=True)
    call = pair.caller.dial(Errand(hangs_up_after=1.0))
    pair.time.run(10.0)
    assert pair.sent[3:] == [
        (1.0, ">CANCEL"),
        (1.01, "<200"),
        (1.01, "<200"),
        (1.02, ">ACK"),
        (1.02, ">BYE"),
        (1.03, "<200"),
    ]
    assert call.why == "hung up, 200 crossed CANCEL"
    assert pair.called.calls[0].why == "bye"


@pytest.mark.parametrize("seed", range(20))
def test_a_call_survives_bad_weather(seed: int) -> None:
    """30 % loss, duplicates, reordering: both sides agree on the end, and nobody objects to anything."""
    pair = Pair(seed, Weather(delay=0.02, jitter=0.05, loss=0.3, duplicate=0.2, reorder=0.2))
    pair.called.manner = Manner(answers_after=1.0, talks_for=10.0)
    call = pair.caller.dial(Errand())
    pair.time.run(300.0)
    assert call.has_ended
    assert all(other.has_ended for other in pair.called.calls)
    assert pair.journal.complaints == []
    assert pair.time.next_at() is None


def test_one_seed_is_one_history() -> None:
    def history(seed: int) -> list[tuple[float, str]]:
        pair = Pair(seed, Weather(jitter=0.1, loss=0.3, duplicate=0.3))
        pair.caller.dial(Errand(hangs_up_after=20.0))
        pair.time.run(200.0)
        return pair.sent

    assert history(3) == history(3) != history(4)


def test_hold_and_resume_change_the_direction() -> None:
    """RFC 3264 8.4: sendonly is answered recvonly."""
    pair = Pair()
    pair.called.manner = Manner(answers_after=0.5)
    call = pair.caller.dial(Errand())
    pair.time.run(2.0)
    call.reinvite("sendonly")
    pair.time.run(3.0)
    called = pair.called.calls[0]
    assert (called.remote_sdp.direction, call.remote_sdp.direction) == ("sendonly", "recvonly")
    assert (called.remote_sdp.version, call.remote_sdp.version) == (2, 2)
