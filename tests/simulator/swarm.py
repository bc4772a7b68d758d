"""A swarm of worlds: a seed draws the town, the people, the weather and which faults there are at all.

Safety phase: everything happens with faults on, until every planned call has ended. Then the weather clears,
lost phones come back, whoever still talks hangs up, and the switch must fall quiet: the liveness phase.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from config.load import load_settings
from kernel.errors import OperationRefused
from kernel.ids import CallId, SeatId
from policies.registry import NAMES
from tests.simulator.call import Call
from tests.simulator.checkers import check_audio, check_quiet, check_rows, ears_astray, zombies
from tests.simulator.crash import BETWEEN, DEATHS, SENDING, TORN
from tests.simulator.network import Weather
from tests.simulator.people import Habits, send_home
from tests.simulator.phones import Errand, Manner, Softphone
from tests.simulator.town import CARRIER, DOMAIN, STRANGER, SWITCH, Town
from tests.simulator.world import Stuck, Unsafe, World

QUIET_WITHIN = 240.0  # virtual seconds of fair weather beside max_wait: 64*T1, RTP time-out, rings, refreshes
SAFETY_MAX = 3_000.0  # virtual seconds for the safety phase
FAULTS = (
    "loss",
    "jitter",
    "duplicates",
    "reordering",
    "blocks",
    "power",
    "moves",
    "rebinding",
    "reloads",
    "desks",
    "workers",
    "icmp",
    "operator",
    "internal",
    "tcp",
    "glare",
    "bind",
    "noise",
    "desk operations",
    "cut",
    "holds",
    "deaf callers",
    "pstn",
    "kills",
    "doors",
    "callbacks",
    "wanted seats",
    "transfers",
)

SUPERVISORS = "supervisors"  # drawn apart, so that seeds mean what they meant before there were any

AT_THE_DOOR = ("hangup", "queue:senior", "level:senior", "number:13900000099", "callback", "voicemail")
TARGETS = (*AT_THE_DOOR, "seat:8001")
HOURS = (
    "",
    "",
    "mon-sun 00:00-24:00",
    "mon-sun 00:00-00:01",
    "mon-sun 00:01-00:02 00:03-24:00",
    "fri 00:00-24:00",
)
ABSENT = ("", '"paused"', '"paused", "unreachable", "wrapup"', '"talking", "ringing"')

ROUTE = '[[route]]\ntenant = "demo"\ntrunks = ["carrier"]\n'  # for desks that dial

MODES = ("monitor", "whisper", "barge")
EARS = (("extension", "2001"), ("extension", "2002"), ("pstn", "13900000044"), ("softphone", "8901"))

# What may be pressed at any time: refused with a word, or done, but never an error of the switch.
BUTTONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("seat.ready", {}),
    ("seat.pause", {"reason": "rest"}),
    ("seat.pause", {"reason": "no such reason"}),
    ("seat.bind", {"phone": {"kind": "softphone"}}),
    ("seat.bind", {"phone": {"kind": "pstn", "number": "1390008001"}}),
    ("seat.wrapup_end", {}),
    ("seat.wrapup_extend", {"seconds": 60}),
    ("seat.get", {}),
    ("seat.list", {"queue": "junior"}),
    ("call.list", {}),
    ("call.hangup", {}),
    ("call.hold", {}),
    ("call.unhold", {}),
    ("call.answer", {}),
    ("call.refuse", {}),
    ("call.mute", {}),
    ("call.unmute", {}),
    ("call.dtmf", {"digits": "12#"}),
    ("call.tag", {"tag": "billing"}),
    ("call.transfer", {"to": "SEAT"}),
    ("call.transfer", {"to": "queue:senior"}),
    ("call.transfer", {"to": "extension:2001"}),
    ("call.escalate", {}),
    ("call.consult", {"to": "SEAT"}),
    ("call.consult", {"to": "2002"}),
    ("call.consult", {"to": "13900000055"}),
    ("call.consult_back", {}),
    ("call.consult_cancel", {}),
    ("call.consult_join", {}),
    ("call.consult_join", {}),
    ("call.consult_transfer", {}),
    ("call.dial", {"number": "13900000066"}),
    ("call.dial", {"number": "SEAT"}),
    ("queue.list", {}),
    ("queue.get", {"queue": "junior"}),
    ("queue.statistics", {"queue": "junior"}),
    ("explain.seat", {"seat": "SEAT"}),
    ("supervisor.force_ready", {"seat": "SEAT"}),
    ("supervisor.force_pause", {"seat": "SEAT", "reason": "rest"}),
    ("supervisor.force_logout", {"seat": "SEAT"}),
    ("supervisor.disconnect", {"seat": "SEAT"}),
    ("supervisor.pickup", {"seat": "SEAT"}),
    ("supervisor.move_seat", {"seat": "SEAT", "queues": ["senior"], "level": "senior"}),
    ("supervisor.move_seat", {"seat": "SEAT", "queues": ["junior"], "level": "junior"}),
    ("supervisor.move_call", {"call": "CALL", "queue": "senior"}),
    ("supervisor.move_call", {"call": "CALL", "queue": "junior", "first": True}),
    ("supervisor.pickup", {"seat": "SEAT"}),
    ("supervisor.move_seat", {"seat": "SEAT", "queues": ["junior"]}),
    ("supervisor.move_call", {"call": "CALL", "queue": "senior"}),
    ("supervisor.move_call", {"call": "CALL", "first": True}),
    ("supervisor.monitor", {"seat": "SEAT"}),
    ("supervisor.takeover", {"seat": "SEAT"}),
    ("explain.call", {"call": "CALL"}),
    ("callback.choose", {"call": "CALL"}),
    ("call.mute", {}),
    ("call.unmute", {}),
    ("call.dtmf", {"digits": "12#"}),
    ("call.dial", {"number": "2001"}),
    ("call.dial", {"number": "13900000098"}),
    ("call.transfer", {"to": "2002"}),
    ("call.consult", {"to": "2001"}),
    ("call.consult_back", {}),
    ("call.consult_transfer", {}),
    ("call.consult_join", {}),
    ("call.consult_cancel", {}),
    ("session.whoami", {}),
    ("trunk.list", {}),
    ("admin.status", {}),
)


@dataclass(frozen=True)
class Options:
    """What one seed means; printed before anything runs."""

    seed: int
    faults: tuple[str, ...]
    town: Town
    weather: Weather
    calls: int
    span: float  # seconds over which callers arrive
    agents: int
    extensions: int = 2
    errands: tuple[tuple[float, Errand], ...] = field(default=(), repr=False)
    buttons: tuple[tuple[str, dict[str, Any]], ...] = field(default=BUTTONS, repr=False)

    def __str__(self) -> str:
        return (
            f"seed {self.seed}: {self.calls} calls in {self.span:.0f} s, {self.agents} agents, "
            f"faults: {', '.join(self.faults) or 'none'}; {self.weather}; answer {self.town.answer}, "
            f"when empty {self.town.when_empty}, ring for {self.town.ring_for:g} s, max wait "
            f"{self.town.max_wait:g} s, max waiting {self.town.max_waiting}, wrap-up {self.town.wrap_up:g} s"
        )


@dataclass(frozen=True)
class Result:
    """How a world went."""

    options: Options
    fingerprint: str
    turns: int
    elapsed: float
    story: list[str]
    verdicts: dict[str, int]


def draw_options(seed: int, calls_max: int = 20, also: tuple[str, ...] = ()) -> Options:
    """Return what ``seed`` means; the faults ``also`` are there in any case."""
    random = Random(f"options/{seed}")
    share = random.choice((0.0, 0.15, 0.3, 0.5))
    faults = tuple(fault for fault in FAULTS if random.random() < share or fault in also)
    doors, hours = _draw_doors(random, faults)
    if SUPERVISORS in also or Random(f"ears/{seed}").random() < 0.3:
        faults += (SUPERVISORS,)
    town = Town(
        juniors=random.randint(1, 4),
        intermediates=random.randint(0, 2),
        seniors=random.randint(0, 2),
        leaders=1,
        answer=random.choice(("200", "200", "200", "183")),
        when_empty=random.choice(("wait", "wait", "refuse")),
        ring_for=random.choice((5.0, 10.0, 25.0)),
        max_wait=random.choice((30.0, 120.0, 600.0)),
        max_waiting=random.choice((2, 10, 200)),
        wrap_up=random.choice((0.0, 5.0, 30.0)),
        policy=random.choice(NAMES),
        relaxes=random.random() < 0.7,
        workers=random.choice((1, 1, 2)),
        ports=random.choice(((20000, 20998), (20000, 20998), (20000, 20007))),
        on_timeout=random.choice(TARGETS) if "doors" in faults else "hangup",
        doors=doors,
        callback='callback = {attempts = 2, retry_after = "20s", ring_for = "10s", expires_after = "2m"}',
        hours=hours,
        more_seat='auto_answer = "desk"',
        more_tenant="record = true" if Random(f"tapes/{seed}").random() < 0.3 else "",
        more=ROUTE if "desk operations" in faults else "",
    )
    weather = Weather(
        delay=random.choice((0.001, 0.005, 0.05)),
        jitter=random.choice((0.02, 0.2)) if "jitter" in faults else 0.0,
        loss=random.choice((0.02, 0.1, 0.25)) if "loss" in faults else 0.0,
        duplicate=random.choice((0.02, 0.2)) if "duplicates" in faults else 0.0,
        reorder=random.choice((0.05, 0.2)) if "reordering" in faults else 0.0,
    )
    calls = random.randint(1, calls_max)
    span = random.choice((5.0, 60.0, 300.0))
    errands = tuple(_draw_errand(random, index, span, faults) for index in range(calls))
    agents = random.randint(0 if random.random() < 0.05 else 1, len(town.seats))
    return Options(seed, faults, town, weather, calls, span, agents, 2, errands)


def _draw_doors(random: Random, faults: tuple[str, ...]) -> tuple[tuple[str, ...], str]:
    """Return entry rules of the junior queue, with what happens to whom it turns away, and its hours."""
    hours = ""
    keys: list[str] = []
    if "doors" in faults:
        keys.append(f'on_full = "{random.choice(AT_THE_DOOR)}"')
        keys.append(f"absent = [{random.choice(ABSENT)}]")
        if random.random() < 0.5:
            keys.append("max_wait_empty = 10")
            keys.append(f'on_empty = "{random.choice(AT_THE_DOOR)}"')
        if random.random() < 0.5:
            keys.append("max_estimate = 5")
            keys.append(f'on_estimate = "{random.choice(TARGETS)}"')
        hours = random.choice(HOURS)
        if hours:
            keys.append(f'on_closed = "{random.choice(TARGETS)}"')
    if "wanted seats" in faults:
        keys.append(f"sticky_for = {random.choice((0, 5, 30))}")
        keys.append(f"seat_wait = {random.choice((5, 60))}")
        keys.append(f"resume_abandoned = {random.choice((0, 60))}")
        keys.append(f"starve_after = {random.choice((0, 20))}")
        keys.append(f'on_seat_wait = "{random.choice(("anyone", "hangup", "queue:senior"))}"')
    return tuple(keys), hours


def _draw_errand(random: Random, index: int, span: float, faults: tuple[str, ...]) -> tuple[float, Errand]:
    deaf, wanted = "deaf callers" in faults, "wanted seats" in faults
    calls_again = index and wanted and random.random() < 0.4
    numbers = ("96198",) * 8 + ("96199", "96200", "96201", "95555") + ("96202",) * (4 if wanted else 0)
    errand = Errand(
        number=random.choice(numbers),
        caller=str(13800000001 + (random.randrange(index) if calls_again else index)),
        hangs_up_after=round(random.expovariate(1 / random.choice((2.0, 20.0, 90.0))), 3),
        offers_late=random.random() < 0.1,
        acks=not (deaf and random.random() < 0.15),
        ack_after=random.choice((0.0, 0.0, 0.3, 1.2)),
        bye_before_ack=deaf and random.random() < 0.15,
        vanishes_after=round(random.uniform(0.1, 60.0), 3) if deaf and random.random() < 0.15 else None,
        reinvites_after=round(random.uniform(0.5, 20.0), 3)
        if "holds" in faults and random.random() < 0.4
        else None,
    )
    return round(5.0 + random.uniform(0.0, span), 3), errand


def draw_manner(random: Random) -> Manner:
    """Return what a phone does with one call."""
    kind = random.random()
    rings_after = random.choice((None, 0.02, 0.2, 1.0))
    talks_for = random.choice((None, round(random.uniform(0.0, 2.0), 3), round(random.uniform(5.0, 60.0), 3)))
    if kind < 0.65:
        forks = random.random() < 0.1
        return Manner(rings_after, round(random.uniform(0.0, 8.0), 3), talks_for=talks_for, forks=forks)
    if kind < 0.78:
        refuses = random.choice((486, 480, 603, 600, 404, 500, 503))
        return Manner(rings_after, round(random.uniform(0.0, 3.0), 3), refuses=refuses)
    if kind < 0.90:
        return Manner(rings_after, None, answers_cancelled=random.random() < 0.5)
    if kind < 0.95:
        return Manner(
            rings_after, round(random.uniform(0.0, 3.0), 3), vanishes_after=random.uniform(0.0, 10.0)
        )
    return Manner(
        rings_after, round(random.uniform(20.0, 26.0), 3), answers_cancelled=True, talks_for=talks_for
    )


class Swarm:
    """One world being run."""

    def __init__(self, options: Options, *, check_every: int = 1, long_log: bool = False) -> None:
        self.options = options
        self.random = Random(f"swarm/{options.seed}")
        self.ears = Random(f"swarm/ears/{options.seed}")
        self.world = World(options.seed, options.town, weather=options.weather, check_every=check_every)
        if long_log:
            self.world.long_log = []
        self.world.network.tells_unreachable = "icmp" in options.faults
        self.begun = 0
        self.astray: dict[str, bool] = {}  # who heard others than they should, a second ago
        self.has_healed = False

    def run(self) -> Result:
        """Run both phases; Unsafe or Stuck when something is wrong."""
        world = self.world
        try:
            self._populate()
            self._safety()
            self._liveness()
            check_rows(world)
        except Stuck:
            raise
        except Exception as error:  # whatever the switch throws is a failure of safety
            raise Unsafe(f"{type(error).__name__}: {error} (at {world.elapsed:.3f})") from error
        verdicts: dict[str, int] = {}
        for row in world.call_rows:
            verdicts[row.verdict] = verdicts.get(row.verdict, 0) + 1
        return Result(self.options, world.fingerprint, world.turns, world.elapsed, world.story, verdicts)

    # What is planned.

    def _populate(self) -> None:
        world, random, options = self.world, self.random, self.options
        for seat in options.town.seats[: options.agents]:
            habits = Habits(
                signs_in_at=round(random.uniform(0.9, 4.0), 3),
                ends_wrapup=random.choice((0.0, 0.5, 1.0)),
                pauses=random.choice((0.0, 0.3)),
                rests_for=random.choice((5.0, 60.0)),
                signs_out_at=round(random.uniform(10.0, 200.0), 3) if random.random() < 0.1 else None,
                drops_desk_at=round(random.uniform(5.0, 100.0), 3) if "desks" in options.faults else None,
                uses_desk=0.6 if "desk operations" in options.faults else 0.0,
                phone_kind="pstn" if "pstn" in options.faults and random.random() < 0.4 else "softphone",
            )
            agent = world.add_agent(
                seat, habits=habits, tcp="tcp" in options.faults and random.random() < 0.5
            )
            if agent.phone is not None:
                agent.phone.choose = lambda _: draw_manner(random)
        if "desk operations" in options.faults:
            leader = world.add_agent("8901", habits=Habits(signs_in_at=2.0))
            assert leader.phone is not None
            leader.phone.choose = lambda _: draw_manner(random)
        if SUPERVISORS in options.faults:
            leader = world.agents.get("8901") or world.add_agent("8901", habits=Habits(signs_in_at=2.0))
            assert leader.phone is not None
            leader.phone.choose = lambda _: draw_manner(self.ears)
            world.time.after(4.0, self._supervise)
        world.trunk.choose = lambda _: draw_manner(random)
        if random.random() < 0.5:
            world.trunk.password = "trunk-secret"
        for index in range(options.extensions):
            phone = world.add_phone(str(2001 + index), algorithm=random.choice(("MD5", "SHA-256")))
            phone.choose = lambda _: draw_manner(random)
            world.time.after(0.2, phone.register)
        for at, errand in options.errands:
            world.time.after(at, lambda errand=errand: self._dial(errand))
        world.time.after(1.0, self._listen)
        for fault, plan in self._faults().items():
            if fault in options.faults:
                for _ in range(random.randint(1, 4)):
                    at = round(random.uniform(5.0, options.span + 40.0), 3)
                    world.time.after(at, lambda plan=plan: self._strike(plan))

    def _listen(self) -> None:
        """Once a second: does everybody hear what they should?"""
        check_audio(self.world)
        before, self.astray = self.astray, ears_astray(self.world)
        lasting = [what for what in self.astray if what in before]
        assert not lasting, lasting[0]
        self.world.time.after(1.0, self._listen)

    def _bind(self) -> None:
        """For ten seconds ports cannot be bound."""
        workers = self.world.workers
        workers.bind_failures = 0.5
        self.world.note("fault", "half of the ports cannot be bound")
        self.world.time.after(10.0, lambda: setattr(workers, "bind_failures", 0.0))

    def _strike(self, fault: Callable[[], None]) -> None:
        if not self.has_healed:
            fault()

    def _dial(self, errand: Errand) -> None:
        self.begun += 1
        self.world.trunk.dial(errand)

    def _faults(self) -> dict[str, Callable[[], None]]:
        return {
            "blocks": self._block,
            "power": self._power_cut,
            "moves": self._move,
            "rebinding": self._rebind,
            "reloads": self._reload,
            "workers": self.world.workers.crash,
            "operator": self._operator,
            "internal": self._internal,
            "cut": self._cut,
            "glare": self._glare,
            "bind": self._bind,
            "noise": self._noise,
            "desk operations": self._operate,
            "holds": self._hold,
            "kills": self._kill,
            "callbacks": self._promise,
            "transfers": self._transfer,
        }

    def _some_phone(self) -> Softphone | None:
        phones = [phone for phone in self.world.phones.values() if phone.is_alive]
        return self.random.choice(phones) if phones else None

    def _block(self) -> None:
        phone = self._some_phone()
        host = CARRIER[0] if phone is None or self.random.random() < 0.3 else phone.address[0]
        for_seconds = self.random.choice((1.0, 10.0, 45.0))
        self.world.note("fault", f"{host} is cut off for {for_seconds:g} s")
        self.world.network.block(host, SWITCH[0], both_ways=self.random.random() < 0.7)
        self.world.time.after(for_seconds, lambda: self.world.network.unblock(host, SWITCH[0]))

    def _power_cut(self) -> None:
        phone = self._some_phone()
        if phone is not None:
            phone.vanish()
            self.world.time.after(self.random.choice((2.0, 30.0)), lambda: self._back(phone))

    def _back(self, phone: Softphone) -> None:
        if not phone.is_alive:
            phone.restart()

    def _cut(self) -> None:
        phones = [phone for phone in self.world.phones.values() if phone.streams is not None]
        if phones:
            phone = self.random.choice(phones)
            self.world.note("fault", f"the connection of {phone.name} is cut")
            phone.cut_connection()

    def _move(self) -> None:
        phone = self._some_phone()
        if phone is not None:
            self.world.note("fault", f"{phone.name} moves to another port")
            phone.move(phone.address[1] + 2)

    def _rebind(self) -> None:
        phone = self._some_phone()
        if phone is not None:
            port = self.random.randint(30_000, 60_000)
            self.world.note("fault", f"{phone.name} is seen as port {port}")
            self.world.network.rebind(phone.address, (phone.address[0], port))

    def _kill(self) -> None:
        """The switch dies, for a moment or for some seconds, and perhaps again while it recovers."""
        random, world = self.random, self.world
        down_for = random.choice((0.0, 0.3, 4.0))
        world.kill_switch(
            random.choice(DEATHS), down_for=down_for, again=random.choice(("", "", TORN, SENDING))
        )
        if random.random() < 0.3:
            world.time.after(
                round(random.uniform(0.0, 8.0), 3), lambda: self._strike(lambda: world.kill_switch(BETWEEN))
            )
        faults = self.options.faults
        if not any(fault in faults for fault in ("loss", "blocks", "rebinding", "moves", "cut")):
            world.time.after(12.0, self._look_for_zombies)

    def _look_for_zombies(self) -> None:
        world, kills = self.world, self.world.kills
        if world.is_up and world.time.now - world.started_at > 5.5:
            world.time.after(1.0, partial(self._look_again, zombies(world), kills))

    def _look_again(self, suspects: list[Call], kills: int) -> None:
        """A BYE may have been under way a second ago."""
        if self.world.kills == kills:
            left = [call for call in suspects if call in zombies(self.world)]
            assert not left, f"5 s after a kill these still talk to nobody: {left}"

    def _reload(self) -> None:
        town = self.options.town
        changed = Town(**{**vars(town), "wrap_up": self.random.choice((0.0, 7.0)), "max_waiting": 50})
        self.world.note("fault", "configuration reloaded")
        self.world.has_reloaded = True
        settings = load_settings(changed.toml(), file="town.toml")
        self.world.turn(lambda now: self.world.node.reconfigure(settings, now))

    def _operator(self) -> None:
        calls = sorted(self.world.node.switchboard.calls)
        if not calls:
            return
        call = CallId(self.random.choice(calls))
        self.world.note("fault", f"the operator ends {call}")
        try:
            self.world.turn(lambda now: self.world.node.hang_up(call, "operator", now))
        except OperationRefused as refused:
            raise AssertionError(f"a living call cannot be hung up: {refused}") from refused

    def _internal(self) -> None:
        phone = self._some_phone()
        if phone is None:
            return
        number = self.random.choice(["2001", "2002", "9999", *self.options.town.seats])
        call = phone.invite(number, to_host="sim.example")
        self.world.time.after(round(self.random.uniform(0.1, 40.0), 3), call.hang_up)

    def _promise(self) -> None:
        """Somebody books a callback, lets a caller go with a promise, or takes a promise back."""
        random, admin = self.random, self.world.admin
        if not self.world.is_up:
            return
        kind, node = random.randrange(4), self.world.node
        waiting = [
            view["call"] for view in node.calls_view(self.world.time.now) if view["state"] == "waiting"
        ]
        promised = [view["callback"] for view in node.engine.callbacks.views(self.world.time.now)]
        if kind == 0 and promised:
            admin.send("callback.cancel", {"callback": random.choice(promised)}, self._check_reply)
        elif kind == 1 and waiting:
            admin.send("callback.choose", {"call": random.choice(waiting)}, self._check_reply)
        else:
            number = str(13800000001 + random.randrange(self.options.calls + 3))
            queue = random.choice(("junior", "junior", "senior"))
            admin.send("callback.book", {"number": number, "queue": queue}, self._check_reply)

    def _talking(self) -> list[Call]:
        phones = self.world.phones.values()
        return [call for phone in phones for call in phone.calls if call.state == "talking"]

    def _transfer(self) -> None:
        """A phone sends its caller on, blind (RFC 5589 6.1), and hangs up at once, soon or never."""
        talking = self._talking()
        if talking:
            number = self.random.choice(("2001", "2002", "9999", "96200", *self.world.town.seats))
            call = self.random.choice(talking)
            call.refer(number, DOMAIN, self.random.choice((None, 0.0, 3.0)))

    def _hold(self) -> None:
        talking = self._talking()
        if talking:
            call = self.random.choice(talking)
            call.reinvite("sendonly")
            self.world.time.after(self.random.choice((0.05, 5.0)), lambda: self._resume(call))

    def _glare(self) -> None:
        """Both sides of a conversation change it at the same moment (RFC 3261 14.1)."""
        callers = [call for call in self.world.trunk.calls if call.is_caller and call.state == "talking"]
        for phone in self.world.phones.values():
            for call in phone.calls:
                if call.state == "talking" and callers:
                    call.reinvite("sendonly")
                    callers[0].reinvite("sendrecv")
                    self.world.time.after(2.0, lambda call=call: self._resume(call))
                    return

    def _noise(self) -> None:
        """What was seen on the wire arrives again, damaged, from a stranger and from the carrier's net."""
        seen = self.world.recent
        self.world.is_noisy = True
        for _ in range(20):
            if not seen:
                return
            data = bytearray(self.random.choice(seen))
            for _ in range(self.random.randint(1, 6)):
                at = self.random.randrange(len(data))
                kind = self.random.randrange(3)
                if kind == 0:
                    data[at] = self.random.randrange(256)
                elif kind == 1:
                    del data[at : at + self.random.randint(1, 40)]
                else:
                    data[at:at] = data[max(at - 20, 0) : at]
                if not data:
                    break
            source = self.random.choice((STRANGER, ("203.0.113.99", 5060)))
            self.world.network.send(source, SWITCH, bytes(data))

    def _operate(self) -> None:
        """Somebody at a desk presses whatever button."""
        random, world = self.random, self.world
        world.has_meddlers = True
        desks = [
            agent.desk for agent in world.agents.values() if agent.desk is not None and agent.desk.is_open
        ]
        for _ in range(5):
            lead = world.agents["8901"].desk
            desk = random.choice(
                [*desks, world.admin, *([lead] if lead is not None and lead.is_open else [])]
            )
            seat = random.choice(world.town.seats)
            method, params = random.choice(self.options.buttons)
            living = sorted(world.node.switchboard.calls)
            drawn = {"SEAT": seat, "CALL": random.choice(living) if living else "none"}
            filled = {
                key: drawn.get(value, value) if isinstance(value, str) else value
                for key, value in params.items()
            }
            desk.send(method, filled, self._check_reply)

    def _supervise(self) -> None:
        """A leader goes into a seat's conversation, changes its mind, takes over, or goes; and again."""
        world, random = self.world, self.ears
        if self.has_healed:
            return
        world.time.after(round(random.choice((0.05, 1.0, 4.0)) * random.random(), 3), self._supervise)
        desk = random.choice((world.agents["8901"].desk, world.agents["8901"].desk, world.admin))
        if not world.is_up or desk is None or not desk.is_open:
            return
        node = world.node
        talking = [seat for seat, it in node.engine.seats.items() if it.activity.value == "talking"]
        attended = [str(seat) for seat in node.switchboard.supervision.by_seat]
        if not attended or random.random() < 0.1:
            params: dict[str, Any] = {"seat": random.choice(talking or ["8001"])}
            params["follow"] = random.random() < 0.4
            if desk is world.admin or random.random() < 0.2:
                kind, number = random.choice(EARS)
                params["phone"] = {"kind": kind, "number": number}
            desk.send(f"supervisor.{random.choice(MODES)}", params, self._check_reply)
            return
        kind, seat = random.random(), random.choice(attended)
        if kind < 0.4:
            params = {"mode": random.choice(MODES), "seat": seat}
            desk.send("supervisor.switch", params, self._check_reply)
        elif kind < 0.55:
            desk.send("supervisor.takeover", {"seat": seat}, self._check_reply)
        elif kind < 0.65:
            call = node.switchboard.supervision.by_seat[SeatId(seat)].call.id
            desk.send("call.hangup", {"call": call}, self._check_reply)

    def _check_reply(self, response: dict[str, Any]) -> None:
        code = response.get("error", {}).get("code", 0)
        if code in (-32603, -32602, -32601):
            self.world.complain("desk", f"{response}")

    def _resume(self, call: Call) -> None:
        if call.state == "talking":
            call.reinvite("sendrecv")

    # The two phases.

    def _safety(self) -> None:
        world, options = self.world, self.options

        def over() -> bool:
            return self.begun == options.calls and all(
                call.has_ended for call in world.trunk.calls if call.is_caller
            )

        until = world.time.now + SAFETY_MAX
        world.run(options.span + 10.0)
        while not over() and world.time.now < until:
            world.run(5.0)
        self._objections()

    def _liveness(self) -> None:
        world = self.world
        world.note("world", "heals")
        self.has_healed = True
        self._let_promises_go()
        if "standing" in self.options.town.more_seat:
            send_home(world)  # nothing else ends a line
        world.network.heal()
        for phone in world.phones.values():
            self._back(phone)
            phone.choose = lambda _: Manner(answers_after=None)
        world.trunk.choose = lambda _: Manner(answers_after=None)
        for endpoint in [world.trunk, *world.phones.values()]:
            for call in endpoint.calls:
                if not call.has_ended:
                    call.hang_up()
        within = QUIET_WITHIN + self.options.town.max_wait
        until = world.time.now + within
        while (left := check_quiet(world)) and world.time.now < until:
            world.run(5.0)
        self._objections()
        if left:
            raise Stuck(f"not quiet after {within:g} s of fair weather: {'; '.join(left[:8])}")

    def _let_promises_go(self) -> None:
        if self.world.is_up:
            promised = list(self.world.node.engine.callbacks.views(self.world.time.now))
            for view in promised:
                self.world.admin.send("callback.cancel", {"callback": view["callback"]}, self._check_reply)

    def _objections(self) -> None:
        if self.world.complaints:
            raise Unsafe("; ".join(self.world.complaints[:5]))


def run_seed(seed: int, *, check_every: int = 1, calls_max: int = 20) -> Result:
    """Run one seed with everything it means."""
    return Swarm(draw_options(seed, calls_max), check_every=check_every).run()
