"""The forecast against exact results of queueing theory and the reference department, at fixed seeds.

Every figure must lie within 3.5 standard errors; benchmarks/forecast_reference.py does the same with longer
runs. Waits of the N-designs are given in mean handle times, which are a minute here.
"""

from typing import Any

import pytest

RUN = 'calls = 3000\nreplications = 10\nwarm_up = "40m"\n'


def one_class(
    rate: str, handle: str, seats: int, top: str = "", more: str = "", serves: str = '["a"]'
) -> str:
    return (
        f'{RUN}{top}\n[[class]]\nname = "a"\nrate = "{rate}"\nhandle = {{mean = "{handle}"}}\n{more}\n'
        f'[[group]]\nname = "g"\nseats = {seats}\nserves = {serves}\n'
    )


def test_erlang_b(forecast: Any) -> None:
    """B(10, 10) = .214582: calls that find no seat are lost."""
    found = forecast(one_class("10/min", "1m", 10, more="queued = false"))
    assert found.differences(**{"a.blocked": 0.214582, "g.utilisation": 0.785418}) == {}
    assert found.report["overall"]["probability_wait"] == 0


def test_erlang_c(forecast: Any) -> None:
    """C(12, 10), AHT 180 s: 40.44 s on average, 64 % within 20 s."""
    found = forecast(one_class("100/30m", "180s", 12))
    exact = {
        "a.probability_wait": 0.4494,
        "a.mean_wait": 40.44,
        "a.service_level": 0.6402,
        "g.utilisation": 0.8333,
    }
    assert found.differences(**exact) == {}
    assert found.report["overall"]["answered"] == 1


def test_erlang_a(forecast: Any) -> None:
    """10 seats, 200 calls an hour, AHT 180 s, patience 300 s."""
    found = forecast(one_class("200/h", "180s", 10, more='patience = {mean = "5m"}'))
    exact = {
        "a.probability_wait": 0.59943,
        "a.abandoned": 0.10944,
        "a.mean_wait": 32.831,
        "a.mean_queue": 1.8240,
        "a.service_level": 0.51681,
        "g.utilisation": 0.89056,
    }
    assert found.differences(**exact) == {}


def test_published_comparison_with_patience(forecast: Any) -> None:
    """50 seats, 48 calls/min, AHT 1 min, patience 2 min (Garnett, Mandelbaum, Reiman 2002)."""
    found = forecast(one_class("48/min", "1m", 50, more='patience = {mean = "2m"}'))
    exact = {
        "a.probability_wait": 0.46777,
        "a.abandoned": 0.030912,
        "a.mean_wait": 3.7095,
        "g.utilisation": 0.93032,
    }
    assert found.differences(**exact) == {}


def test_trunk_lines(forecast: Any) -> None:
    """M/M/10/10 + 5 lines of waiting: (10, 12, 15) blocks .055336."""
    found = forecast(one_class("10/min", "1m", 12, top="lines = 15"))
    assert found.differences(**{"a.blocked": 0.055336}) == {}


def test_priority(forecast: Any) -> None:
    """Cobham: a = 8, c = 10, AHT 180 s, a quarter of the calls first; the mean is that of first come."""
    classes = "".join(
        f'[[class]]\nname = "{name}"\nrate = "{rate}/h"\nhandle = {{mean = "3m"}}\npriority = {priority}\n'
        for name, rate, priority in (("high", 40, 1), ("low", 120, 0))
    )
    found = forecast(RUN + classes + '[[group]]\nname = "g"\nseats = 10\nserves = ["low", "high"]\n')
    exact = {"high.mean_wait": 9.2066, "low.mean_wait": 46.0328, "overall.mean_wait": 36.8262}
    assert found.differences(**exact) == {}


def n_design(low: str, high: str, more: str, hold_back: int) -> str:
    return (
        f'{RUN}[[class]]\nname = "L"\nrate = "{low}/min"\nhandle = {{mean = "1m"}}\n{more}\n'
        f'[[class]]\nname = "H"\nrate = "{high}/min"\nhandle = {{mean = "1m"}}\npriority = 1\n{more}\n'
        '[[group]]\nname = "J"\nseats = 8\nserves = ["L"]\n'
        f'[[group]]\nname = "S"\nseats = 5\nserves = ["L", "H"]\nhold_back = {hold_back}\n'
    )


@pytest.mark.parametrize(
    ("hold_back", "low", "high", "seniors"),
    [(0, 0.092743, 0.254286, 0.675951), (1, 0.141368, 0.175238, 0.645581), (5, 0.235570, 0.110054, 0.533967)],
)
def test_n_design_with_loss(forecast: Any, hold_back: int, low: float, high: float, seniors: float) -> None:
    """Exact chain: calls of class L take a senior only while more than ``hold_back`` are idle."""
    found = forecast(n_design("8", "3", "queued = false", hold_back))
    exact = {"L.blocked": low, "H.blocked": high, "J.utilisation": 0.76443, "S.utilisation": seniors}
    assert found.differences(**exact) == {}


