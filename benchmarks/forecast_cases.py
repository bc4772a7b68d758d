"""The rows of queueing theory that forecasts are compared with, each a scenario and its exact figures.

Every numeric row of the reference tables is here by name. Figures are those of the tables; where a table
gives the seats and the load alone, they follow from the formulas below. Limits for many seats (Halfin-Whitt,
Garnett) are played with a hundred seats: the exact figure of those is what must come of it, and how far the
limit is from that is told (:func:`limits`). Tests play the cases with modest runs,
:mod:`benchmarks.forecast_reference` with long ones.
"""

from collections.abc import Iterator, Mapping
from math import exp, sqrt
from typing import NamedTuple

Figures = Mapping[str, float]


class Case(NamedTuple):
    """A scenario and what must come of it; figures are named ``class.measure`` and ``group.utilisation``."""

    name: str
    text: str
    exact: Figures
    own: float = 0.0  # relative standard error of ``exact``


class Drill(NamedTuple):
    """Calls in half an hour, handle time, target and threshold, and the least agents for it."""

    calls: int
    handle: float
    target: float
    threshold: float
    agents: int
    level: float
    wait: float

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{self.calls} calls of {self.handle:g} s, {self.target:.0%} in {self.threshold:g} s"

    def text(self, seats: int) -> str:
        """Return the scenario with ``seats`` seats."""
        top = f"threshold = {self.threshold}"
        return desk(self.calls / 1800, self.handle, seats, top=top)

    def case(self) -> Case:
        """Return what its least agents come to."""
        exact = {"a.service_level": self.level, "a.mean_wait": self.wait}
        return Case(f"{self.agents} agents for {self.name}", self.text(self.agents), exact)


DRILLS = (
    Drill(200, 240.0, 0.80, 20.0, 32, 0.8485, 10.63),
    Drill(180, 240.0, 0.80, 20.0, 29, 0.8403, 11.63),
    Drill(60, 300.0, 0.85, 15.0, 14, 0.8574, 13.06),
    Drill(1000, 180.0, 0.80, 20.0, 107, 0.8238, 9.86),
    Drill(180, 180.0, 0.90, 10.0, 24, 0.9086, 3.83),
)


# Formulas.


def erlang_b(c: int, a: float) -> float:
    """Return the blocking of ``c`` seats under ``a`` erlang."""
    blocking = 1.0
    for k in range(1, c + 1):
        blocking = a * blocking / (k + a * blocking)
    return blocking


def chain(c: int, a: float, theta: float, lines: int) -> list[float]:
    """Return the stationary law of M/M/c with patience rate ``theta`` (per handle time), cut at ``lines``."""
    weights = [1.0]
    for k in range(1, lines + 1):
        weights.append(weights[-1] * a / (min(k, c) + max(0, k - c) * theta))
    whole = sum(weights)
    return [weight / whole for weight in weights]


def queue_figures(c: int, a: float, handle: float, theta: float, lines: int) -> Figures:
    """Return the exact figures of a chain; ``handle`` in seconds."""
    law = chain(c, a, theta, lines)
    length = sum((k - c) * p for k, p in enumerate(law) if k > c)
    busy = sum(min(k, c) * p for k, p in enumerate(law))
    blocked = law[lines]
    return {
        "a.blocked": blocked,
        "a.probability_wait": sum(law[c:lines]),
        "a.mean_wait": handle * length / (a * (1 - blocked)),
        "a.mean_queue": length,
        "a.abandoned": theta * length / a,
        "g.utilisation": busy / c,
    }


# Scenarios.


def desk(rate: float, handle: float, seats: int, *, top: str = "", more: str = "", settle: float = 60) -> str:
    """Return a scenario of one class and one group; ``rate`` per second, ``settle`` in handle times."""
    return (
        f'warm_up = "{settle * handle:g}s"\n{top}\n[[class]]\nname = "a"\nrate = "{rate * 3600!r}/h"\n'
        f"handle = {{mean = {handle}}}\n{more}\n"
        f'[[group]]\nname = "g"\nseats = {seats}\nserves = ["a"]\n'
    )


def all_cases() -> list[Case]:
    """Return every case."""
    return [
        *erlang_b_cases(),
        *overflow_cases(),
        *erlang_c_cases(),
        *(drill.case() for drill in DRILLS),
        *erlang_a_cases(),
        *trunk_cases(),
        *priority_cases(),
        *n_design_cases(),
        *inverted_v_cases(),
        *department_cases(),
        *limit_cases(),
    ]


