"""What strangers can hand us, one function each: it takes bytes and raises if anything but a refusal comes of
them. A refusal is a SipError (or a JSON-RPC error); whatever else is raised here is a bug.
"""

import json
from collections.abc import Callable
from pathlib import Path

from sip.address import build_address, parse_address, parse_addresses
from sip.digest import Nonces, answer_challenge, check_answer, parse_challenge, parse_credentials
from sip.grammar import SipError
from sip.headers import (
    parse_cseq,
    parse_delta,
    parse_dialog_reference,
    parse_q,
    parse_rack,
    parse_via,
    tokens,
)
from sip.known import Known
from sip.message import Request, Response, build_response
from sip.negotiation import SdpSide
from sip.parser import KEEPALIVE, Keepalive, StreamParser, check_request, check_response, parse_message
from sip.sdp import Descriptions, parse_sdp
from sip.settings import Secret
from sip.uri import parse_uri, same_uri
from tests.seatswitch.api.stub import Office
from tests.sip.scene import OURS, SDP, TRUNK, Scene, request

HERE = Path(__file__).resolve().parent
TORTURE = HERE.parent / "data" / "torture"
SOURCE = ("192.0.2.1", 5063)
TYPED = ("vias", "contacts", "routes", "record_routes", "from_", "to", "cseq", "call_id", "header_lines")
CODECS = ("PCMU", "PCMA")
STATED_AFTER = 200  # inputs that one office sees before it makes place for a new one


def ask(message: Request | Response) -> None:
    """Ask a message for everything it can be asked for."""
    for name in TYPED:
        try:
            getattr(message, name)
        except SipError:
            continue
    for value in (value for name in ("require", "supported", "allow") for value in message.headers(name)):
        try:
            tokens([value])
        except SipError:
            continue


def assert_safe(data: bytes) -> Request | Response:
    """Assert that a message of ours can be read, and that no line of it was broken by a foreign value."""
    head = data.partition(b"\r\n\r\n")[0]
    assert head.count(b"\r") == head.count(b"\n") == head.count(b"\r\n"), data
    return parse_message(data)


def answered(request: Request) -> None:
    """Answer a request that may be broken; what is echoed comes back as it went."""
    for status in (100, 200, 400):
        answer = assert_safe(build_response(request, status, to_tag="ours", received=SOURCE))
        assert isinstance(answer, Response)
        assert answer.status == status
        for name in ("from", "call-id", "cseq"):
            assert _wire(answer.header(name)) == _wire(request.header(name)), name


def _wire(value: str | None) -> bytes:
    return (value or "").encode("utf-8", "surrogateescape")


def message(data: bytes) -> None:
    """One datagram: read, checked, asked, answered, and the answer read again."""
    try:
        found = parse_message(data)
    except SipError as error:
        if error.salvaged is not None:
            answered(error.salvaged)
        return
    ask(found)
    try:
        if isinstance(found, Request):
            check_request(found, Known())
        else:
            check_response(found)
    except SipError:
        pass
    else:
        # What was checked needs no care any more: these do not raise.
        assert found.via.branch is not None
        assert found.call_id
        assert 0 <= found.cseq[0] < 2**31
    if isinstance(found, Request) and all(name in found.first for name in ("via", "from", "call-id", "cseq")):
        answered(found)


def stream(data: bytes) -> None:
    """The bytes of one connection say the same in one piece and in many."""
    size = data[0] % 97 + 1 if data else 1
    whole, pieces = StreamParser(), StreamParser()
    at_once = whole.feed(data)
    bit_by_bit = [one for at in range(0, len(data), size) for one in pieces.feed(data[at : at + size])]
    assert whole.broken == pieces.broken
    assert said(at_once) == said(bit_by_bit)


def said(found: list[Request | Response | SipError | Keepalive]) -> list[tuple[str, bytes]]:
    """Return what a connection's bytes said: messages and the refusal, and whether there was a ping."""
    told = [("ping", b"")] if KEEPALIVE in found else []
    for one in found:
        if isinstance(one, Request | Response):
            told.append(("\r\n".join(one.lines), one.body))
        elif isinstance(one, SipError):
            told.append((str(one), b""))
    return told


def sdp(data: bytes) -> None:
    """A body: read, answered, and what is known again says what is read anew."""
    side = SdpSide()
    for attempt in (
        lambda: side.answer(data, "127.0.0.1", 40000, CODECS),
        lambda: _offered().accept(data),
    ):
        try:
            attempt()
        except SipError:
            continue
    try:
        fresh = parse_sdp(data)
    except SipError:
        fresh = None
    descriptions = Descriptions()
    for _ in range(2):
        try:
            known, port = descriptions.read(data)
        except SipError:
            assert fresh is None, "the short way refuses what the long way takes"
            continue
        assert fresh is not None, "the short way takes what the long way refuses"
        assert port == (fresh.media[0].port if fresh.media else 0)
        assert [media.rtpmaps for media in known.media] == [media.rtpmaps for media in fresh.media]


def _offered() -> SdpSide:
    side = SdpSide()
    side.offer("127.0.0.1", 40000, CODECS)
    return side


def _is_value(text: str) -> bool:
    """A header value holds no break: the message parser lets none through."""
    return not ("\r" in text or "\n" in text or "\0" in text)


