"""The domain name system, asked by the library ``dnspython`` (random ids and ports, TCP for long answers).

The node asks, this answers, once per question and never later than the node waits; what an answer means is
the node's business. Hosts of the system's hosts file come first, as everywhere else on the machine.
"""

import asyncio
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import dns.asyncresolver
import dns.exception
import dns.nameserver
import dns.resolver
import structlog

from kernel.outbox import Outbox
from seatswitch.shell.pump import Pump
from sip.resolve import ANSWER_WITHIN, Answer, Naptr, Question, Srv

HOSTS = Path("/etc/hosts")
HOSTS_TTL = 30.0  # seconds that a line of the hosts file is believed without another look
NEGATIVE_TTL = 60.0  # seconds for "there is none" without a word on how long (RFC 2308 5)
_TRY_WITHIN = 1.0  # seconds for one server
_TTL_NONE = 2**31 - 1  # dnspython's word for an answer without any TTL
_RECORDS_MAX = 64  # of one answer

log = structlog.get_logger()


class Names:
    """Asks for a node, by the servers given, else by those of the system."""

    def __init__(self, pump: Pump, servers: tuple[tuple[str, int], ...], hosts: Path = HOSTS) -> None:
        self._pump = pump
        self._hosts = hosts
        self._tasks: dict[Question, asyncio.Task[None]] = {}
        self._loop = asyncio.get_running_loop()
        self.reconfigure(servers)

    def reconfigure(self, servers: tuple[tuple[str, int], ...]) -> None:
        """Take other servers; questions that are out stay where they are."""
        try:
            resolver = dns.asyncresolver.Resolver(configure=not servers)
        except dns.resolver.NoResolverConfiguration:
            resolver = dns.asyncresolver.Resolver(configure=False)
            log.warning("! names cannot be resolved: the system names no server; give sip.dns")
        if servers:
            resolver.nameservers = [
                dns.nameserver.Do53Nameserver(host, port) for host, port in servers
            ]
        resolver.timeout, resolver.lifetime = _TRY_WITHIN, ANSWER_WITHIN - 0.5
        self._resolver = resolver

    def ask(self, questions: Outbox[Question]) -> None:
        """Ask; each answer is an input of the node, on a later round of the loop."""
        for question in questions.take():
            if question not in self._tasks:
                self._tasks[question] = self._loop.create_task(self._ask(question))

    async def stop(self) -> None:
        """Ask no more."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _ask(self, question: Question) -> None:
        try:
            answer = self._from_hosts(question) or await self._from_servers(question)
        finally:
            del self._tasks[question]
        self._pump.turn(self._pump.node.name_answered, question, answer)

    def _from_hosts(self, question: Question) -> Answer | None:
        family = {"A": 4, "AAAA": 6}.get(question.kind)
        if family is None:
            return None
        try:
            lines = self._hosts.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            return None
        found = []
        for line in lines:
            address, *names = line.partition("#")[0].split()[:_RECORDS_MAX] or [""]
            if question.name in (name.lower() for name in names) and _family(address) == family:
                found.append(address)
        return Answer(tuple(found[:_RECORDS_MAX]), HOSTS_TTL) if found else None

    async def _from_servers(self, question: Question) -> Answer:
        try:
            answer = await self._resolver.resolve(
                f"{question.name}.", question.kind, raise_on_no_answer=False, search=False
            )
        except dns.resolver.NXDOMAIN as error:
            missing: Any = error
            ttls = [_ttl(response.resolve_chaining()) for response in missing.responses().values()]
            return Answer((), min(ttls, default=NEGATIVE_TTL))
        except (dns.exception.DNSException, OSError, ValueError) as error:
            log.debug("! a name was not resolved", name=question.name, kind=question.kind, why=str(error))
            return Answer(is_known=False)
        ttl = _ttl(answer.chaining_result)
        if answer.rrset is None:
            return Answer((), ttl)
        read = _READERS[question.kind]
        return Answer(tuple(read(record) for record in list(answer.rrset)[:_RECORDS_MAX]), ttl)


def _ttl(chain: Any) -> float:
    ttl = float(chain.minimum_ttl)
    return NEGATIVE_TTL if ttl >= _TTL_NONE else ttl


def _family(address: str) -> int:
    try:
        return ip_address(address).version
    except ValueError:
        return 0


def _name(name: Any) -> str:
    """Return a domain name without the dot at its end, "" for the root."""
    return str(name.to_text(omit_final_dot=True)).lower().removesuffix(".")


def _text(value: bytes) -> str:
    return value.decode("ascii", "replace")


_READERS: dict[str, Callable[[Any], Any]] = {
    "A": lambda it: it.address,
    "AAAA": lambda it: it.address,
    "SRV": lambda it: Srv(it.priority, it.weight, it.port, _name(it.target)),
    "NAPTR": lambda it: Naptr(
        it.order, it.preference, _text(it.flags), _text(it.service), _name(it.replacement)
    ),
}
