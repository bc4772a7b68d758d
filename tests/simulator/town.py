"""The configuration that simulated worlds run: one tenant, three queues and levels, a carrier, extensions."""

from dataclasses import dataclass

SWITCH = ("192.0.2.1", 5060)
CARRIER = ("203.0.113.10", 5060)
STRANGER = ("203.0.114.66", 5060)  # in no trunk's accept
DOMAIN = "sim.example"
PASSWORD = "open-sesame"


@dataclass(frozen=True)
class Town:
    """What differs between one simulated switch and another."""

    juniors: int = 3
    intermediates: int = 1
    seniors: int = 1
    extensions: int = 2
    leaders: int = 0  # supervisors: 8901, ...
    answer: str = "200"
    when_empty: str = "wait"
    on_timeout: str = "hangup"
    ring_for: float = 25.0
    max_wait: float = 600.0
    max_waiting: int = 200
    wrap_up: float = 30.0
    policy: str = "least-skilled-first"
    relaxes: bool = True
    seat_quota: int = 0
    rtp_timeout: float = 60.0
    probes_every: float = 30.0
    ports: tuple[int, int] = (20000, 20998)
    trunk_calls: int = 0
    workers: int = 1
    junior_entry: str = "queue:junior"  # where 96198 leads
    doors: tuple[str, ...] = ()  # entry rules of the junior queue, one key each
    callback: str = ""
    accept_key: str = ""  # of outside phones
    hold_recall: float = 0.0
    hours: str = ""  # week of its opening hours
    more: str = ""  # tables at the end
    more_seat: str = ""  # keys of every seat
    more_tenant: str = ""  # keys of the tenant
    more_trunk: str = ""  # keys of the trunk
    missed: str = '{no_answer = {pause_after = 3}, refused = {delay = "5s"}, unreachable = {delay = "5s"}}'

    @property
    def seats(self) -> list[str]:
        """Return every seat's number, juniors first."""
        numbers = [str(8001 + index) for index in range(self.juniors)]
        numbers += [str(8101 + index) for index in range(self.intermediates)]
        return numbers + [str(8201 + index) for index in range(self.seniors)]

    def toml(self) -> str:
        """Return the configuration."""
        relax = '[{after = "20s", level = "intermediate"}, {after = "40s", level = "senior"}]'
        parts = [_HEAD.format(town=self, trunk_calls=self.trunk_calls, ports=list(self.ports))]
        anybody = '{from = "junior", to = "senior"}'
        doors = "\n".join(self.doors)
        if self.hours:
            parts.append(f'[[hours]]\nname = "office"\nweek = ["{self.hours}"]\n')
            doors += '\nhours = "office"'
        if self.relaxes:
            parts.append(self._queue("junior", '"junior"', relax, doors))
        else:
            parts.append(self._queue("junior", anybody, "[]", doors))
        parts.append(self._queue("senior", '"senior"', "[]"))
        parts.append(self._queue("complaint", '"senior"', "[]", 'priority_credit = "90s"'))
        for number in self.seats:
            level = {"0": "junior", "1": "intermediate", "2": "senior"}[number[1]]
            queues = '["junior"]' if level != "senior" else '["junior", "senior", "complaint"]'
            parts.append(
                f'[[seat]]\nnumber = "{number}"\ntenant = "demo"\npassword = "{PASSWORD}"\n'
                f'level = "{level}"\n'
                f'skills = {{}}\nqueues = {queues}\nphones = ["softphone", "pstn:139000{number}"]\n'
                f"{self.more_seat}\n"
            )
        for index in range(self.leaders):
            parts.append(
                f'[[seat]]\nnumber = "{8901 + index}"\ntenant = "demo"\npassword = "{PASSWORD}"\n'
                'level = "senior"\nqueues = []\nrole = "supervisor"\n'
            )
        for index in range(self.extensions):
            parts.append(
                f'[[extension]]\nnumber = "{2001 + index}"\ntenant = "demo"\npassword = "{PASSWORD}"\n'
            )
        parts.append(self.more)
        return "\n".join(parts)

    def _queue(self, name: str, level: str, relax: str, more: str = "") -> str:
        on_timeout = self.on_timeout if name == "junior" else "hangup"
        return (
            f'[[queue]]\nname = "{name}"\ntenant = "demo"\nrequires = {{level = {level}, skills = {{}}}}\n'
            f'relax = {relax}\npolicy = "{self.policy}"\nanswer = "{self.answer}"\n'
            f'when_empty = "{self.when_empty}"\nring_for = {self.ring_for}\nmax_wait = {self.max_wait}\n'
            f'max_waiting = {self.max_waiting}\non_timeout = "{on_timeout}"\nservice_level = "20s"\n'
            f"missed = {self.missed}\n{self.callback}\n{more}\n"
        )


_HEAD = """\
[sip]
listen = ["udp://192.0.2.1:5060", "tcp://192.0.2.1:5060"]
domain = "sim.example"
session_expires = "90s"

[media]
address = "192.0.2.1"
ports = {ports}
workers = {town.workers}
codecs = ["PCMU", "PCMA"]

[rpc]
listen = []

[store]
url = "sqlite:///var/simulated.db"

[http]
listen = []

[switch]
drain_after = "10m"
accept_key = "{town.accept_key}"
hold_recall = {town.hold_recall}

[[trunk]]
name = "carrier"
tenant = "demo"
accept = ["203.0.113.0/24"]
contact = "sip:203.0.113.10:5060"
max_calls = {trunk_calls}
hotline_in = "request-uri"
auth = {{user = "demo", password = "trunk-secret"}}
{town.more_trunk}

[[tenant]]
name = "demo"
hotlines = [
  {{number = "96198", entry = "{town.junior_entry}"}},
  {{number = "96199", entry = "queue:complaint"}},
  {{number = "96200", entry = "queue:senior"}},
  {{number = "96201", entry = "extension:2001"}},
  {{number = "96202", entry = "queue:junior/8001"}},
]
pause_reasons = ["rest", "meeting"]
seat_quota = {town.seat_quota}
{town.more_tenant}

[[level]]
name = "junior"
handle_limit = "3m"
wrap_up = {town.wrap_up}
[[level]]
name = "intermediate"
handle_limit = "5m"
wrap_up = {town.wrap_up}
[[level]]
name = "senior"
wrap_up = {town.wrap_up}
"""
