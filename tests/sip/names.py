"""A domain name system in virtual time: a table of what it says, answered whenever a stack asks."""

from sip.resolve import Answer, Naptr, Question, Srv
from tests.sip.scene import Scene

NXDOMAIN = Answer((), 60.0)
SILENCE = Answer(is_known=False)

# The example of RFC 3263 4.1 with one more service, and hosts of documentation networks.
CARRIER: dict[tuple[str, str], Answer] = {
    ("NAPTR", "carrier.example"): Answer(
        (
            Naptr(100, 50, "s", "SIP+D2U", "_sip._udp.carrier.example"),
            Naptr(90, 50, "s", "SIP+D2T", "_sip._tcp.carrier.example"),
            Naptr(50, 50, "s", "SIPS+D2T", "_sips._tcp.carrier.example"),
            Naptr(10, 50, "s", "E2U+sip", "elsewhere.example"),
        ),
        600.0,
    ),
    ("SRV", "_sip._tcp.carrier.example"): Answer((Srv(0, 1, 5070, "a.carrier.example"),), 600.0),
    ("SRV", "_sip._udp.carrier.example"): Answer(
        (Srv(2, 1, 5060, "b.carrier.example"), Srv(1, 1, 5080, "a.carrier.example")), 600.0
    ),
    ("A", "a.carrier.example"): Answer(("10.0.0.9",), 60.0),
    ("A", "b.carrier.example"): Answer(("10.0.0.10", "10.0.0.11"), 60.0),
}


class Names:
    """What is asked of one scene's domain name system, and its answers."""

    def __init__(self, scene: Scene, table: dict[tuple[str, str], Answer]) -> None:
        self.asked: list[Question] = []
        self._scene = scene
        self.table = table

    def answer(self) -> list[Question]:
        """Answer every question that is out, and those that follow; return them."""
        before = len(self.asked)
        scene = self._scene
        while questions := scene.stack.questions.take():
            self.asked += questions
            for question in questions:
                scene.stack.name_answered(question, self.table.get(question, NXDOMAIN), scene.now)
        scene.collect()
        return self.asked[before:]
