import asyncio
import contextlib
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from config.schema import TlsSettings
from kernel.errors import OperatorError
from seatswitch.shell.pump import Exits, Pump
from seatswitch.shell.stream import Streams
from seatswitch.shell.tls import Certificates, verified_names
from seatswitch.shell.udp import bind_socket
from sip.flows import Flow
from tests.certificates import Authority
from tests.seatswitch.shell.stubs import StubApi, StubNode, until


def settings_of(authority: Authority, *names: str, **changes: Any) -> TlsSettings:
    certificate, key = authority.issue(*names)
    base = {"certificate": str(certificate), "key": str(key), "ca": str(authority.ca)}
    return TlsSettings(**(base | changes))


def serving(certificates: Certificates, **options: Any) -> tuple[StubNode, Streams]:
    node, exits = StubNode(), Exits()
    pump = Pump(asyncio.get_running_loop(), node, StubApi(), exits)
    streams = exits.streams = Streams(pump, certificates=certificates, **options)
    return node, streams


def listen(streams: Streams, transport: str = "tls") -> tuple[str, int]:
    bound = bind_socket("sip.listen", "tcp", "127.0.0.1", 0)
    address: tuple[str, int] = bound.getsockname()
    streams.listen(bound, 0, transport)
    return address


async def finish(streams: Streams) -> None:
    await streams.stop()
    await until(lambda: len(streams) == 0, "the last connection's end")


def trusting(authority: Authority, certificate: tuple[Path, Path] | None = None) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.ca))
    if certificate is not None:
        context.load_cert_chain(*map(str, certificate))
    return context


