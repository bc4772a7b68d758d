"""What other SIP libraries need for one message; run by the Python of the environment they are in.

``bench_parser`` calls it with the message on standard input: ``python parser_peers.py NAME`` prints JSON, the
median microseconds of CPU to read the message and take what routing looks at (``read``), and to write it.
Nothing of this project is imported here.
"""

import json
import sys
from collections.abc import Callable
from statistics import median
from time import process_time_ns
from timeit import repeat
from typing import Any

NUMBER, ROUNDS = 100, 15


def sippy(data: bytes) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Sippy Software's B2BUA (PyPI sippy)."""
    from sippy.SipRequest import SipRequest

    text = data.decode()

    def read() -> object:
        m = SipRequest(text)
        via = m.getHFBody("via")
        ends = (
            str(m.getHFBody("call-id")),
            m.getHFBody("cseq").getCSeqNum(),
            m.getHFBody("from").getTag(),
            m.getHFBody("to").getTag(),
            m.getHFBody("contact").getUrl(),
            m.getHFBody("max-forwards").getNum(),
        )
        return (m.getMethod(), m.getRURI(), via.getBranch(), via.getAddr(), ends)

    read()
    message = SipRequest(text)
    message.parse_lazy = True
    return read, lambda: str(message)


def sipmessage(data: bytes) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """Jeremy Lainé's parser (PyPI sipmessage)."""
    from sipmessage import Message

    def read() -> object:
        m: Any = Message.parse(data)
        via = m.via[0]
        ends = (m.call_id, m.cseq, m.from_address, m.to_address, m.contact, m.max_forwards)
        return (m.method, m.uri, via.parameters, via.host, via.port, ends)

    read()
    message: Any = Message.parse(data)
    return read, lambda: bytes(message)


PEERS = {"sippy": sippy, "sipmessage": sipmessage}


def main() -> None:
    """Measure one peer."""
    read, write = PEERS[sys.argv[1]](sys.stdin.buffer.read())
    found = {}
    for name, operation in (("read", read), ("write", write)):
        runs = repeat(operation, number=NUMBER, repeat=ROUNDS, timer=process_time_ns)
        found[name] = median(runs) / NUMBER / 1000
    print(json.dumps(found))


if __name__ == "__main__":
    main()
