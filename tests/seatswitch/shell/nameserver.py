"""A stub name server on loopback: a table of records, and what a bad server does."""

import asyncio
from typing import cast

import dns.flags
import dns.message
import dns.rcode
import dns.rrset


class NameServer(asyncio.DatagramProtocol):
    """Answers from ``records``: (kind, name) -> (ttl, records as in a zone file)."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], tuple[int, list[str]]] = {}
        self.asked: list[tuple[str, str]] = []
        self.is_silent = False
        self.rcode = dns.rcode.NOERROR
        self.forges = False  # sends an answer with another id first
        self.port = 0
        self._transport: asyncio.DatagramTransport | None = None

    async def start(self) -> "NameServer":
        """Listen on a port of 127.0.0.1."""
        loop = asyncio.get_running_loop()
        transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self.port = transport.get_extra_info("sockname")[1]
        return self

    def stop(self) -> None:
        """Listen no more."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, source: tuple[str, int]) -> None:
        """Answer one question."""
        query = dns.message.from_wire(data)
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        name = question.name.to_text(omit_final_dot=True).lower()
        self.asked.append((kind, name))
        if self.is_silent or self._transport is None:
            return
        response = dns.message.make_response(query)
        response.set_rcode(self.rcode)
        found = self.records.get((kind, name))
        if found is not None:
            response.answer.append(dns.rrset.from_text(question.name, found[0], "IN", kind, *found[1]))
        elif self.rcode == dns.rcode.NOERROR:
            if not any(known == name for _, known in self.records):
                response.set_rcode(dns.rcode.NXDOMAIN)
            soa = "ns.example. admin.example. 1 3600 600 86400 42"
            response.authority.append(dns.rrset.from_text("example.", 900, "IN", "SOA", soa))
        if self.forges:
            forged = dns.message.make_response(query)
            forged.id = query.id ^ 1
            forged.answer.append(dns.rrset.from_text(question.name, 60, "IN", "A", "127.0.0.9"))
            self._transport.sendto(forged.to_wire(), source)
        self._transport.sendto(response.to_wire(), source)
