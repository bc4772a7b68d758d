"""The command ``seatswitch simulate``: tables, JSON, sweeps, processes, mistakes."""

import io
import json
from multiprocessing import active_children
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from seatswitch.shell import cli, simulate
from seatswitch.shell.simulate import Request, read_scenario, run_all

ROOT = Path(__file__).resolve().parents[3]
DEMO = str(ROOT / "config" / "demo.toml")
DESK = """
calls = 400
replications = 3
warm_up = "10m"
[[class]]
name = "simple"
rate = "3/min"
handle = {mean = "150s"}
patience = {mean = "300s"}
[[class]]
name = "complaint"
rate = "0.4/min"
handle = {mean = "7m"}
[[group]]
name = "junior"
seats = 8
serves = ["simple"]
[[group]]
name = "senior"
seats = 4
serves = ["simple", "complaint"]
"""


def invoke(*arguments: str) -> Result:
    environment = {"SEATSWITCH_CONFIG": None, "SEATSWITCH_SOCKET": None}
    return CliRunner().invoke(cli.app, ["simulate", *arguments], env=environment)


@pytest.fixture
def desk(tmp_path: Path) -> str:
    path = tmp_path / "desk.toml"
    path.write_text(DESK)
    return str(path)


def test_table(desk: str) -> None:
    result = invoke(desk, "--jobs", "1")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0][:5] == ["callers", "offered", "answered", "within", "20"]
    assert [line[0] for line in lines[1:4]] == ["simple", "complaint", "all"]
    assert lines[3][1] == "1200"
    assert ["junior", "8"] in [line[:2] for line in lines]
    assert "3 x 400 calls, least-skilled-first" in result.stdout


def test_json_is_that_of_the_contract(desk: str) -> None:
    result = json.loads(invoke(desk, "--json", "--jobs", "1").stdout)
    assert list(result) == ["classes", "groups", "overall", "half_width"]
    measures = [
        *("offered", "blocked", "abandoned", "answered", "mean_wait", "mean_wait_answered"),
        *("probability_wait", "service_level", "mean_queue"),
    ]
    assert list(result["overall"]) == list(result["classes"]["simple"]) == measures
    assert list(result["groups"]["junior"]) == ["utilisation", "peakedness"]
    assert result["overall"]["offered"] == 1200
    assert list(result["half_width"]) == ["classes", "groups", "overall"]
    assert 0 < result["half_width"]["overall"]["service_level"] < 0.3


def test_same_seed_same_figures_in_one_process_or_two(desk: str) -> None:
    """And other figures with another seed."""
    scenario = read_scenario(Request(desk))
    done: list[int] = []
    alone = run_all([scenario], 1, done.append)
    assert run_all([scenario], 2, done.append) == alone
    assert sum(done) == 2 * 1200
    assert run_all([read_scenario(Request(desk, seed=2))], 1, done.append) != alone


def test_interrupt_ends_the_processes(desk: str) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_all([read_scenario(Request(desk, replications=50))], 2, interrupt)
    assert active_children() == []


def test_sweep_answers_how_many_seats(desk: str) -> None:
    result = invoke(desk, "--sweep", "junior=0..8", "--target", "40", "--jobs", "1")
    assert result.exit_code == 0
    rows = [line.split() for line in result.stdout.splitlines()[1:10]]
    levels = {int(row[0]): float(row[1]) for row in rows}
    assert list(levels) == list(range(9))
    fewest = min(seats for seats in levels if all(levels[more] >= 40 for more in range(seats, 9)))
    assert f"40 % within 20 s: {fewest} seats in junior." in result.stdout


def test_sweep_that_is_never_enough(desk: str) -> None:
    result = invoke(desk, "--sweep", "junior=0..1", "--target", "99", "--jobs", "1")
    assert "99 % within 20 s: not with up to 1 seats in junior." in result.stdout


def test_sweep_as_json(desk: str) -> None:
    result = json.loads(invoke(desk, "--sweep", "junior=7..8", "--json", "--jobs", "1").stdout)
    assert result["sweep"] == {"group": "junior", "target": 0.8, "fewest": result["sweep"]["fewest"]}
    assert [point["seats"] for point in result["points"]] == [7, 8]
    one = json.loads(invoke(desk, "--json", "--jobs", "1").stdout)
    assert result["points"][1] == {"seats": 8, **one}


