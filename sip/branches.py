"""Branches: which transaction a message belongs to (RFC 3261 17.1.3, 17.2.3).

A key is one string, because it is made for every message and kept for every transaction. Requests of clients
older than RFC 3261, and those whose branch is only the magic cookie (RFC 4475 3.2.1), are matched by what
such clients keep constant.
"""

from sip.message import Request, Response

MAGIC_COOKIE = "z9hG4bK"


def has_cookie(branch: str) -> bool:
    """Return whether ``branch`` promises to be unique: the magic cookie and something behind it."""
    return len(branch) > 7 and (branch[:7] == MAGIC_COOKIE or branch[:7].lower() == "z9hg4bk")


def server_key(request: Request, method: str = "") -> str:
    """Return the key of the server transaction of ``request``; an ACK has its INVITE's.

    ``method`` asks for another transaction with the same branch: ``server_key(cancel, "INVITE")`` is the one
    to be cancelled.
    """
    method = method or request.method
    if method == "ACK":
        method = "INVITE"
    via = request.via
    branch = via.branch
    if has_cookie(branch):
        return f"{branch} {via.host}:{via.port} {method}"
    # To's tag is left out: an ACK has the one of our answer, which its INVITE did not have.
    number, _ = request.cseq
    return f"{request.call_id} {request.from_tag} {number} {request.uri} {via.raw} {method}"


def merge_key(request: Request) -> str:
    """Return what two copies of one request have in common that came over different ways (RFC 3261
    8.2.2.2).
    """
    number, method = request.cseq
    return f"{request.first['call-id']} {request.from_tag} {number} {method}"


def client_key(response: Response) -> str:
    """Return the key of the client transaction that ``response`` answers."""
    return f"{response.via.branch} {response.cseq[1]}"


def plain_client_key(response: Response) -> str:
    """Return :func:`client_key` of a response that repeats our Via and CSeq as we wrote them, without reading
    the rest of either; of another one some text that is no key.
    """
    first = response.first
    branch = first.get("via", "").partition(";branch=")[2].partition(";")[0]
    return f"{branch} {first.get('cseq', '').partition(' ')[2]}"


def client_key_of(branch: str, method: str) -> str:
    """Return the key of the client transaction we start with ``branch``."""
    return f"{branch} {method}"