async def test_sip_over_tls_passes_both_ways(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    node, streams = serving(Certificates(settings_of(authority, "127.0.0.1")))
    address = listen(streams)
    reader, writer = await asyncio.open_connection(*address, ssl=trusting(authority))
    tls = writer.get_extra_info("ssl_object")
    assert tls.version() in ("TLSv1.2", "TLSv1.3")
    writer.write(b"OPTIONS sip:a SIP/2.0\r\n")
    await until(lambda: node.heard("stream"), "the request")
    _, data, flow = node.heard("stream")[0]
    assert (data, flow[:3]) == (b"OPTIONS sip:a SIP/2.0\r\n", ("tls", 0, "127.0.0.1"))
    assert not node.heard("verified")  # nobody asked for a certificate
    streams.send(flow, b"SIP/2.0 200 OK\r\n")
    assert await reader.readexactly(16) == b"SIP/2.0 200 OK\r\n"
    writer.close()
    await until(lambda: node.heard("closed"), "the close")
    await finish(streams)


async def test_old_tls_is_refused(tmp_path: Path) -> None:
    """RFC 8996: TLS 1.2 at least."""
    authority = Authority(tmp_path)
    node, streams = serving(Certificates(settings_of(authority, "127.0.0.1")))
    address = listen(streams)
    old = trusting(authority)
    old.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        old.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection(*address, ssl=old)
    await until(lambda: len(streams) == 0, "nothing left")
    assert not node.heard("stream")
    await finish(streams)


async def test_silent_handshake_ends_and_counts_from_its_first_packet(tmp_path: Path) -> None:
    """Who connects and never begins TLS holds a place for a moment only."""
    authority = Authority(tmp_path)
    certificates = Certificates(settings_of(authority, "127.0.0.1"))
    _, streams = serving(certificates, handshake_after=0.1)
    address = listen(streams)
    reader, writer = await asyncio.open_connection(*address)
    with contextlib.suppress(ConnectionResetError):
        assert await reader.read() == b""
    await until(lambda: len(streams) == 0, "its place is free")
    assert streams.failed_handshakes == 1
    writer.close()
    await finish(streams)


async def test_plain_text_at_a_tls_port_is_closed(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    node, streams = serving(Certificates(settings_of(authority, "127.0.0.1")))
    address = listen(streams)
    reader, writer = await asyncio.open_connection(*address)
    writer.write(b"OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/TCP h\r\n\r\n")
    with contextlib.suppress(ConnectionResetError):
        await reader.read()
    await until(lambda: len(streams) == 0, "nothing left")
    assert not node.heard("stream")
    writer.close()
    await finish(streams)


@pytest.mark.parametrize(("verify", "shows", "is_taken"), [
    ("offered", True, True), ("offered", False, True), ("always", True, True), ("always", False, False),
])  # fmt: skip
async def test_client_certificates(tmp_path: Path, verify: str, shows: bool, is_taken: bool) -> None:
    """A verified certificate is told with its names before the first message; RFC 5922 7.1."""
    authority = Authority(tmp_path)
    settings = settings_of(authority, "127.0.0.1", verify_clients=verify)
    client = authority.issue("sip.carrier.example")
    node, streams = serving(Certificates(settings))
    address = listen(streams)
    with contextlib.suppress(OSError):
        _, writer = await asyncio.open_connection(
            *address, ssl=trusting(authority, client if shows else None)
        )
        writer.write(b"INVITE")
        if is_taken:
            await until(lambda: node.heard("stream"), "the request")
        writer.close()
    await until(lambda: len(streams) == 0, "the end")
    assert bool(node.heard("stream")) is is_taken
    names = [it[2] for it in node.heard("verified")]
    assert names == ([("sip.carrier.example",)] if shows else [])
    if shows:
        assert [it[0] for it in node.inputs[:2]] == ["verified", "stream"]
    await finish(streams)


async def test_client_certificate_of_a_stranger_is_refused(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    settings = settings_of(authority, "127.0.0.1", verify_clients="offered")
    node, streams = serving(Certificates(settings))
    address = listen(streams)
    stranger = Authority(tmp_path, "other").issue("sip.carrier.example")
    with contextlib.suppress(OSError):
        reader, writer = await asyncio.open_connection(*address, ssl=trusting(authority, stranger))
        writer.write(b"INVITE")
        await reader.read()
    await until(lambda: len(streams) == 0, "the end")
    assert not node.heard("verified")
    assert not node.heard("stream")
    await finish(streams)


class Trunk:
    """A TLS server that keeps what it hears."""

    def __init__(self, authority: Authority, *names: str, not_after: datetime | None = None) -> None:
        self.heard = b""
        self.accepted = 0
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(*map(str, authority.issue(*names, file="trunk", not_after=not_after)))

    async def start(self) -> tuple[str, int]:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.context)
        address: tuple[str, int] = self._server.sockets[0].getsockname()
        return address

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.accepted += 1
        with contextlib.suppress(OSError):
            while data := await reader.read(1000):
                self.heard += data
        writer.close()

    def close(self) -> None:
        self._server.close()


async def test_trunk_is_called_and_its_name_is_checked(tmp_path: Path) -> None:
    """RFC 5922 7.2: the certificate must be for the domain that was asked for, not for the address."""
    authority = Authority(tmp_path)
    trunk = Trunk(authority, "sip.carrier.example")
    address = await trunk.start()
    node, streams = serving(Certificates(settings_of(authority, "127.0.0.1")))
    flow = Flow("tls", 0, *address, 0, "sip.carrier.example")
    streams.send(flow, b"one ")
    await until(lambda: trunk.heard == b"one ", "the first message")
    streams.send(flow, b"two")
    await until(lambda: trunk.heard == b"one two", "the second, over the same connection")
    assert trunk.accepted == 1
    for wrong in (flow._replace(name="other.example"), flow._replace(name="")):
        streams.send(wrong, b"secret")
        await until(lambda wrong=wrong: ("failed", wrong) in node.inputs, "the refusal")  # type: ignore[misc]
    assert trunk.heard == b"one two"
    assert streams.failed_handshakes == 2
    await finish(streams)
    trunk.close()


async def test_trunk_whose_certificate_has_expired_is_not_called(tmp_path: Path) -> None:
    """A-TLS: the right name of the right authority, a day too late."""
    authority = Authority(tmp_path)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    trunk = Trunk(authority, "sip.carrier.example", not_after=yesterday)
    address = await trunk.start()
    node, streams = serving(Certificates(settings_of(authority, "127.0.0.1")))
    flow = Flow("tls", 0, *address, 0, "sip.carrier.example")
    streams.send(flow, b"secret")
    await until(lambda: ("failed", flow) in node.inputs, "the refusal")
    assert trunk.heard == b""
    await finish(streams)
    trunk.close()


async def test_trunk_with_old_tls_is_not_called(tmp_path: Path) -> None:
    """A-TLS, RFC 8996: a trunk that knows TLS 1.0 and 1.1 alone."""
    authority = Authority(tmp_path)
    trunk = Trunk(authority, "sip.carrier.example")
    trunk.context.set_ciphers("ALL:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        trunk.context.minimum_version = ssl.TLSVersion.TLSv1
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        trunk.context.maximum_version = ssl.TLSVersion.TLSv1_1
    address = await trunk.start()
    node, streams = serving(Certificates(settings_of(authority, "127.0.0.1")))
    flow = Flow("tls", 0, *address, 0, "sip.carrier.example")
    streams.send(flow, b"secret")
    await until(lambda: ("failed", flow) in node.inputs, "the refusal")
    assert trunk.heard == b""
    await finish(streams)
    trunk.close()


@pytest.mark.parametrize("name", ["x" * 60 + ".example", "sip.carrier.example", "a_b.-c"])
async def test_whatever_name_a_client_asks_for_it_gets_our_certificate(tmp_path: Path, name: str) -> None:
    """A-TLS, SNI junk: the handshake ends as it would, and the next client is served."""
    authority = Authority(tmp_path)
    node, streams = serving(Certificates(settings_of(authority, "127.0.0.1")))
    address = listen(streams)
    context = trusting(authority)
    context.check_hostname = False
    _, writer = await asyncio.open_connection(*address, ssl=context, server_hostname=name)
    writer.write(b"OPTIONS")
    await until(lambda: node.heard("stream"), "the request")
    writer.close()
    await finish(streams)


async def test_server_that_need_not_be_verified(tmp_path: Path) -> None:
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    trunk = Trunk(other, "whoever.example")
    address = await trunk.start()
    settings = settings_of(authority, "127.0.0.1", verify_servers=False)
    _, streams = serving(Certificates(settings))
    streams.send(Flow("tls", 0, *address), b"hello")
    await until(lambda: trunk.heard == b"hello", "the message")
    await finish(streams)
    trunk.close()


async def test_new_certificate_serves_new_connections_and_drops_none(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    node, streams = serving(Certificates(settings_of(authority, "127.0.0.1")))
    address = listen(streams)
    _, first = await asyncio.open_connection(*address, ssl=trusting(authority))
    before = first.get_extra_info("ssl_object").getpeercert()["serialNumber"]
    streams.reconfigure(streams.settings, Certificates(settings_of(authority, "127.0.0.1")))
    _, second = await asyncio.open_connection(*address, ssl=trusting(authority))
    after = second.get_extra_info("ssl_object").getpeercert()["serialNumber"]
    assert before != after
    first.write(b"still here")
    await until(lambda: node.heard("stream"), "the old connection speaks")
    first.close()
    second.close()
    await finish(streams)


def test_what_is_wrong_with_the_files_is_said(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue("one.example")
    _, other = authority.issue("two.example")
    junk, locked = tmp_path / "junk.pem", tmp_path / "locked.pem"
    junk.write_text("no certificate at all")
    locked.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\n")
    gone = tmp_path / "gone.pem"
    base = {"certificate": str(certificate), "key": str(key), "verify_servers": False}
    nothing, password = "No such file or directory", "nobody is there to type the password: decrypt it"
    for changes, message in (
        ({"certificate": str(gone)}, f"certificate: {gone} cannot be read ({nothing})"),
        ({"certificate": str(junk)}, f"certificate: {junk} holds no certificate in PEM form"),
        ({"key": str(gone)}, f"key: {gone} cannot be read ({nothing})"),
        ({"key": str(tmp_path)}, f"key: {tmp_path} cannot be read (Is a directory)"),
        ({"key": str(junk)}, f"key: {junk} holds no private key in PEM form"),
        ({"key": ""}, f"key: {certificate} holds no private key in PEM form"),
        ({"key": str(other)}, f"key: {other} is not the key of the certificate {certificate}"),
        ({"key": str(locked)}, f"key: {locked} is encrypted and {password}"),
        ({"ca": str(gone), "verify_servers": True}, f"ca: {gone} cannot be read ({nothing})"),
    ):
        with pytest.raises(OperatorError) as caught:
            Certificates(TlsSettings(**(base | changes)))  # type: ignore[arg-type]
        assert str(caught.value) == f"sip.tls.{message}"
    with pytest.raises(OperatorError, match=r"sip\.tls\.ca: .*junk\.pem holds no certificate"):
        Certificates(TlsSettings(str(certificate), str(key), str(junk)))


def test_names_of_a_certificate() -> None:
    """RFC 5922 7.1: SIP URIs without a user, DNS names; nothing of the subject."""
    shown = {
        "subject": ((("commonName", "evil.example"),),),
        "subjectAltName": (
            ("DNS", "SIP.Carrier.example"),
            ("URI", "sip:carrier.example"),
            ("URI", "sip:user@carrier.example"),
            ("email", "a@b"),
            ("IP Address", "203.0.113.7"),
        ),
    }
    assert verified_names(shown) == ("sip.carrier.example", "carrier.example", "203.0.113.7")
    assert verified_names(None) == ()
