"""Enumeration: does the time of an answer tell a stranger who exists?

REGISTERs for users who exist and who do not, without credentials and with a wrong password, in turn, through
one stack in process; the medians of the answer times and their difference. The bar is 5 ms; what a network
adds is many times the difference.

python -m benchmarks.bench_enumeration [TRIES]
"""

import sys
from statistics import median
from time import perf_counter_ns

from sip.digest import answer_challenge
from sip.settings import Secret
from tests.sip.scene import STRANGER, Scene, request

USERS = {"exists": "8001", "unknown": "8999"}
BAR_MS = 5.0


def register(name: str, user: str, headers: tuple[str, ...] = ()) -> bytes:
    """A REGISTER of ``user``."""
    me = f"<sip:{user}@example.com>"
    return request(
        "REGISTER",
        "sip:example.com",
        branch=f"z9hG4bK{name}",
        via="203.0.113.5",
        call_id=name,
        from_=f"{me};tag={name}",
        to=me,
        contact=f"<sip:{user}@203.0.113.5>",
        headers=headers,
    )


def measure(tries: int, *, guesses: bool) -> dict[str, float]:
    """Return the median milliseconds of an answer, for each kind of user."""
    scene = Scene(requests_per_source=1e9, ban_failures=0)
    times: dict[str, list[int]] = {kind: [] for kind in USERS}
    for number in range(tries):
        for kind, user in USERS.items():
            name = f"{kind}{number}"
            headers: tuple[str, ...] = ()
            if guesses:
                asked = scene.receive(register(f"ask{name}", user), STRANGER)[0]
                values = asked.message.headers("www-authenticate")
                said = answer_challenge(
                    values, user, Secret(password="1234"), "REGISTER", "sip:example.com", b"", "c"
                )
                headers = (f"Authorization: {said}",)
            data = register(name, user, headers)
            began = perf_counter_ns()
            scene.stack.receive_datagram(data, STRANGER, scene.now)
            times[kind].append(perf_counter_ns() - began)
            scene.clear()
    return {kind: median(each) / 1e6 for kind, each in times.items()}


def main() -> int:
    """Print both kinds of try; 1 if the bar is missed."""
    tries = int(sys.argv[1]) if len(sys.argv) > 1 else 2_000
    worst = 0.0
    for guesses in (False, True):
        found = measure(tries, guesses=guesses)
        apart = abs(found["exists"] - found["unknown"])
        worst = max(worst, apart)
        what = "wrong password" if guesses else "no credentials"
        ms = ", ".join(f"{kind} {each:.4f} ms" for kind, each in found.items())
        print(f"{what}: {ms}, apart {apart:.4f}")
    return int(worst > BAR_MS)


if __name__ == "__main__":
    sys.exit(main())
