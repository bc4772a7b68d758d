"""Which addresses media may be sent to.

SDP is a stranger's word: it must not make the switch send to a group, to a whole network, to nowhere or to
its own sockets.
"""

PORT_MIN = 1024  # no RTP lives below; DNS, SNMP and NTP, which answer with more than they get, do
PORT_MAX = 65_535

_SHARED = range(64, 128)  # 100.64.0.0/10, RFC 6598
_PRIVATE_172 = range(16, 32)  # 172.16.0.0/12, RFC 1918


def parse_ipv4(host: str) -> tuple[int, int, int, int] | None:
    """Return the four numbers of a dotted quad, or None for anything else (names are not resolved)."""
    parts = host.split(".")
    if len(parts) != 4:
        return None
    numbers = [int(part) if part.isascii() and part.isdigit() and len(part) <= 3 else 256 for part in parts]
    if max(numbers) > 255:
        return None
    return numbers[0], numbers[1], numbers[2], numbers[3]


def may_be_sent_to(host: str, port: int) -> bool:
    """Return whether ``host`` is a unicast IPv4 address and ``port`` one that RTP may have."""
    quad = parse_ipv4(host)
    return quad is not None and 0 < quad[0] < 224 and PORT_MIN <= port <= PORT_MAX


def is_private(host: str) -> bool:
    """Return whether packets of ``host`` can come from another address: RFC 1918, 3927 and 6598 networks,
    and names.
    """
    quad = parse_ipv4(host)
    if quad is None:
        return True
    first, second = quad[0], quad[1]
    return (
        first == 10
        or (first == 172 and second in _PRIVATE_172)
        or (first == 192 and second == 168)
        or (first == 169 and second == 254)
        or (first == 100 and second in _SHARED)
    )