# Calls that find no seat are lost.

BLOCKING = (
    *((1, 1.0, 0.5), (2, 1.0, 0.2), (5, 3.0, 0.110054), (10, 5.0, 0.018385), (10, 10.0, 0.214582)),
    *((30, 30.0, 0.132460), (50, 50.0, 0.104787), (100, 100.0, 0.075700)),
    *((10, 20.0, 0.5379631686320729), (190, 200.0, 0.08869684386923561), (1, 5.0, 0.8333333333)),
)
LOADS = (  # of 1 % blocking, then of 0.1 %
    *((1, 0.0101, 0.01), (2, 0.1526, 0.01), (5, 1.3608, 0.01), (10, 4.4612, 0.01), (20, 12.0306, 0.01)),
    *((30, 20.3373, 0.01), (50, 37.9014, 0.01), (100, 84.0642, 0.01)),
    *((10, 3.0920, 0.001), (30, 16.6839, 0.001), (100, 75.2420, 0.001)),
)


def erlang_b_cases() -> Iterator[Case]:
    """Blocking, and loads for a given blocking."""
    for c, a, blocking in (*BLOCKING, *LOADS):
        exact = {"a.blocked": blocking, "g.utilisation": a * (1 - blocking) / c}
        yield Case(f"Erlang B({c}, {a:g})", desk(a / 60, 60.0, c, more="queued = false", settle=10), exact)


OVERFLOWS = (  # seats, load, mean, variance and peakedness of what they lose
    (10, 10.0, 2.145823, 4.362447, 2.032995),
    (5, 5.0, 1.424339, 2.333179, 1.638079),
    (10, 8.0, 0.973289, 1.985661, 2.040157),
    (20, 18.0, 1.965831, 5.227026, 2.658940),
)
FEW = 5


def overflow_cases() -> Iterator[Case]:
    """What ``c`` seats lose goes to as many as it needs: how many are busy is the overflow, its mean and its
    variance over the mean; then to five, which lose more of it than of a Poisson stream.
    """
    for c, a, mean, _, peak in OVERFLOWS:
        more = int(a) + 60
        text = desk(a / 60, 60.0, c, settle=10) + f'[[group]]\nname = "s"\nseats = {more}\nserves = ["a"]\n'
        exact = {"s.utilisation": mean / more, "g.utilisation": (a - mean) / c, "s.peakedness": peak}
        yield Case(f"overflow of {c} seats, {a:g} erl", text, exact)
        text = desk(a / 60, 60.0, c, more="queued = false", settle=10)
        text += f'[[group]]\nname = "s"\nseats = {FEW}\nserves = ["a"]\n'
        lost = erlang_b(c + FEW, a)
        exact = {"a.blocked": lost, "s.utilisation": (mean - a * lost) / FEW}
        yield Case(f"overflow of {c} seats, {a:g} erl, on {FEW}", text, exact)


def wilkinson(c: int, a: float) -> tuple[float, float]:
    """Return mean and variance of what ``c`` seats lose of ``a`` erlang, as it keeps endless seats busy."""
    mean = a * erlang_b(c, a)
    return mean, mean * (1 - mean + a / (c + 1 + mean - a))


def hayward(seats: float, mean: float, peak: float) -> float:
    """Return the share of a stream of that mean and peakedness that ``seats`` lose, as Hayward estimates it:
    Erlang's formula for 1/peak times the seats and the load, which need not be whole numbers.
    """
    c, a = seats / peak, mean / peak
    # 1 / B = a * integral of exp(-a y) (1 + y)^c dy from 0 on; by Simpson's rule.
    steps, end = 20_000, 40.0 / a + 10.0
    width = end / steps
    whole = sum(
        (1 if at in (0, steps) else 4 if at % 2 else 2) * exp(-a * at * width) * (1 + at * width) ** c
        for at in range(steps + 1)
    )
    return 1 / (a * whole * width / 3)


# Calls that find no seat wait.

