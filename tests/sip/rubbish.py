"""Rubbish: SIP traffic of all kinds that nobody asked for, drawn from one seed; no two messages alike.

Broken and odd messages (the torture messages, and mutations of them and of good ones), requests and responses
of dialogs that are not there, guesses of passwords, calls of strangers, and in between what is quite right.
"""

from random import Random

from sip.digest import answer_challenge
from sip.settings import Secret
from tests.fuzz.mutation import mutate
from tests.fuzz.targets import seeds
from tests.sip.scene import SDP, request

INSIDE = ("BYE", "ACK", "CANCEL", "INFO", "UPDATE", "PRACK", "NOTIFY", "REFER", "INVITE", "MESSAGE")
MUTATED, TORTURE, STRAY, RESPONSE, GUESS, CALL, RIGHT = range(7)
WEIGHTS = (40, 10, 16, 10, 10, 8, 6)


class Rubbish:
    """An endless source of messages; ``host`` is where they say they are from."""

    def __init__(self, seed: int, host: str = "203.0.113.5", server: str = "example.com") -> None:
        self._chance = Random(seed)
        self._seeds = seeds("stack")
        self._host = host
        self._server = server
        self._count = 0

    def take(self) -> bytes:
        """Return the next message."""
        self._count += 1
        kind = self._chance.choices(range(7), WEIGHTS)[0]
        name = f"{self._chance.getrandbits(64):x}"
        if kind == MUTATED:
            return mutate(self._seeds, self._chance)
        if kind == TORTURE:
            return self._chance.choice(self._seeds)
        if kind == STRAY:
            method = self._chance.choice(INSIDE)
            return self._request(method, name, to=f"<sip:96198@{self._server}>;tag={name[:8]}")
        if kind == RESPONSE:
            status = self._chance.choice((100, 180, 200, 401, 481, 486, 503, 699))
            via = f"Via: SIP/2.0/UDP {self._host};branch=z9hG4bK{name}"
            rest = f"From: <sip:a@b>;tag=1\r\nTo: <sip:c@d>;tag=2\r\nCall-ID: {name}\r\nCSeq: 1 INVITE\r\n"
            return f"SIP/2.0 {status} X\r\n{via}\r\n{rest}Content-Length: 0\r\n\r\n".encode()
        if kind == GUESS:
            return self._guess(name)
        if kind == CALL:
            number = self._chance.choice(("96198", "8001", "00882139", f"{self._chance.getrandbits(32)}"))
            return self._request("INVITE", name, uri=f"sip:{number}@{self._server}", body=SDP)
        return self._request("OPTIONS", name)

    def _request(self, method: str, name: str, uri: str = "", to: str = "", **more: object) -> bytes:
        return request(
            method,
            uri or f"sip:96198@{self._server}",
            branch=f"z9hG4bK{name}",
            via=self._host,
            call_id=name,
            from_=f"<sip:{name[:4]}@stranger.example>;tag={name[:6]}",
            to=to or f"<sip:96198@{self._server}>",
            contact=f"<sip:{name[:4]}@{self._host}>",
            **more,  # type: ignore[arg-type]
        )

    def _guess(self, name: str) -> bytes:
        user = str(1000 + self._chance.randrange(9000))
        headers: tuple[str, ...] = ()
        if self._chance.random() < 0.5:
            asked = [f'Digest realm="{self._server}", nonce="{name}", qop="auth", algorithm=MD5']
            uri = f"sip:{self._server}"
            said = answer_challenge(asked, user, Secret(password="1234"), "REGISTER", uri, b"", "c")
            headers = (f"Authorization: {said}",)
        me = f"<sip:{user}@{self._server}>"
        return request(
            "REGISTER",
            f"sip:{self._server}",
            branch=f"z9hG4bK{name}",
            via=self._host,
            call_id=name,
            from_=f"{me};tag={name[:6]}",
            to=me,
            contact=f"<sip:{user}@{self._host}>",
            headers=headers,
        )