def test_a_sweep_goes_on_until_its_answer_is_certain(desk: str) -> None:
    """Two replications of so few calls are not enough to tell; every point has the callers it began with."""
    some = ("--calls", "200", "--replications", "2", "--target", "50", "--json", "--jobs", "1")
    one, more = (
        json.loads(invoke(desk, "--sweep", "junior=6..9", *some, *how).stdout) for how in ((), ("--decide",))
    )
    assert "decided" not in one["sweep"]
    assert more["sweep"]["decided"] is True
    counts = {point["seats"]: point["replications"] for point in more["points"]}
    fewest = more["sweep"]["fewest"]
    assert counts[fewest] == counts[fewest - 1] > 2
    for point in more["points"]:
        level, width = (it["overall"]["service_level"] for it in (point, point["half_width"]))
        if point["seats"] in (fewest - 1, fewest):
            assert abs(level - 0.5) > simulate.SURE * width
        assert point["overall"]["offered"] == 200 * point["replications"]


def test_a_sweep_that_stays_on_the_fence_ends_and_says_so(monkeypatch: pytest.MonkeyPatch, desk: str) -> None:
    monkeypatch.setattr(simulate, "ROUNDS_MAX", 2)
    monkeypatch.setattr(simulate, "SURE", 1e9)
    some = ("--calls", "60", "--replications", "2", "--target", "60", "--jobs", "1", "--decide")
    result = invoke(desk, "--sweep", "junior=6..7", *some)
    assert "That is still not certain after 4 x 60 calls." in result.stdout.replace("\n", " ")


def test_progress_moves_within_a_replication(desk: str) -> None:
    done: list[int] = []
    run_all([read_scenario(Request(desk, calls=1200, replications=1))], 1, done.append)
    assert done == [500, 500, 200]


def test_configuration_and_callers_from_the_command_line() -> None:
    """The demo's seats; complaints start at the seniors."""
    arguments = ("-c", DEMO, "--class", "junior=3/min,150s,300s", "--class", "complaint=6/h,5m")
    result = json.loads(
        invoke(*arguments, "--calls", "300", "--replications", "2", "--json", "--jobs", "1").stdout
    )
    assert list(result["classes"]) == ["junior", "complaint"]
    assert list(result["groups"]) == ["junior", "intermediate", "senior"]
    assert result["overall"]["offered"] == 600
    assert result["classes"]["complaint"]["abandoned"] is not None


def test_example_of_the_documentation() -> None:
    scenario = read_scenario(Request(str(ROOT / "docs" / "department.toml")))
    assert [(group.name, len(group.seats)) for group in scenario.groups] == [
        *(("junior", 9), ("intermediate", 6), ("senior", 4))
    ]


def test_policy_from_the_command_line(desk: str) -> None:
    assert {queue.policy for queue in read_scenario(Request(desk, policy="random")).acd.queues} == {"random"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("no.toml",), "no.toml: cannot be read (No such file or directory)"),
        (("-c", "no.toml", "--class", "a=1/s,5s"), "no.toml: there is no such file"),
        (("-c", DEMO, "--class", "junior"), "--class: 'junior' is not NAME=RATE,HANDLE[,PATIENCE]"),
        (("-c", DEMO, "--class", "juniors=1/s,5s"), 'unknown queue "juniors" (did you mean junior?)'),
        (("-c", DEMO, "--class", "junior=1/s,5s", "--policy", "linear"), 'unknown policy "linear"'),
        (("-c", DEMO, "--class", "junior=1/s,5s", "--sweep", "x=1..2"), 'sweep: unknown group "x"'),
    ],
)
def test_mistakes_are_one_message(arguments: tuple[str, ...], message: str) -> None:
    result = invoke(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert message in result.stderr


def test_text_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    path.write_bytes(b"\xff")
    result = invoke(str(path))
    assert result.exit_code == 1
    assert "is not UTF-8 text (byte 0)" in result.stderr


def test_nothing_to_simulate_is_wrong_usage() -> None:
    assert invoke().exit_code == 2
    assert invoke("-c", DEMO).exit_code == 2


def test_help_has_examples() -> None:
    text = invoke("--help").stdout
    assert "Example" in text
    assert "--sweep" in text


def test_progress_is_shown_where_somebody_looks_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for looks in (True, False):
        screen = io.StringIO()
        monkeypatch.setattr(screen, "isatty", lambda looks=looks: looks)
        monkeypatch.setattr(simulate.sys, "stderr", screen)
        monkeypatch.setenv("TERM", "xterm")
        with simulate._progress(4000) as done:
            for _ in range(4):
                done(1000)
        assert ("simulating" in screen.getvalue()) == looks
        assert ("100 %" in screen.getvalue()) == looks
