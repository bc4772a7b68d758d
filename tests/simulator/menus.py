"""Menus in the swarm: callers come by a script, press keys at random and hang up in the middle; queues lead
into scripts, and desks send their callers there. Or the targets of scripts turn callers away, who come back.
"""

from dataclasses import replace
from random import Random
from typing import Any

from media.messages import Digit
from tests.simulator.people import Desk
from tests.simulator.swarm import Options, Swarm
from tests.simulator.town import Town

KEYS = "0123456789*#"
TENANT = """
[tenant.ivr.main]
time_max = "40s"
on_limit = "queue:senior"
[tenant.ivr.main.node.hello]
kind = "play"
sounds = ["builtin:welcome"]
then = "choose"
[tenant.ivr.main.node.choose]
kind = "menu"
sounds = ["builtin:welcome", "voice:en/rate-us"]
retries = 1
on_timeout = "queue:junior"
[tenant.ivr.main.node.choose.keys]
1 = "queue:junior"
2 = "account"
3 = "seat:8001"
4 = "queue:junior/8001"
5 = "number:13900000077"
6 = "ivr:main"
7 = "promise"
8 = "wait"
9 = "message:builtin:welcome"
[tenant.ivr.main.node.account]
kind = "read"
into = "account"
most = 3
secret = true
then = "area"
on_timeout = "choose"
[tenant.ivr.main.node.area]
kind = "branch"
caller = true
cases = {"1380*" = "present"}
otherwise = "return"
[tenant.ivr.main.node.present]
kind = "set"
credit = "20s"
variables = {why = "present"}
then = "queue:junior"
[tenant.ivr.main.node.promise]
kind = "callback"
queue = "junior"
then = "hangup"
otherwise = "queue:junior"
[tenant.ivr.main.node.wait]
kind = "wait"
time = "3s"
sound = "builtin:music"
then = "choose"
[tenant.ivr.back.node.ask]
kind = "read"
into = "pin"
most = 2
secret = true
then = "return"
on_timeout = "return"
on_short = "queue:senior"
"""
# Every target may turn callers away, and each of them has something that follows.
TURNED = """
[tenant.ivr.main]
otherwise = "again"
[tenant.ivr.main.node.choose]
kind = "menu"
sounds = ["builtin:welcome"]
retries = 1
on_timeout = "queue:junior"
[tenant.ivr.main.node.choose.keys]
0 = "extension:2001"
1 = "queue:junior"
2 = "boss"
3 = "seat:8001"
4 = "queue:junior/8001"
5 = "number:13900000077"
6 = "outside"
7 = "first"
[tenant.ivr.main.node.boss]
kind = "go"
to = "seat:8001"
ring_for = "3s"
cases = {busy = "queue:senior", no_answer = "outside"}
otherwise = "extension:2002"
[tenant.ivr.main.node.outside]
kind = "go"
to = "number:13900000078"
otherwise = "queue:complaint"
[tenant.ivr.main.node.first]
kind = "go"
to = "queue:junior"
cases = {full = "boss", closed = "outside", max_wait = "queue:senior", seat_wait = "queue:senior"}
[tenant.ivr.main.node.again]
kind = "menu"
keys = {1 = "choose", 2 = "queue:complaint", 3 = "boss"}
retries = 0
on_timeout = "gone"
on_wrong = "gone"
[tenant.ivr.main.node.gone]
kind = "hangup"
cause = "nothing_left"
[tenant.ivr.back.node.ask]
kind = "read"
into = "pin"
most = 2
secret = true
then = "boss"
on_timeout = "return"
on_short = "return"
[tenant.ivr.back.node.boss]
kind = "go"
to = "seat:8001"
ring_for = "5s"
otherwise = "queue:junior"
"""


