"""A softphone for the first call by hand: registers, says what happens, answers, until Ctrl-C.

It is the simulator's phone on a real socket: it signals as a phone does and has no audio. With ``--sign-in``
it also signs the agent in over JSON-RPC, which lasts for as long as the tool runs.

python -m benchmarks.softphone 8001 --sign-in
"""

import argparse
import signal
import sys
import time
from contextlib import suppress
from random import Random

from benchmarks.realnet import RealNetwork, address_towards, free_udp_port
from kernel.errors import OperatorError
from seatswitch.shell.client import DEFAULT_ADDRESS, Client
from tests.simulator.network import Address
from tests.simulator.phones import Manner, Softphone

REGISTERED_WITHIN = 10.0  # seconds
LOOK_EVERY = 0.5  # seconds between looks at the state of the seat


class Printer:
    """Says at once what a phone notes; objections to what the switch sent are marked."""

    def note(self, who: str, what: str) -> None:
        """Print one line."""
        print(f"{time.strftime('%H:%M:%S')} {who} {what}", flush=True)

    def complain(self, who: str, what: str) -> None:
        """Print an objection."""
        self.note(who, f"objects: {what}")


class Desk:
    """The agent's JSON-RPC connection: signed in for as long as it lives."""

    def __init__(self, options: argparse.Namespace, printer: Printer) -> None:
        self._seat, self._printer, self._seen = options.seat, printer, ""
        self._client = Client(options.socket)
        login = {"hotline": options.hotline, "seat": options.seat, "password": options.password}
        self._client.call("session.login", login)
        printer.note(self._seat, "signed in")

    def look(self) -> None:
        """Print the state of the seat if it has changed."""
        seat = self._client.call("seat.get", {})
        seen = f"seat is {seat['presence']}, {seat['activity']}"
        if seen != self._seen:
            self._seen = seen
            self._printer.note(self._seat, seen)

    def close(self) -> None:
        """Sign out."""
        try:
            self._client.call("session.logout", {})
            self._printer.note(self._seat, "signed out")
        except OperatorError as error:
            self._printer.note(self._seat, f"could not sign out: {error}")
        self._client.close()


def make_phone(network: RealNetwork, options: argparse.Namespace, printer: Printer) -> Softphone:
    """Return the phone, listening; OSError when its port is taken or the server is not to be reached."""
    host, _, port = options.server.partition(":")
    server: Address = (host, int(port or 5060))
    ours = address_towards(host)
    phone = Softphone(
        options.seat,
        network.for_phones(),
        (ours, options.port or free_udp_port(ours)),
        server,
        Random(),
        printer,
        password=options.password,
        domain=options.domain or host,
    )
    answers_after = None if options.answers_after < 0 else options.answers_after
    phone.manner = Manner(answers_after=answers_after, talks_for=options.talks_for)
    return phone


def register(network: RealNetwork, phone: Softphone, server: str) -> None:
    """Register and wait for it; OperatorError if the switch does not want the phone or is not there."""
    phone.register()
    until = time.monotonic() + REGISTERED_WITHIN
    while not phone.is_registered and time.monotonic() < until:
        network.run(0.1)
        if phone.register_status == 401 and not phone.is_registered:
            network.run(0.5)  # the first 401 only asks for the password
            if not phone.is_registered:
                raise OperatorError(phone.name, "the switch does not take this seat and password")
    if not phone.is_registered:
        raise OperatorError(
            server, f"no switch answers there (REGISTER: {phone.register_status or 'silence'})"
        )


def serve(network: RealNetwork, desk: Desk | None) -> None:
    """Be a phone until Ctrl-C."""
    while True:
        network.run(LOOK_EVERY)
        if desk is not None:
            desk.look()


def main() -> int:
    """Run the softphone; 1 if it cannot register or sign in."""
    plain = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=plain)
    parser.add_argument("seat", help="number of the seat or extension, such as 8001")
    parser.add_argument("--password", default="demo", help="of the seat")
    parser.add_argument("--server", default="127.0.0.1:5060", help="SIP address of the switch, UDP")
    parser.add_argument("--domain", default="", help="SIP domain, if it is not the server's address")
    parser.add_argument("--port", type=int, default=0, help="our own SIP port; any free one if left out")
    parser.add_argument("--answers-after", type=float, default=1.0, help="seconds of ringing; -1: never")
    parser.add_argument("--talks-for", type=float, help="hang up so many seconds after the answer")
    parser.add_argument("--sign-in", action="store_true", help="also sign the agent in, and out at the end")
    parser.add_argument("--hotline", default="96198", help="whose tenant the agent signs in at")
    parser.add_argument("--socket", default=DEFAULT_ADDRESS, help="JSON-RPC socket of the switch")
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):  # in the background of a shell, SIGINT is ignored
        signal.signal(number, signal.default_int_handler)
    printer, network, desk = Printer(), RealNetwork(), None
    try:
        phone = make_phone(network, options, printer)
        register(network, phone, options.server)
        desk = Desk(options, printer) if options.sign_in else None
        print("Ctrl-C ends it.")
        with suppress(KeyboardInterrupt):
            serve(network, desk)
        print()
        with suppress(KeyboardInterrupt):  # pressed twice
            phone.unregister()
            network.run(0.3)
    except (OperatorError, OSError, ValueError) as error:
        print(f"softphone: {error}", file=sys.stderr)
        return 1
    finally:
        if desk is not None:
            desk.close()
        network.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