@pytest.mark.parametrize(
    ("hold_back", "waits", "abandons", "delays", "utilisations"),
    [
        (0, (0.120703, 0.193697), (0.060351, 0.096849), (0.439588, 0.630602), (0.865982, 0.847688)),
        (1, (0.164354, 0.127693), (0.082177, 0.063846), (0.534024, 0.415718), (0.883614, 0.799990)),
        (5, (0.339194, 0.061683), (0.169597, 0.030841), (0.766499, 0.200814), (0.934204, 0.581495)),
    ],
)
def test_n_design_with_queues(
    forecast: Any,
    hold_back: int,
    waits: tuple[float, float],
    abandons: tuple[float, float],
    delays: tuple[float, float],
    utilisations: tuple[float, float],
) -> None:
    """Exact chain: patience of two handle times, class H first on the seniors."""
    found = forecast(n_design("9", "3", 'patience = {mean = "2m"}', hold_back))
    exact = {"J.utilisation": utilisations[0], "S.utilisation": utilisations[1]}
    for number, name in enumerate("LH"):
        exact[f"{name}.mean_wait"] = 60 * waits[number]
        exact[f"{name}.abandoned"] = abandons[number]
        exact[f"{name}.probability_wait"] = delays[number]
    assert found.differences(**exact) == {}


@pytest.mark.parametrize("policy", ["longest-idle", "random"])
def test_inverted_v(forecast: Any, policy: str) -> None:
    """30 fast and 30 slow seats: longest idle first equals random routing, seat by seat."""
    found = forecast(
        f'{RUN}policy = "{policy}"\n[[class]]\nname = "a"\nrate = "18/min"\nhandle = {{mean = "3m"}}\n'
        '[[group]]\nname = "fast"\nseats = 30\nserves = ["a"]\nspeed = 1.25\n'
        '[[group]]\nname = "slow"\nseats = 30\nserves = ["a"]\nspeed = 0.75\n'
    )
    exact = {
        "a.probability_wait": 0.335844,
        "a.mean_wait": 10.0753,
        "fast.utilisation": 0.885279,
        "slow.utilisation": 0.924534,
    }
    assert found.differences(**exact) == {}


CLASSES = (("simple", "3.0", "150s", 0), ("consult", "1.2", "240s", 1), ("complaint", "0.4", "420s", 2))
GROUPS = (("junior", 9), ("intermediate", 6), ("senior", 4))


def department(policy: str, *, is_strict: bool, hold_back: int) -> str:
    classes = "".join(
        f'[[class]]\nname = "{name}"\nrate = "{rate}/min"\nhandle = {{mean = "{mean}"}}\n'
        f'patience = {{mean = "5m"}}\npriority = {rank if is_strict else 0}\n'
        for name, rate, mean, rank in CLASSES
    )
    groups = "".join(
        f'[[group]]\nname = "{name}"\nseats = {seats}\nhold_back = {hold_back}\n'
        f"serves = {[each[0] for each in CLASSES[: number + 1]]}\n"
        for number, (name, seats) in enumerate(GROUPS)
    )
    return f'calls = 5000\nreplications = 12\nwarm_up = "2h"\npolicy = "{policy}"\n{classes}{groups}'


@pytest.mark.parametrize(
    ("policy", "is_strict", "hold_back", "overall", "waits", "levels", "utilisations"),
    [
        pytest.param(
            *("longest-idle", False, 0, (11.14, 0.0373, 0.8475)),
            *((2.36, 15.52, 63.80), (0.951, 0.745, 0.382), (0.649, 0.799, 0.892)),
            id="A",
        ),
        pytest.param(
            *("least-skilled-first", False, 0, (9.87, 0.0330, 0.8643)),
            *((2.61, 13.60, 53.26), (0.946, 0.781, 0.505), (0.729, 0.765, 0.793)),
            id="B",
        ),
        pytest.param(
            *("least-skilled-first", True, 1, (11.55, 0.0387, 0.8332)),
            *((5.85, 17.16, 37.46), (0.888, 0.754, 0.661), (0.746, 0.772, 0.749)),
            id="E",
        ),
    ],
)
def test_department_of_nested_levels(
    forecast: Any,
    policy: str,
    is_strict: bool,
    hold_back: int,
    overall: tuple[float, float, float],
    waits: tuple[float, float, float],
    levels: tuple[float, float, float],
    utilisations: tuple[float, float, float],
) -> None:
    """9 juniors, 6 intermediates, 4 seniors; the reference is itself a simulation, good to about 1 %."""
    found = forecast(department(policy, is_strict=is_strict, hold_back=hold_back))
    expected = dict(
        zip(("overall.mean_wait", "overall.abandoned", "overall.service_level"), overall, strict=True)
    )
    for number, (name, *_) in enumerate(CLASSES):
        expected[f"{name}.mean_wait"] = waits[number]
        expected[f"{name}.service_level"] = levels[number]
        expected[f"{GROUPS[number][0]}.utilisation"] = utilisations[number]
    assert found.differences(own=0.0075, **expected) == {}
