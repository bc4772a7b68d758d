"""The command line: exit codes, messages, tables and JSON against a stub switch."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from kernel.rows import PresenceRow
from seatswitch import __version__
from seatswitch.shell import cli
from seatswitch.shell.store.records import build_record, journal_path
from tests.seatswitch.shell.rpc_stub import METHODS, QUEUES, SEATS, Refused, StubSwitch
from tests.seatswitch.shell.store.test_reader import carry_over

ROOT = Path(__file__).resolve().parents[3]
DEMO = str(ROOT / "config" / "demo.toml")


def invoke(*arguments: str, input: str | None = None, **environment: str) -> Result:  # noqa: A002
    names = {"SEATSWITCH_SOCKET": None, "SEATSWITCH_CONFIG": None, "SEATSWITCH_TOKEN": None, "COLUMNS": "200"}
    return CliRunner().invoke(cli.app, arguments, input=input, env={**names, **environment})


def test_version() -> None:
    result = invoke("--version")
    assert (result.exit_code, result.stdout) == (0, f"seatswitch {__version__}\n")


def test_help_names_every_command_but_the_switchs_own() -> None:
    text = invoke("--help").stdout
    for command in COMMANDS:
        assert f" {command} " in text
    assert "media-worker" not in text
    assert "row-writer" not in text


COMMANDS = (
    "run", "check", "seats", "queues", "stats", "calls", "trunks", "quality", "top", "call", "queue-log",
    "report", "simulate",
)  # fmt: skip


def test_all_commands_are_tried_here() -> None:
    group = typer.main.get_group(cli.app)
    shown = [name for name, found in group.commands.items() if not found.hidden]
    assert tuple(shown) == COMMANDS


def test_readme_has_a_line_for_every_command_and_none_for_what_is_none() -> None:
    table = re.search(r"## Commands\n(.*?)\n## ", (ROOT / "README.md").read_text(), re.DOTALL)
    assert table is not None
    rows = [line.split("|")[1] for line in table[1].splitlines() if line.startswith("| `")]
    told = {words.split()[-1] for row in rows for words in re.findall(r"`((?:seatswitch )?[a-z-]+)", row)}
    assert told == set(COMMANDS)


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_says_what_it_does_by_example_with_every_option_and_exit_code(command: str) -> None:
    result = invoke(*command.split(), "--help")
    assert result.exit_code == 0
    text = result.stdout
    assert f"seatswitch {command}".strip() in text[text.index("Example") :]
    group = typer.main.get_group(cli.app)
    found = group.commands[command] if command else group
    for parameter in found.params:
        told = getattr(parameter, "help", None)
        assert told, f"{command} {parameter.name} has no text"
        assert told.endswith("."), f"{command} {parameter.name}: no sentence"
        for name in parameter.opts:
            if name.startswith("-"):
                assert name in text
        metavar = parameter.metavar
        if getattr(parameter, "is_flag", False):
            assert not metavar
        else:
            assert metavar, f"{command} {parameter.name} has no name for its value"
            assert re.fullmatch(r"[A-Z]+|GROUP=A\.\.B", metavar)
            assert metavar in text
    assert "<" not in text.replace("<=", "")  # no type of the library's shows through
    for code in ("0 ", "1 ", "2 "):
        assert code in text[text.index("Exit codes: ") :]


@pytest.mark.parametrize("width", [40, 60, 80])
def test_help_fits_a_narrow_terminal(width: int) -> None:
    for command in COMMANDS:
        names = {"COLUMNS": str(width), "TERMINAL_WIDTH": str(width)}
        text = CliRunner().invoke(cli.app, (command, "--help"), env=names).stdout
        assert max(map(len, text.splitlines())) <= width


@pytest.mark.parametrize("arguments", [("sing",), ("seats", "--jsn"), ("call",), ("call", "a", "b", "c")])
def test_wrong_usage_is_2(arguments: tuple[str, ...]) -> None:
    assert invoke(*arguments).exit_code == 2


def test_check_says_what_is_right() -> None:
    result = invoke("check", "-c", DEMO)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == f"{DEMO} is right: 4 queues, 20 seats, 2 extensions, 1 trunk"


def test_check_tells_every_error_on_standard_error(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text('[[queue]]\nname = "a"\nrequires = {level = "seniorr"}\nanswr = "200"\n')
    result = invoke("check", "-c", str(path))
    assert (result.exit_code, result.stdout) == (1, "")
    *errors, last = result.stderr.splitlines()
    assert [error.partition(": ")[2].partition(":")[0] for error in errors] == [
        'queue[1] "a".answr',
        'queue[1] "a".requires.level',
        'queue[1] "a".tenant',
    ]
    assert last == f"{path}: 3 errors"


def test_check_of_a_missing_file_is_one_message(tmp_path: Path) -> None:
    result = invoke("check", "-c", str(tmp_path / "no.toml"))
    assert result.exit_code == 1
    why = "there is no such file; -c FILE names the configuration"
    assert result.stderr == f"seatswitch: {tmp_path}/no.toml: {why}\n"
    result = invoke("run", "-c", str(tmp_path))
    assert result.exit_code == 1


def test_configuration_is_found_in_the_environment_here_or_in_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "demo.toml is right" in invoke("check").stdout
    (tmp_path / "seatswitch.toml").write_text("# nobody\n")
    assert "seatswitch.toml is right: 0 queues" in invoke("check").stdout
    (tmp_path / "other.toml").write_text("# nobody\n")
    assert "other.toml is right" in invoke("check", SEATSWITCH_CONFIG="other.toml").stdout


def test_tables_of_a_running_switch(tmp_path: Path) -> None:
    with StubSwitch(tmp_path / "s.sock") as switch:
        seats = invoke("--socket", switch.address, "seats")
        assert seats.exit_code == 0
        assert [line.split()[0] for line in seats.stdout.splitlines()[3:6]] == ["8001", "8002", "8003"]
        assert "8003" not in invoke("--socket", switch.address, "seats", "--queue", "complaint").stdout
        for command, word in (
            ("queues", "87 %"),
            ("calls", "c-2"),
            ("trunks", "carrier"),
            ("quality", "2026-11"),
            ("top", "Waiting"),
        ):
            result = invoke(command, SEATSWITCH_SOCKET=switch.address)
            assert result.exit_code == 0
            assert word in result.stdout


def test_json_is_what_the_switch_answered(tmp_path: Path) -> None:
    with StubSwitch(tmp_path / "s.sock") as switch:
        result = invoke("--socket", switch.address, "seats", "--json")
        assert json.loads(result.stdout) == SEATS


def test_watch_shows_it_again_until_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = iter(["", "x", "q"])

    class Keys:
        def __enter__(self) -> "Keys":
            return self

        def __exit__(self, *_: object) -> None:
            return

        def wait(self, seconds: float) -> str:
            assert seconds == 0.5
            return next(keys)

    monkeypatch.setattr(cli, "_keyboard", Keys)
    with StubSwitch(tmp_path / "s.sock") as switch:
        result = invoke("--socket", switch.address, "queues", "--json", "--watch", "--every", "0.5")
    assert [json.loads(line) for line in result.stdout.splitlines()] == [QUEUES] * 3


def test_call_prints_the_result(tmp_path: Path) -> None:
    with StubSwitch(tmp_path / "s.sock") as switch:
        result = invoke("--socket", switch.address, "call", "seat.get", '{"seat": "8002"}')
        assert (result.exit_code, json.loads(result.stdout)) == (0, SEATS[1])
        result = invoke("--socket", switch.address, "call", "echo", "-", input='{"a": "座席"}')
        assert (result.exit_code, result.stdout) == (0, '{\n  "a": "座席"\n}\n')


def test_call_of_what_is_refused_is_1_with_the_reason(tmp_path: Path) -> None:
    with StubSwitch(tmp_path / "s.sock") as switch:
        result = invoke("--socket", switch.address, "call", "seat.get", '{"seat": "1"}')
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "seatswitch: NO_SUCH_SEAT: there is no such seat\n"


@pytest.mark.parametrize("text", ["{", "[1]", "seat"])
def test_call_with_what_is_no_object_is_2(text: str) -> None:
    assert invoke("call", "seat.get", text).exit_code == 2


@pytest.mark.parametrize("command", ["seats", "queues", "calls", "trunks", "top"])
def test_nobody_there_is_1_and_says_what_to_do(tmp_path: Path, command: str) -> None:
    result = invoke("--socket", f"{tmp_path}/s.sock", command)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"seatswitch: no switch answers at {tmp_path}/s.sock: "
        "is `seatswitch run` running? --socket, before the command, names another\n"
    )


def test_the_token_for_tcp_comes_from_the_environment() -> None:
    with StubSwitch() as switch:
        assert invoke("--socket", switch.address, "trunks", SEATSWITCH_TOKEN="right").exit_code == 0
        result = invoke("--socket", switch.address, "trunks", SEATSWITCH_TOKEN="wrong")
        assert (result.exit_code, result.stderr) == (1, "seatswitch: error -32011: wrong token\n")


def test_run_hands_the_path_to_the_daemon(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []

    def run(path: str) -> int:
        ran.append(path)
        return 1

    monkeypatch.setattr("seatswitch.shell.daemon.run", run)
    assert invoke("run", "-c", "a.toml").exit_code == 1
    assert ran == ["a.toml"]


def test_the_module_runs_and_starts_fast_without_the_switch() -> None:
    """``seatswitch call`` must not pay for the daemon, the database or the engine."""
    code = (
        "import sys, seatswitch; seatswitch.put_floors_on_path(); import seatswitch.shell.cli; "
        "heavy = ('asyncio', 'sqlalchemy', 'uvloop', 'structlog', 'acd', 'sip'); "
        "print([it for it in heavy if it in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"
    done = subprocess.run(
        [sys.executable, "-m", "seatswitch", "--version"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    assert done.stdout == f"seatswitch {__version__}\n"


def test_stats_of_queues_and_levels(tmp_path: Path) -> None:
    with StubSwitch(tmp_path / "s") as switch:
        result = invoke("--socket", switch.address, "stats", "--since", "4h")
        assert result.exit_code == 0
        assert "junior" in result.stdout
        assert "80 %" in result.stdout
        told = json.loads(invoke("--socket", switch.address, "stats", "--levels", "--json").stdout)
        assert {view["level"] for view in told} == {seat["level"] for seat in SEATS}
    for wrong in (("--seats", "--levels"), ("--since", "soon")):
        assert invoke("stats", *wrong).exit_code == 2


def test_queue_log_names_what_is_missing_and_what_is_no_moment(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text(f'[store]\nurl = "sqlite:///{tmp_path}/none.db"\n')
    result = invoke("queue-log", "-c", str(path))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "has written no rows here" in result.stderr
    assert invoke("queue-log", "-c", str(path), "--from", "yesterday").exit_code == 2


def test_queue_log_writes_lines(tmp_path: Path) -> None:
    (tmp_path / "journal").mkdir()
    row = PresenceRow("8001.1", "8001", "li", 1_800_000_000.0, "ready", "", "idle", "", "")
    journal_path(tmp_path / "journal", 1).write_bytes(build_record([row]))
    carry_over(tmp_path / "journal", f"sqlite:///{tmp_path}/switch.db")
    path = tmp_path / "s.toml"
    path.write_text(f'[store]\nurl = "sqlite:///{tmp_path}/switch.db"\n')
    result = invoke("queue-log", "-c", str(path), "--from", "2027-01-15")
    assert (result.exit_code, result.stdout) == (0, "1800000000|NONE|NONE|8001|AGENTLOGIN|li\n")


def test_quality_of_a_month_as_json(tmp_path: Path) -> None:
    with StubSwitch(tmp_path / "s.sock") as switch:
        result = invoke("--socket", switch.address, "quality", "--month", "2026-10", "--json")
        assert [seat["month"] for seat in json.loads(result.stdout)["seats"]] == ["2026-10"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("seats", "--socket", "x"), "comes before the command: seatswitch --socket ADDRESS seats"),
        (("top", "--socket=x"), "comes before the command: seatswitch --socket ADDRESS top"),
        (("stats", "--since", "soon"), "'soon' is no duration such as 30m or 4h"),
        (("report", "--interval", "hourly"), "'hourly' is no duration such as 15m or 24h"),
        (("quality", "--month", "13"), "'13' is no month such as 2026-10"),
        (("queue-log", "--from", "2026-11-29", "--to", "2026-11-29"), "is not after --from"),
        (("seet",), "Did you mean 'seats'?"),
        (("seats", "--every", "0"), "0.1"),
    ],
)
def test_wrong_usage_says_what_would_be_right(arguments: tuple[str, ...], message: str) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.split())


def test_method_or_parameter_that_is_none_is_told_with_what_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = {"name": "seat", "required": True}
    document = {"methods": [{"name": "seat.get", "params": [needs, {"name": "fields"}]}]}

    def refuse(params: object) -> object:
        raise Refused(-32602, "Object contains unknown field `set`")

    monkeypatch.setitem(METHODS, "rpc.discover", lambda params: document)
    monkeypatch.setitem(METHODS, "seat.get", refuse)
    with StubSwitch(tmp_path / "s.sock") as switch:
        wrong_method = invoke("--socket", switch.address, "call", "seat.gett")
        wrong_name = invoke("--socket", switch.address, "call", "seat.get", '{"set": "8001"}')
    assert (wrong_method.exit_code, wrong_name.exit_code) == (1, 1)
    assert wrong_method.stderr == (
        "seatswitch: error -32601: there is no such method (did you mean seat.get?)\n"
    )
    assert wrong_name.stderr == (
        "seatswitch: error -32602: Object contains unknown field `set`; seat.get takes seat, [fields]\n"
    )
