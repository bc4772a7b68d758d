"""The bad network does what it says, about as often as it says."""

import socket
from functools import partial

from tests.interop.impair import Impair
from tests.wire.switch import wait_until


def has_come(network: Impair, count: int) -> bool:
    return network.counts["in"] == count


def read_all(sock: socket.socket) -> list[int]:
    """Return what comes until nothing has come for longer than anything is kept back."""
    seen = []
    while True:
        try:
            seen.append(int(sock.recv(99)))
        except TimeoutError:
            return seen


def test_datagrams_are_lost_doubled_and_late_at_the_rates_asked_for() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        server.bind(("127.0.0.1", 0))
        server.settimeout(0.05)
        client.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
        with Impair("127.0.0.3", "127.0.0.1", [port], late=0.01) as network:
            seen: list[int] = []
            for number in range(1_000):
                client.sendto(b"%d" % number, ("127.0.0.3", port))
                if number % 50 == 49:  # more at once would not fit into a socket's buffer
                    wait_until("all came", partial(has_come, network, number + 1))
                    seen += read_all(server)
            counts = network.counts
        assert counts["in"] == 1_000
        assert 70 <= counts["lost"] <= 130
        assert 30 <= counts["duplicated"] <= 70
        assert len(seen) == 1_000 - counts["lost"] + counts["duplicated"]
        assert seen != sorted(seen)


def test_answers_find_their_way_back() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client,
    ):
        for sock in (server, client):
            sock.bind(("127.0.0.1", 0))
            sock.settimeout(5)
        port = server.getsockname()[1]
        with Impair("127.0.0.3", "127.0.0.1", [port], loss=0, duplicate=0, reorder=0):
            client.sendto(b"hello", ("127.0.0.3", port))
            data, behind = server.recvfrom(99)
            assert (data, behind[0]) == (b"hello", "127.0.0.3")
            server.sendto(b"world", behind)
            assert client.recvfrom(99) == (b"world", ("127.0.0.3", port))


def test_connections_pass_whole_and_in_order_but_late_where_a_segment_is_lost() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with (
            Impair("127.0.0.3", "127.0.0.1", [], stream_ports=(port,), loss=0.5) as network,
            socket.create_connection(("127.0.0.3", port), 5) as client,
        ):
            far = server.accept()[0]
            with far:
                far.settimeout(5)
                seen = b""
                for number in range(20):
                    client.sendall(b"%d " % number)
                    while seen.count(b" ") <= number:
                        seen += far.recv(99)
                assert seen.split() == [b"%d" % number for number in range(20)]
                far.sendall(b"thanks")
                client.settimeout(5)
                assert client.recv(99) == b"thanks"
                client.shutdown(socket.SHUT_WR)
                assert far.recv(99) == b""
            assert network.counts["stalled"] > 3
            assert client.recv(99) == b""