DELAYS = (
    *((1, 0.5, 0.5), (2, 1.0, 0.333333), (3, 2.0, 0.444444), (5, 4.0, 0.554113), (10, 8.0, 0.409180)),
    *((10, 9.0, 0.668732), (14, 10.0, 0.174132), (20, 18.0, 0.550769), (50, 48.0, 0.694456)),
    (100, 95.0, 0.506457),
)
STAFFING = (  # a = 10, AHT 180 s: agents, P(W > 0), ASA, SL 20, occupancy, 90th percentile of the wait
    (11, 0.6821, 122.78, 0.3896, 0.9091, 345.6),
    (12, 0.4494, 40.44, 0.6402, 0.8333, 135.2),
    (13, 0.2853, 17.12, 0.7956, 0.7692, 62.9),
    (14, 0.1741, 7.836, 0.8884, 0.7143, 25.0),
    (15, 0.1020, 3.673, 0.9415, 0.6667, 0.7),
)


def erlang_c_cases() -> Iterator[Case]:
    """Probabilities of waiting, the staffing drill, and the published comparison without patience."""
    for c, a, delay in DELAYS:
        figures = dict(queue_figures(c, a, 60.0, 0.0, c + 3000))
        exact = {"a.probability_wait": delay, "a.mean_wait": figures["a.mean_wait"], "g.utilisation": a / c}
        yield Case(f"Erlang C({c}, {a:g})", desk(a / 60, 60.0, c), exact)
    for c, delay, asa, level, busy, percentile in STAFFING:
        exact = {"a.probability_wait": delay, "a.mean_wait": asa, "a.service_level": level}
        exact["g.utilisation"] = busy
        yield Case(f"{c} agents for 10 erl", desk(10 / 180, 180.0, c), exact)
        text = desk(10 / 180, 180.0, c, top=f"threshold = {percentile}")
        yield Case(f"{c} agents for 10 erl, 90th percentile", text, {"a.service_level": 0.9})
    for rate, what, rows in (
        (48.0, "", (0.694456, 20.834, 16.667, 0.96, 58.139)),
        (48.0 * (1 - 0.030912), " less 3.1 %", (0.0, 8.813, 6.832, 0.9302, 28.10)),
    ):
        delay, asa, length, busy, percentile = rows
        exact = {"a.mean_wait": asa, "a.mean_queue": length, "g.utilisation": busy}
        if delay:
            exact.update({"a.probability_wait": delay, "a.service_level": 0.6435})
        yield Case(f"50 agents, 48 calls/min{what}", desk(rate / 60, 60.0, 50), exact)
        text = desk(rate / 60, 60.0, 50, top=f"threshold = {percentile}")
        yield Case(f"50 agents, 48 calls/min{what}, 90th percentile", text, {"a.service_level": 0.9})


def erlang_a_cases() -> Iterator[Case]:
    """Patience: 10 seats with 10 erl, and the published comparison."""
    exact = {"a.probability_wait": 0.59943, "a.abandoned": 0.10944, "a.mean_wait": 32.831}
    exact |= {"a.mean_queue": 1.8240, "g.utilisation": 0.89056, "a.service_level": 0.51681}
    text = desk(200 / 3600, 180.0, 10, more="patience = {mean = 300}")
    yield Case("Erlang A(10, 10)", text, exact)
    exact = {"a.probability_wait": 0.46777, "a.abandoned": 0.030912, "a.mean_wait": 3.7095}
    exact |= {"a.mean_queue": 2.9676, "g.utilisation": 0.93032}
    yield Case("Erlang A(50, 48)", desk(0.8, 60.0, 50, more="patience = {mean = 120}"), exact)


def trunk_cases() -> Iterator[Case]:
    """M/M/c/K: so many lines, waiting calls included."""
    for a, c, lines, blocked in (
        *((10.0, 12, 20, 0.019081), (10.0, 12, 15, 0.055336), (18.0, 20, 30, 0.023217)),
        (8.0, 10, 10, 0.121661),
    ):
        exact = {**queue_figures(c, a, 60.0, 0.0, lines), "a.blocked": blocked}
        exact.pop("a.abandoned")
        text = desk(a / 60, 60.0, c, top=f"lines = {lines}")
        yield Case(f"M/M/{c}/{lines}, {a:g} erl", text, {k: v for k, v in exact.items() if v})
    entered = 1 - 0.003643  # of the offered; the table's figures are of those who entered
    exact = {"a.blocked": 0.003643, "a.probability_wait": 0.379706 * entered, "a.mean_wait": 0.450023 * 60}
    exact |= {"g.utilisation": 0.929933, "a.service_level": 0.732922 * entered}
    text = desk(84 / 600, 600.0, 90, top="lines = 120\nthreshold = 30")
    yield Case("M/M/90/120, 84 erl", text, exact)


