"""Phones with behaviours: a registering softphone, and a trunk with callers and outside numbers behind it."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from tests.simulator.call import Call
from tests.simulator.endpoint import Endpoint, Journal
from tests.simulator.network import Address, Network
from tests.simulator.timeline import Planned
from tests.simulator.transactions import ServerTransaction
from tests.simulator.wire import Message, answer_of, build, challenge_of, credentials, param, uri_of

RINGS_MAX = 180.0  # seconds after which every phone gives up
_CHALLENGES = (("www-authenticate", "Authorization"), ("proxy-authenticate", "Proxy-Authorization"))


@dataclass(frozen=True)
class Manner:
    """What a called phone does with one INVITE. Seconds from its arrival; None is never."""

    rings_after: float | None = 0.05
    answers_after: float | None = 2.0
    refuses: int = 0  # status, at ``answers_after``
    is_silent: bool = False  # no response at all
    forks: bool = False  # another To tag rings first
    answers_cancelled: bool = False  # its 200 crosses the CANCEL, which is refused with 481... or so it seems
    talks_for: float | None = None  # hangs up so long after the ACK
    vanishes_after: float | None = None  # loses power so long after its own answer

    def __str__(self) -> str:
        plain = Manner()
        return (
            ", ".join(
                f"{name} {value}" for name, value in vars(self).items() if value != getattr(plain, name)
            )
            or "plain"
        )


BUSY = Manner(answers_after=1.0, refuses=486)
RINGS_FOR_EVER = Manner(answers_after=None)
SILENT = Manner(is_silent=True)


class CalledPhone(Endpoint):
    """An endpoint that treats every INVITE as its ``manner`` (or ``choose``) says."""

    def __init__(
        self, name: str, network: Network, address: Address, proxy: Address, random: Random, journal: Journal
    ) -> None:
        super().__init__(name, network, address, proxy, random, journal)
        self.manner = Manner()
        self.choose: Callable[[Call], Manner] = lambda _: self.manner

    def receive(self, data: bytes, source: Address) -> None:
        # A phone that hangs is silent from the first byte of an INVITE, not from its 100 on.
        if self.manner.is_silent and data.startswith((b"INVITE ", b"CANCEL ")):
            return
        super().receive(data, source)

    def on_invite(self, call: Call) -> None:
        manner = self.choose(call)
        call.plan = manner
        if manner.forks:
            call.fork()
        if manner.rings_after is not None:
            self.after(manner.rings_after, call.ring)
        self.after(RINGS_MAX, lambda: call.refuse(480))
        if manner.answers_after is None:
            return
        if manner.refuses:
            self.after(manner.answers_after, lambda: call.refuse(manner.refuses))
        else:
            self.after(manner.answers_after, call.answer)
            if manner.vanishes_after is not None:
                self.after(manner.answers_after + manner.vanishes_after, lambda: self.drop_dead(call))

    def drop_dead(self, call: Call) -> None:
        """Vanish in a call: a phone loses its power."""
        self.vanish()

    def on_cancel(self, call: Call) -> None:
        if isinstance(call.plan, Manner) and call.plan.answers_cancelled and not call.has_ended:
            self.note("answers what was just cancelled")
            call.answer()
        else:
            call.receive_cancel()

    def on_talking(self, call: Call) -> None:
        manner = call.plan
        if isinstance(manner, Manner) and manner.talks_for is not None:
            self.after(manner.talks_for, call.hang_up)


class Softphone(CalledPhone):
    """A phone that registers as ``name`` with digest and keeps its registration fresh."""

    def __init__(
        self,
        name: str,
        network: Network,
        address: Address,
        proxy: Address,
        random: Random,
        journal: Journal,
        *,
        password: str,
        domain: str,
        algorithm: str = "SHA-256",
    ) -> None:
        super().__init__(name, network, address, proxy, random, journal)
        self.password, self.domain, self.algorithm = password, domain, algorithm
        self.expires = 300
        self.is_registered = False
        self.registered_at: float | None = None
        self.register_status = 0
        self._register_id = self.token()
        self._register_tag = self.token()
        self._cseq = 0
        self._refresh: Planned | None = None
        self.lamps: list[str] = []  # what we are told of those we watch: state, direction, display
        self.waiting: list[str] = []  # what we are told of mailboxes: whether something waits, new/old
        self._watch_id = self.token()

    def watch(self, number: str, event: str = "dialog", accept: str = "application/dialog-info+xml") -> None:
        """SUBSCRIBE to the lamp of ``number`` (RFC 4235)."""
        branch, me = f"z9hG4bK{self.token()}", f"<sip:{self.name}@{self.domain}>"
        headers = [("Via", f"{self.via};branch={branch};rport"), ("Max-Forwards", "70")]
        headers += [("From", f"{me};tag={self._register_tag}"), ("To", f"<sip:{number}@{self.domain}>")]
        headers += [("Call-ID", self._watch_id), ("CSeq", "1 SUBSCRIBE"), ("Contact", self.contact)]
        headers += [("Event", event), ("Accept", accept), ("Expires", "3600")]
        data = build(f"SUBSCRIBE sip:{number}@{self.domain} SIP/2.0", headers)
        self.start("SUBSCRIBE", branch, data, self.proxy, lambda _: None)

    def watch_box(self, named: str) -> None:
        """SUBSCRIBE to the mailbox ``named`` (RFC 3842)."""
        self.watch(named, "message-summary", "application/simple-message-summary")

    def takes_notify(self, request: Message) -> bool:
        if request.get("event") == "message-summary":
            lines = request.body.decode().splitlines()
            self.waiting.append(" ".join(line.partition(": ")[2] for line in (lines[0], lines[2])))
            return True
        if request.call_id != self._watch_id:
            return False
        text = request.body.decode()
        marks = ("<state>", ' direction="', 'display="')
        words = [re.search(f'{mark}([a-z ]+)["<]', text) for mark in marks]
        self.lamps.append(" ".join(word[1] for word in words if word is not None))
        return True

    @property
    def from_host(self) -> str:
        return self.domain

    def register(self, expires: int | None = None, contact: str = "") -> None:
        """REGISTER our address (0: remove it); challenges are answered once."""
        asked = self.expires if expires is None else expires
        self._send_register(asked, contact or self.contact, [], is_retry=False)

    def unregister(self) -> None:
        """Remove our binding."""
        self.register(0)

    def move(self, port: int) -> None:
        """Go on from another port and register there."""
        super().move(port)
        self.register()

    def restart(self) -> None:
        """Come back after having vanished; register anew, as a phone does."""
        self.is_alive = True
        self._register_id, self._cseq = self.token(), 0
        self.note("is back")
        self.register()

    def _send_register(
        self, expires: int, contact: str, extra: list[tuple[str, str]], *, is_retry: bool
    ) -> None:
        self._cseq += 1
        branch = f"z9hG4bK{self.token()}"
        me = f"<sip:{self.name}@{self.domain}>"
        headers = [("Via", f"{self.via};branch={branch};rport")]
        headers += [("Max-Forwards", "70"), ("From", f"{me};tag={self._register_tag}"), ("To", me)]
        headers += [("Call-ID", self._register_id), ("CSeq", f"{self._cseq} REGISTER")]
        headers += [("Contact", contact), ("Expires", str(expires)), *extra]

        def on_response(response: Message | None) -> None:
            self._on_register(response, expires, contact, is_retry=is_retry)

        self.start(
            "REGISTER", branch, build(f"REGISTER sip:{self.domain} SIP/2.0", headers), self.proxy, on_response
        )

    def _on_register(self, response: Message | None, expires: int, contact: str, *, is_retry: bool) -> None:
        self.register_status = response.status if response is not None else 0
        if response is None:
            self.is_registered = False
            self._refresh_after(5.0)
        elif response.status in (401, 407) and not is_retry:
            extra = self.answer_challenge(response, "REGISTER", f"sip:{self.domain}")
            self._send_register(expires, contact, extra, is_retry=True)
        elif response.status == 200:
            mine = [other for other in response.all("contact") if uri_of(other) == uri_of(contact)]
            if expires and not mine:
                self.complain("REGISTER 200 without our Contact (RFC 3261 10.3)")
            granted = int(param(mine[0], "expires") or response.get("expires") or 0) if mine else 0
            if not self.is_registered:
                self.note(f"registered for {granted} s" if expires else "unregistered")
            self.is_registered = expires > 0
            self.registered_at = self.now
            if expires:
                self._refresh_after(granted / 2)
        elif response.status >= 300:
            self.note(f"REGISTER refused {response.status}")
            self.is_registered = False
            if response.status == 423:
                self.complain("423 to a sensible expiry")
            if response.status in (503, 500, 401):
                self._refresh_after(5.0 if response.status != 401 else 60.0)

    def answer_challenge(self, response: Message, method: str, uri: str) -> list[tuple[str, str]]:
        """Return the header that answers the challenge of our favourite algorithm."""
        for challenge_header, answer_header in _CHALLENGES:
            offered = [challenge_of(value) for value in response.all(challenge_header)]
            for challenge in offered:
                if challenge.get("algorithm", "MD5") == self.algorithm:
                    value = credentials(
                        challenge, user=self.name, password=self.password, method=method, uri=uri
                    )
                    return [(answer_header, value)]
        self.complain(f"no {self.algorithm} challenge offered (RFC 8760)")
        return []

    def on_disconnected(self) -> None:
        """Register again over a new connection (RFC 5626 4.5)."""
        self._refresh_after(self.random.uniform(0.5, 3.0))

    def _refresh_after(self, delay: float) -> None:
        if self._refresh is not None:
            self._refresh.call_off()
        self._refresh = self.after(delay, self._fresh)

    def _fresh(self) -> None:
        if self.is_alive:
            self.register()


@dataclass(frozen=True)
class Errand:
    """What one caller at a trunk wants and how they behave."""

    number: str = "96198"
    caller: str = "13800000001"
    name: str = ""  # display name in From
    hangs_up_after: float | None = None  # seconds after dialling, in whatever state the call is
    talks_for: float | None = None  # seconds after our answer
    acks: bool = True
    ack_after: float = 0.0
    bye_before_ack: bool = False
    vanishes_after: float | None = None  # the trunk forgets this call, without a word
    reinvites_after: float | None = None  # seconds after our answer: a session refresh
    offers_late: bool = False  # the INVITE carries no SDP


class Trunk(CalledPhone):
    """A carrier: callers come out of it, outside numbers are behind it."""

    password = ""  # set: outbound calls are challenged (RFC 3261 22.3)

    def admits(self, request: Message, server: ServerTransaction) -> bool:
        """Challenge an INVITE without, refuse one with wrong, credentials."""
        if not self.password:
            return True
        given = request.get("proxy-authorization")
        challenge = {"realm": "carrier", "nonce": "abc123", "qop": "auth", "algorithm": "MD5"}
        if given:
            told = challenge_of(given)
            expected = answer_of(
                challenge | {"cnonce": told.get("cnonce", "")},
                user=told.get("username", ""),
                password=self.password,
                method="INVITE",
                uri=request.uri,
                count=int(told.get("nc", "1"), 16),
            )
            if told.get("response") == expected:
                return True
            self.complain(f"wrong credentials: {given}")
        value = 'Digest realm="carrier", nonce="abc123", qop="auth", algorithm=MD5'
        server.respond(
            407, "Proxy Authentication Required", [("Proxy-Authenticate", value)], tag=self.token()
        )
        return False

    def dial(self, errand: Errand) -> Call:
        """Let one caller call."""
        display = f'"{errand.name}" ' if errand.name else ""
        call = self.invite(errand.number, display=display, user=errand.caller, body=not errand.offers_late)
        call.acks, call.ack_after, call.bye_before_ack = errand.acks, errand.ack_after, errand.bye_before_ack
        call.plan = errand
        if errand.hangs_up_after is not None:
            self.after(errand.hangs_up_after, call.hang_up)
        if errand.vanishes_after is not None:
            self.after(errand.vanishes_after, lambda: self.forget(call))
        return call

    def forget(self, call: Call) -> None:
        """Drop a call as a crashed switch does: no BYE, and every later request of it draws 481."""
        self._dialogs.pop((call.call_id, call.local_tag), None)
        self.on_2xx.pop((call.call_id, call.local_tag, 1), None)
        if not call.has_ended:
            call.state, call.why, call.ended_at = "ended", "forgotten", self.now
            self.note(f"forgets the call to {call.number}")

    def drop_dead(self, call: Call) -> None:
        """A carrier does not vanish with one mobile: it forgets the call."""
        self.forget(call)

    def on_talking(self, call: Call) -> None:
        errand = call.plan
        if not isinstance(errand, Errand):
            super().on_talking(call)
            return
        if errand.talks_for is not None:
            self.after(errand.talks_for, call.hang_up)
        if errand.reinvites_after is not None:
            self.after(errand.reinvites_after, lambda: self._refresh_session(call))

    def _refresh_session(self, call: Call) -> None:
        if call.state == "talking":
            call.reinvite()
