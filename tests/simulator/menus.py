"""Menus in the swarm: callers come by a script, press keys at random and hang up in the middle; queues lead
into scripts, and desks send their callers there.
"""

from dataclasses import replace
from random import Random
from typing import Any

from media.messages import Digit
from tests.simulator.swarm import Options, Swarm

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


class Menus(Swarm):
    """A swarm whose callers meet scripts; what is added is drawn apart."""

    def __init__(self, options: Options) -> None:
        doors = ('keys = {5 = "ivr:main"}', *(door for door in options.town.doors if "on_full" not in door))
        town = replace(
            options.town,
            junior_entry="ivr:main",
            more_tenant=TENANT,
            doors=(*doors, 'on_full = "ivr:back"'),
            on_timeout="ivr:main",
        )
        super().__init__(replace(options, town=town))
        self.fingers = Random(f"menus/{options.seed}")
        self.pressed = 0
        self.interacts = 0

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