# Priorities and levels.


def priority_cases() -> Iterator[Case]:
    """Cobham, two and three classes: a = 8, c = 10, AHT 180 s."""
    for shares, waits in (((25, 75), (9.2066, 46.0328)), ((20, 50, 30), (8.7681, 19.9276, 83.6959))):
        classes = "".join(
            f'[[class]]\nname = "{number}"\nrate = "{share * 1.6}/h"\nhandle = {{mean = 180}}\n'
            f"priority = {-number}\n"
            for number, share in enumerate(shares)
        )
        served = [str(number) for number in range(len(shares))]
        group = f'[[group]]\nname = "g"\nseats = 10\nserves = {served}\n'
        exact = {f"{number}.mean_wait": wait for number, wait in enumerate(waits)}
        yield Case(f"priority {shares}", classes + group, {**exact, "overall.mean_wait": 36.8262})


def n_design_cases() -> Iterator[Case]:
    """Exact two-dimensional chains; mean handle time a minute."""
    losses = (
        (0, 0.092743, 0.254286, 0.675951),
        (1, 0.141368, 0.175238, 0.645581),
        (5, 0.235570, 0.110054, 0.533967),
    )
    for held, low, high, seniors in losses:
        exact = {"L.blocked": low, "H.blocked": high, "J.utilisation": 0.76443, "S.utilisation": seniors}
        yield Case(f"N-design, loss, R = {held}", n_design(8, "queued = false", held), exact)
    names = ("L.mean_wait", "H.mean_wait", "L.abandoned", "H.abandoned", "L.probability_wait")
    names = (*names, "H.probability_wait", "J.utilisation", "S.utilisation")
    queues = (
        (0, 7.24218, 11.62182, 0.060351, 0.096849, 0.439588, 0.630602, 0.865982, 0.847688),
        (1, 9.86124, 7.66158, 0.082177, 0.063846, 0.534024, 0.415718, 0.883614, 0.799990),
        (5, 20.35164, 3.70098, 0.169597, 0.030841, 0.766499, 0.200814, 0.934204, 0.581495),
    )
    for held, *values in queues:
        text = n_design(9, "patience = {mean = 120}", int(held))
        yield Case(f"N-design, patience, R = {held}", text, dict(zip(names, values, strict=True)))


def n_design(low: int, more: str, held: int) -> str:
    """Return the scenario: class L on 8 juniors, then on 5 seniors; class H on the seniors."""
    return (
        f'[[class]]\nname = "L"\nrate = "{low}/min"\nhandle = {{mean = 60}}\n{more}\n'
        f'[[class]]\nname = "H"\nrate = "3/min"\nhandle = {{mean = 60}}\npriority = 1\n{more}\n'
        '[[group]]\nname = "J"\nseats = 8\nserves = ["L"]\n'
        f'[[group]]\nname = "S"\nseats = 5\nserves = ["L", "H"]\nhold_back = {held}\n'
    )


def inverted_v_cases() -> Iterator[Case]:
    """30 fast and 30 slow seats."""
    mixed = "".join(
        f'[[group]]\nname = "{name}"\nseats = 30\nserves = ["a"]\nspeed = {speed}\n'
        for name, speed in (("fast", 1.25), ("slow", 0.75))
    )
    exact = {
        "a.probability_wait": 0.335844,
        "a.mean_wait": 10.0753,
        "fast.utilisation": 0.885279,
        "slow.utilisation": 0.924534,
    }
    for policy in ("longest-idle", "random"):
        kind = '[[class]]\nname = "a"\nrate = "18/min"\nhandle = {mean = 180}\n'
        yield Case(f"inverted V, {policy}", f'policy = "{policy}"\n{kind}{mixed}', exact)