class Menus(Swarm):
    """A swarm whose callers meet scripts; what is added is drawn apart."""

    def __init__(self, options: Options) -> None:
        super().__init__(replace(options, town=self._town(options)))
        self.fingers = Random(f"menus/{options.seed}")
        self.pressed = 0
        self.interacts = 0

    def _town(self, options: Options) -> Town:
        doors = ('keys = {5 = "ivr:main"}', *(door for door in options.town.doors if "on_full" not in door))
        return replace(
            options.town,
            junior_entry="ivr:main",
            more_tenant=TENANT,
            doors=(*doors, 'on_full = "ivr:back"'),
            on_timeout="ivr:main",
        )

    def run_all(self) -> None:
        """Run with keys pressed and callers sent into scripts, once a second each."""
        self.world.time.after(0.6, self._press)
        self.world.time.after(5.3, self._interact)  # not when it is asked who hears whom
        self.run()

    def _press(self) -> None:
        for worker in self.world.workers.workers.values():
            for number, stream in sorted(worker.streams.items()):
                if stream.is_collecting and worker.is_running and self.fingers.random() < 0.4:
                    self.pressed += 1
                    worker.report(Digit(number, self.fingers.choice(KEYS), 100))
        self.world.time.after(1.0, self._press)

    def _interact(self) -> None:
        desks = [agent.desk for agent in self.world.agents.values() if agent.is_signed_in]
        for desk in desks:
            if desk is None or not desk.is_open or self.has_healed or not self.world.is_up:
                continue
            name, draw = self.fingers.choice(("main", "back", "back", "other")), self.fingers.random()
            if draw < 0.3:
                desk.send("call.interact", {"ivr": name}, self._interacted)
            elif draw < 0.4:
                desk.send("call.unhold", {}, lambda _: None)
        self.world.time.after(2.0, self._interact)

    def _interacted(self, response: dict[str, Any]) -> None:
        self.interacts += "result" in response


class Turned(Menus):
    """A swarm whose callers are turned away by what their script leads to."""

    def _town(self, options: Options) -> Town:
        kept = tuple(door for door in options.town.doors if not door.startswith("on_"))
        return replace(
            options.town,
            junior_entry="ivr:main",
            more_tenant=TURNED,
            doors=kept,
            on_timeout="hangup",
            max_wait=min(options.town.max_wait, 30.0),
            max_waiting=min(options.town.max_waiting, 2),
        )

    def dropped(self) -> list[str]:
        """Return the callers of the script that were hung up because somebody did not take them: after a
        kill those who had waited already, else nobody.
        """
        surprises = ("agent:", "network:unreachable", "us:full", "us:max_wait", "us:closed", "us:empty")
        surprises += ("us:seat_wait", "us:seat_away", "us:estimate", "us:queue_removed", "us:no_such_target")
        return [
            f"{row.call} {row.verdict}"
            for row in self.world.call_rows
            if row.entry == "ivr:main" and not row.resumed and row.verdict.startswith(surprises)
        ]


class Hands(Turned):
    """A swarm in which waiting calls are moved, given credit and taken out of their order, once a second."""

    def __init__(self, options: Options) -> None:
        super().__init__(options)
        self.hands = Random(f"hands/{options.seed}")
        self.done: dict[str, int] = {}

    def _town(self, options: Options) -> Town:
        town = super()._town(options)
        return replace(town, doors=(*town.doors, "pick = true"), max_waiting=options.town.max_waiting)

    def run_all(self) -> None:
        """Run with hands."""
        self.world.time.after(4.7, self._reach)
        super().run_all()

    def _reach(self) -> None:
        """Do something with one of those who wait."""
        world, hands = self.world, self.hands
        self.world.time.after(1.0, self._reach)
        if self.has_healed or not world.is_up:
            return
        world.has_meddlers = True
        views = world.node.calls_view(world.time.now)
        waiting = [view["call"] for view in views if view["state"] == "waiting"]
        desks = [agent.desk for agent in world.agents.values() if agent.is_signed_in]
        if not waiting:
            return
        call, draw = hands.choice(waiting), hands.random()
        if draw < 0.4:
            params: dict[str, Any] = {"call": call, "queue": hands.choice(("junior", "senior", "complaint"))}
            params["first"] = hands.random() < 0.5
            self._ask(world.admin, "supervisor.move_call", params)
        elif draw < 0.7:
            credit = {"credit": hands.choice((0, 5, 600)), "lower": hands.random() < 0.5}
            self._ask(world.admin, "supervisor.move_call", {"call": call, **credit})
        else:
            desk = hands.choice(desks) if desks else None
            if desk is not None and desk.is_open:
                self._ask(desk, "call.pick", {"call": call})

    def _ask(self, desk: Desk, method: str, params: dict[str, Any]) -> None:
        def reply(response: dict[str, Any]) -> None:
            self._check_reply(response)
            word = method if "result" in response else "refused"
            self.done[word] = self.done.get(word, 0) + 1

        desk.send(method, params, reply)
