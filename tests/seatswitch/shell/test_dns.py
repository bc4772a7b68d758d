"""The domain name system over real sockets, against a stub server on loopback."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import dns.rcode
import pytest
import pytest_asyncio

from kernel.outbox import Outbox
from seatswitch.shell.dns import NEGATIVE_TTL, Names
from seatswitch.shell.pump import Exits, Pump
from sip.resolve import Answer, Naptr, Question, Srv
from tests.seatswitch.shell.nameserver import NameServer
from tests.seatswitch.shell.stubs import StubApi, StubNode, until


class Asking:
    """A node that asks, and its answers."""

    def __init__(self, servers: tuple[tuple[str, int], ...], hosts: Path) -> None:
        self.node = StubNode()
        exits = Exits()
        self.pump = Pump(asyncio.get_running_loop(), self.node, StubApi(), exits)
        self.names = exits.names = Names(self.pump, servers, hosts)

    async def ask(self, kind: str, name: str) -> Answer:
        before = len(self.node.heard("name"))
        self.node.stack.questions.put(Question(kind, name))
        self.pump.turn(lambda now: None)
        assert not self.node.stack.questions
        await until(lambda: len(self.node.heard("name")) > before, f"the answer to {kind} {name}")
        _, question, answer = self.node.heard("name")[-1]
        assert question == Question(kind, name)
        assert isinstance(answer, Answer)
        return answer


@pytest_asyncio.fixture
async def server() -> AsyncIterator[NameServer]:
    one = await NameServer().start()
    one.records = {
        ("NAPTR", "carrier.example"): (300, ['50 60 "s" "SIP+D2T" "" _sip._tcp.Carrier.example.']),
        ("SRV", "_sip._tcp.carrier.example"): (200, ["1 70 5070 A.carrier.example."]),
        ("SRV", "_sip._udp.carrier.example"): (200, ["0 0 0 ."]),
        ("A", "a.carrier.example"): (100, ["127.0.0.2", "127.0.0.3"]),
        ("AAAA", "a.carrier.example"): (100, ["::1"]),
    }
    yield one
    one.stop()


@pytest.mark.asyncio
async def test_every_kind_of_record(server: NameServer, tmp_path: Path) -> None:
    asking = Asking((("127.0.0.1", server.port),), tmp_path / "none")
    naptr = Naptr(50, 60, "s", "SIP+D2T", "_sip._tcp.carrier.example")
    assert await asking.ask("NAPTR", "carrier.example") == Answer((naptr,), 300.0)
    srv = Srv(1, 70, 5070, "a.carrier.example")
    assert await asking.ask("SRV", "_sip._tcp.carrier.example") == Answer((srv,), 200.0)
    nowhere = Srv(0, 0, 0, "")
    assert await asking.ask("SRV", "_sip._udp.carrier.example") == Answer((nowhere,), 200.0)
    found = await asking.ask("A", "a.carrier.example")
    assert (sorted(found.records), found.ttl) == (["127.0.0.2", "127.0.0.3"], 100.0)
    assert await asking.ask("AAAA", "a.carrier.example") == Answer(("::1",), 100.0)


@pytest.mark.asyncio
async def test_none_is_an_answer_that_holds_as_long_as_the_zone_says(
    server: NameServer, tmp_path: Path
) -> None:
    """RFC 2308 5: the lesser of the SOA's TTL and its minimum, for no name and for no such record."""
    asking = Asking((("127.0.0.1", server.port),), tmp_path / "none")
    assert await asking.ask("A", "nobody.example") == Answer((), 42.0)
    assert await asking.ask("A", "carrier.example") == Answer((), 42.0)
    assert NEGATIVE_TTL == 60.0


@pytest.mark.asyncio
@pytest.mark.parametrize("how", ["refused", "servfail", "silent", "nobody listens"])
async def test_no_answer_is_told_and_blocks_nothing(
    server: NameServer, tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While a server is silent, the loop goes on and other questions are answered."""
    monkeypatch.setattr("seatswitch.shell.dns._TRY_WITHIN", 0.1)
    monkeypatch.setattr("seatswitch.shell.dns.ANSWER_WITHIN", 0.8)
    port = server.port
    if how == "nobody listens":
        server.stop()
        await asyncio.sleep(0)
    server.is_silent = how == "silent"
    if how in ("refused", "servfail"):
        server.rcode = {"refused": dns.rcode.REFUSED, "servfail": dns.rcode.SERVFAIL}[how]
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.5 near.example\n")
    asking = Asking((("127.0.0.1", port),), hosts)
    far, near = Question("SRV", "_sip._udp.far.example"), Question("A", "near.example")
    asking.node.stack.questions.extend((far, near))
    asking.pump.turn(lambda now: None)
    await until(lambda: len(asking.node.heard("name")) == 2, "both answers")
    answers = {question: answer for _, question, answer in asking.node.heard("name")}
    assert answers == {near: Answer(("127.0.0.5",), 30.0), far: Answer(is_known=False)}
    assert how != "silent" or asking.node.heard("name")[0][1] == near


@pytest.mark.asyncio
async def test_an_answer_with_a_foreign_id_is_not_taken(server: NameServer, tmp_path: Path) -> None:
    """Off-path poison: dnspython compares id, question and source."""
    server.forges = True
    asking = Asking((("127.0.0.1", server.port),), tmp_path / "none")
    found = await asking.ask("A", "a.carrier.example")
    assert sorted(found.records) == ["127.0.0.2", "127.0.0.3"]


@pytest.mark.asyncio
async def test_the_hosts_file_comes_first(server: NameServer, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("# ours\n127.0.0.7 x A.Carrier.example # here\n::1 localhost\njunk a.carrier.example\n")
    asking = Asking((("127.0.0.1", server.port),), hosts)
    assert await asking.ask("A", "a.carrier.example") == Answer(("127.0.0.7",), 30.0)
    assert await asking.ask("AAAA", "localhost") == Answer(("::1",), 30.0)
    assert server.asked == []


@pytest.mark.asyncio
async def test_a_question_is_out_once_and_stops_with_the_switch(server: NameServer, tmp_path: Path) -> None:
    server.is_silent = True
    asking = Asking((("127.0.0.1", server.port),), tmp_path / "none")
    box: Outbox[Any] = Outbox()
    box.put(Question("A", "a.example"))
    asking.names.ask(box)
    box.put(Question("A", "a.example"))
    asking.names.ask(box)
    await until(lambda: bool(server.asked), "the question")
    assert server.asked == [("A", "a.example")]
    await asking.names.stop()
    assert not asking.names._tasks
    assert asking.node.heard("name") == []


@pytest.mark.asyncio
async def test_other_servers_are_taken_on_a_reload(server: NameServer, tmp_path: Path) -> None:
    other = await NameServer().start()
    other.records = {("A", "a.carrier.example"): (50, ["127.0.0.8"])}
    asking = Asking((("127.0.0.1", server.port),), tmp_path / "none")
    asking.names.reconfigure((("127.0.0.1", other.port),))
    assert await asking.ask("A", "a.carrier.example") == Answer(("127.0.0.8",), 50.0)
    other.stop()