def department_cases() -> Iterator[Case]:
    """9 juniors, 6 intermediates, 4 seniors; simple calls, consultations, complaints."""
    names = ("overall.mean_wait", "overall.abandoned", "overall.service_level")
    names = (*names, "simple.mean_wait", "consult.mean_wait", "complaint.mean_wait")
    names = (*names, "simple.service_level", "consult.service_level", "complaint.service_level")
    names = (*names, "junior.utilisation", "intermediate.utilisation", "senior.utilisation")
    rows = (
        *((("A", "longest-idle", 0, 0), (11.14, 0.0373, 0.8475, 2.36, 15.52, 63.80)),),
        *((("B", "least-skilled-first", 0, 0), (9.87, 0.0330, 0.8643, 2.61, 13.60, 53.26)),),
        *((("E", "least-skilled-first", 1, 1), (11.55, 0.0387, 0.8332, 5.85, 17.16, 37.46)),),
    )
    rest = (
        (0.951, 0.745, 0.382, 0.649, 0.799, 0.892),
        (0.946, 0.781, 0.505, 0.729, 0.765, 0.793),
        (0.888, 0.754, 0.661, 0.746, 0.772, 0.749),
    )
    for ((letter, policy, strict, held), first), second in zip(rows, rest, strict=True):
        exact = dict(zip(names, (*first, *second), strict=True))
        yield Case(f"department, policy {letter}", department(policy, strict, held), exact, own=0.0075)


def department(policy: str, strict: int, held: int) -> str:
    """Return the scenario of the department under ``policy``."""
    kinds = (("simple", 3.0, 150), ("consult", 1.2, 240), ("complaint", 0.4, 420))
    classes = "".join(
        f'[[class]]\nname = "{name}"\nrate = "{rate}/min"\nhandle = {{mean = {handle}}}\n'
        f"patience = {{mean = 300}}\npriority = {strict * rank}\n"
        for rank, (name, rate, handle) in enumerate(kinds)
    )
    groups = "".join(
        f'[[group]]\nname = "{name}"\nseats = {seats}\nhold_back = {held}\n'
        f"serves = {[each[0] for each in kinds[: number + 1]]}\n"
        for number, (name, seats) in enumerate((("junior", 9), ("intermediate", 6), ("senior", 4)))
    )
    return f'policy = "{policy}"\n{classes}{groups}'


# Limits for many seats: c = a + beta * sqrt(a).

MANY = 100
HALFIN_WHITT = ((0.1, 0.88029), (0.2, 0.77145), (0.5, 0.50454), (0.8, 0.31481))
HALFIN_WHITT = (*HALFIN_WHITT, (1.0, 0.22336), (1.5, 0.08469), (2.0, 0.02688))
GARNETT = {  # patience in handle times: probabilities of waiting
    1.0: ((-1.0, 0.84134), (-0.5, 0.69146), (0.0, 0.5), (0.5, 0.30854), (1.0, 0.15866)),
    2.0: ((-1.0, 0.93123), (-0.5, 0.79793), (0.0, 0.58579), (0.5, 0.35718), (1.0, 0.17896)),
}


class Limit(NamedTuple):
    """A row of a limit: what it says for infinitely many seats, and what is exact for :data:`MANY`."""

    name: str
    load: float
    patience: float  # in handle times; 0: for ever
    says: float
    exact: float


def limits() -> list[Limit]:
    """Return every row. Without patience beta is of Halfin and Whitt, (1 - load / c) * sqrt(c)."""
    rows = [("Halfin-Whitt", beta, MANY - beta * sqrt(MANY), 0.0, says) for beta, says in HALFIN_WHITT]
    for patience, found in GARNETT.items():
        for beta, says in found:
            load = ((sqrt(beta * beta + 4 * MANY) - beta) / 2) ** 2
            rows.append((f"Garnett, patience {patience:g}", beta, load, patience, says))
    return [
        Limit(f"{kind}, beta {beta:g}", load, patience, says, _delay(load, patience))
        for kind, beta, load, patience, says in rows
    ]


def _delay(load: float, patience: float) -> float:
    law = chain(MANY, load, 1 / patience if patience else 0.0, MANY + 20_000)
    return sum(law[MANY:])


def limit_cases() -> Iterator[Case]:
    """Probabilities of waiting, of those rows that settle within a modest run."""
    for each in limits():
        more = f"patience = {{mean = {60 * each.patience}}}" if each.patience else ""
        if each.patience or each.load < 96:
            text = desk(each.load / 60, 60.0, MANY, more=more, settle=20)
            yield Case(f"{each.name}, {MANY} seats", text, {"a.probability_wait": each.exact})