def address(data: bytes) -> None:
    """URIs and addresses: what was read and written is read as the same."""
    text = data.decode("utf-8", "surrogateescape")
    if not _is_value(text):
        return
    try:
        uri = parse_uri(text)
    except SipError:
        pass
    else:
        again = parse_uri(str(uri))
        assert str(again) == str(uri)
        assert same_uri(uri, again)
        assert (uri.user, uri.headers) == (again.user, again.headers)
    for read in (parse_cseq, parse_delta, parse_dialog_reference, parse_q, parse_rack, parse_via):
        try:
            read(text)
        except SipError:
            continue
    try:
        one = parse_address(text)
    except SipError:
        pass
    else:
        again_one = parse_address(build_address(one.uri, one.display, one.params))
        assert (again_one.uri, again_one.params) == (one.uri, one.params)
        assert again_one.display == one.display
    try:
        several = parse_addresses(text)
    except SipError:
        return
    for each in several:
        try:
            same_uri(each.parsed, each.parsed)
        except SipError:
            continue


def digest(data: bytes) -> None:
    """Credentials and challenges of strangers; nobody gets in who does not know the password."""
    text = data.decode("utf-8", "surrogateescape")
    if not _is_value(text):
        return
    secret = Secret(password="right")
    nonces = Nonces("key", 300)
    try:
        credentials = parse_credentials(text)
        parse_challenge(text)
    except SipError:
        return
    if credentials is None:
        return
    assert not check_answer(credentials, None, "REGISTER", data)
    assert not check_answer(credentials, secret, "REGISTER", data, realm="ours")
    assert not nonces.is_fresh(credentials.nonce, "127.0.0.1", 1.0)
    assert 0 <= credentials.nc < 2**32
    written = answer_challenge([text], "8001", secret, "REGISTER", "sip:r", b"", "c")
    if written:
        answer = parse_credentials(written)
        assert answer is not None
        assert check_answer(answer, secret, "REGISTER", b"")


class _Offices:
    """The API of a node with three connections; a new one now and then, because what is asked changes it."""

    def __init__(self) -> None:
        self.left = 0

    def take(self) -> Office:
        """Return the office for the next input."""
        if not self.left:
            self.office = Office()
            self.office.desk()
            self.office.desk("admin")
            self.office.desk().sign_in()
            self.left = STATED_AFTER
        self.left -= 1
        return self.office


_OFFICES = _Offices()


def rpc(data: bytes) -> None:
    """One JSON text from a stranger, an operator and a seat: answered or not, never with "internal error"."""
    office = _OFFICES.take()
    for desk in office.desks.values():
        for answer in desk.say(data):
            text = json.dumps(answer)
            assert "-32603" not in text, text


def stack(data: bytes) -> None:
    """A whole stack in a call: bytes from the trunk, as a datagram; then a minute passes."""
    scene = Scene()
    scene.receive(_INVITE, TRUNK)
    session = scene.told[-1].session
    scene.stack.answer(session, OURS, scene.now)
    scene.collect()
    ours = session.local_tag.encode()
    for part in data.split(_BETWEEN)[:8]:
        scene.receive(part.replace(b"OURTAG", ours), TRUNK)
    scene.advance(60)


_INVITE = request("INVITE", body=SDP)
_IN_DIALOG = "<sip:96198@example.com>;tag=OURTAG"
_STORY = [
    request("ACK", branch="z9hG4bKack", to=_IN_DIALOG),
    request("INVITE", branch="z9hG4bKre", to=_IN_DIALOG, cseq=2, body=SDP),
    request("INFO", branch="z9hG4bKinfo", to=_IN_DIALOG, cseq=3, body=b"Signal=1\r\nDuration=160\r\n"),
    request(
        "UPDATE", branch="z9hG4bKup", to=_IN_DIALOG, cseq=4, headers=("Session-Expires: 90;refresher=uac",)
    ),
    request(
        "REFER", branch="z9hG4bKref", to=_IN_DIALOG, cseq=5, headers=("Refer-To: <sip:8002@example.com>",)
    ),
    request("BYE", branch="z9hG4bKbye", to=_IN_DIALOG, cseq=6),
]
_BETWEEN = b"\n--next--\n"

TARGETS: dict[str, Callable[[bytes], None]] = {
    "message": message,
    "stream": stream,
    "sdp": sdp,
    "address": address,
    "digest": digest,
    "rpc": rpc,
    "stack": stack,
}
_TORTURED = ("message", "stream", "stack")  # start from whole messages


def seeds(target: str) -> list[bytes]:
    """Return the inputs a target starts from: the torture messages, or its file in ``corpus``, where one line
    is one input; and what searches have found to reach other code, escaped as in a literal of Python.
    """
    path = HERE / "corpus" / "found" / f"{target}.txt"
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [*_first_seeds(target), *(line.decode("unicode_escape").encode("latin-1") for line in lines)]


def _first_seeds(target: str) -> list[bytes]:
    if target in _TORTURED:
        found = [path.read_bytes() for path in sorted(TORTURE.rglob("*.dat"))]
        if target == "stack":
            found += [*_STORY, _BETWEEN.join(_STORY)]
        return [*found, _INVITE]
    lines = (HERE / "corpus" / f"{target}.txt").read_bytes().splitlines()
    if target == "sdp":
        lines = [line.replace(b"\\r", b"\r").replace(b"\\n", b"\n") for line in lines]
    return [line for line in lines if line]
