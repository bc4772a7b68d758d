"""The command line. What a command needs is imported when it runs, so that each starts fast.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage. What an operator can mend is one message on standard
error, never a traceback.
"""

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from kernel.errors import OperatorError
from seatswitch import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from seatswitch.shell.client import Client
    from seatswitch.shell.tables import Column
    from seatswitch.shell.top import Keyboard

PIPE_WIDTH = 220  # columns where the output is no terminal: lines are cut by whoever reads them


class Commands(TyperGroup):
    """All commands; turns an operator's error into a message and exit code 1."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except OperatorError as error:
            typer.echo(f"seatswitch: {error}", err=True)
            raise typer.Exit(1) from None


app = typer.Typer(
    cls=Commands,
    name="seatswitch",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"seatswitch {__version__}")
        raise typer.Exit()


@app.callback()
def main(
    context: typer.Context,
    socket: Annotated[
        str,
        typer.Option(
            "--socket",
            envvar="SEATSWITCH_SOCKET",
            metavar="ADDRESS",
            help="Where the switch answers: a path, `unix://PATH` or `tcp://HOST:PORT`.",
        ),
    ] = "run/seatswitch.sock",
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A SIP softswitch with an ACD engine: callers reach the best seat.

    Start a switch with `seatswitch run`, look at it with `seatswitch top`. Commands that talk to a running
    switch find it by `--socket`, which comes before the command: `seatswitch --socket /run/s.sock seats`.
    Over `tcp://` the token in the environment variable SEATSWITCH_TOKEN is shown.

    Exit codes: 0 done, 1 refused or failed, 2 wrong usage.
    """
    context.obj = socket


ConfigFile = Annotated[
    str,
    typer.Option(
        "--config",
        "-c",
        envvar="SEATSWITCH_CONFIG",
        metavar="FILE",
        help="The configuration. Default: `seatswitch.toml` here, else the demo that comes with the package.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Watch = Annotated[bool, typer.Option("--watch", "-w", help="Show it again and again until q or Ctrl-C.")]
Every = Annotated[float, typer.Option("--every", min=0.1, help="Seconds between looks.")]


@app.command()
def run(config: ConfigFile = "") -> None:
    """Run the switch in the foreground.

    SIGTERM drains: no new calls, and an end after the last one or `drain_after`. SIGINT (Ctrl-C) ends now.
    SIGHUP reads the configuration again; calls, sign-ins and places in queue stay.

    Example: `seatswitch run -c /etc/seatswitch/seatswitch.toml`
    """
    from seatswitch.shell.daemon import run as run_daemon

    raise typer.Exit(run_daemon(_config_path(config)))


@app.command()
def check(config: ConfigFile = "") -> None:
    """Say whether a configuration is right; every error names file, key and why.

    Nothing is started or opened. What is allowed but probably not meant is printed as a note.

    Example: `seatswitch check -c /etc/seatswitch/seatswitch.toml && systemctl reload seatswitch`
    """
    import resource

    from config.advice import advise
    from config.reading import ConfigErrors
    from seatswitch.shell.configuration import read_configuration

    path = _config_path(config)
    try:
        settings = read_configuration(path)
    except ConfigErrors as errors:
        typer.echo(str(errors), err=True)
        count = len(errors.errors)
        typer.echo(f"{path}: {count} error{'s' if count > 1 else ''}", err=True)
        raise typer.Exit(1) from None
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    for note in advise(settings, None if limit == resource.RLIM_INFINITY else limit):
        typer.echo(f"{path}: note: {note}")
    counts = (
        (len(settings.acd.queues), "queue"),
        (len(settings.acd.seats), "seat"),
        (len(settings.calls.extensions), "extension"),
        (len(settings.calls.trunks), "trunk"),
    )
    words = ", ".join(f"{count} {what}{'' if count == 1 else 's'}" for count, what in counts)
    typer.echo(f"{path} is right: {words}")


@app.command()
def seats(
    context: typer.Context,
    queue: Annotated[str, typer.Option("--queue", "-q", help="Only the seats that serve this queue.")] = "",
    as_json: AsJson = False,
    watch: Watch = False,
    every: Every = 1.0,
) -> None:
    """Show the seats: level, presence, activity, phone, call and counters.

    Example: `seatswitch seats --queue complaint --watch`
    """
    from seatswitch.shell.tables import SEATS

    _show(context, "seat.list", {"queue": queue} if queue else {}, SEATS, as_json, watch, every)


@app.command()
def queues(context: typer.Context, as_json: AsJson = False, watch: Watch = False, every: Every = 1.0) -> None:
    """Show the queues: who waits, how long, how many seats are there, the service level.

    Example: `seatswitch queues --json`
    """
    from seatswitch.shell.tables import QUEUES

    _show(context, "queue.list", {}, QUEUES, as_json, watch, every)


@app.command()
def stats(
    context: typer.Context,
    seats: Annotated[bool, typer.Option("--seats", help="Of seats, not of queues.")] = False,
    levels: Annotated[bool, typer.Option("--levels", help="Of levels: queues and seats.")] = False,
    since: Annotated[
        str, typer.Option("--since", metavar="DURATION", help="Of the last 4h, in quarters of an hour.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show what was counted: calls, waits, service levels, handling, how busy seats were.

    Examples:

    `seatswitch stats --since 4h`

    `seatswitch stats --seats`
    """
    from config.reading import parse_duration
    from seatswitch.shell.clock import monotonic, wall_offset
    from seatswitch.shell.stats import COLUMNS, read_statistics

    if seats and levels:
        raise typer.BadParameter("one of them", param_hint="--seats, --levels")
    what = "seats" if seats else "levels" if levels else "queues"
    try:
        begin = monotonic() + wall_offset() - parse_duration(since) if since else None
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--since") from None
    with _client(context) as client:
        views = read_statistics(client.call, what, begin)
    if as_json:
        _print_json(views)
    else:
        _print_table(COLUMNS[what], views)


@app.command()
def calls(context: typer.Context, as_json: AsJson = False, watch: Watch = False, every: Every = 1.0) -> None:
    """Show the calls that are there now, oldest first.

    Example: `seatswitch calls`; why one still waits: `seatswitch call explain.call '{"call": "..."}'`
    """
    from seatswitch.shell.tables import CALLS

    _show(context, "call.list", {}, CALLS, as_json, watch, every)


@app.command()
def trunks(context: typer.Context, as_json: AsJson = False, watch: Watch = False, every: Every = 1.0) -> None:
    """Show the trunks and how many calls each carries.

    Example: `seatswitch trunks`
    """
    from seatswitch.shell.tables import TRUNKS

    _show(context, "trunk.list", {}, TRUNKS, as_json, watch, every)


@app.command()
def quality(
    context: typer.Context,
    month: Annotated[str, typer.Option("--month", metavar="2026-11", help="Not the present month.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show how often each seat's calls were checked this month, those who miss most first.

    Example: `seatswitch quality --month 2026-10`
    """
    from seatswitch.shell.tables import QUALITY

    with _client(context) as client:
        found = client.call("quality.list", {"month": month} if month else {})
    if as_json:
        _print_json(found)
    else:
        _print_table(QUALITY, found["seats"])


@app.command()
def top(context: typer.Context, every: Every = 1.0) -> None:
    """Show the live board: queues, seats, who waits; q or Ctrl-C ends it. In a pipe: one frame.

    Example: `seatswitch --socket /run/seatswitch/seatswitch.sock top`
    """
    from seatswitch.shell.top import run_top

    with _client(context) as client:
        run_top(client, _console(), _keyboard(), every)


@app.command()
def call(
    context: typer.Context,
    method: Annotated[str, typer.Argument(help="Such as `seat.get`; `rpc.discover` lists them all.")],
    params: Annotated[
        str, typer.Argument(metavar="JSON", help="Parameters by name as one JSON object; - reads them.")
    ] = "",
) -> None:
    """Send one JSON-RPC request and print its result; exit 1 and the reason when it is refused.

    Examples:

    `seatswitch call seat.get '{"seat": "8001"}'`

    `seatswitch call admin.reload`

    `seatswitch call explain.seat '{"seat": "8001"}'`
    """
    text = sys.stdin.read() if params == "-" else params
    try:
        given = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise typer.BadParameter(f"is not JSON ({error})", param_hint="JSON") from None
    if not isinstance(given, dict):
        raise typer.BadParameter('is not a JSON object such as {"seat": "8001"}', param_hint="JSON")
    with _client(context) as client:
        _print_json(client.call(method, given))


@app.command("queue-log")
def queue_log(
    config: ConfigFile = "",
    begin: Annotated[
        str, typer.Option("--from", metavar="MOMENT", help="Not before: `2026-11-28` or `2026-11-28T18:00`.")
    ] = "",
    end: Annotated[str, typer.Option("--to", metavar="MOMENT", help="Before this moment.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what happens.")] = False,
) -> None:
    """Write what happened as Asterisk's queue_log, for tools that read nothing else.

    One line per event, oldest first: `epoch|call|queue|seat|EVENT|data`. The rows are those of the store that
    the configuration names, which must be on this machine; the switch may run or not. A moment without a
    zone is UTC.

    Events: ENTERQUEUE (url, caller, place), CONNECT (waited, visit, rang), COMPLETECALLER and COMPLETEAGENT
    (waited, talked, place at entry), BLINDTRANSFER and ATTENDEDTRANSFER, ABANDON, EXITWITHTIMEOUT,
    EXITEMPTY and WITHDRAW (place, place at entry, waited), EXITWITHKEY (key, then the same), RINGNOANSWER and
    RINGCANCELED (ms), PAUSEALL, UNPAUSEALL, PAUSE, UNPAUSE, AGENTLOGIN, AGENTLOGOFF; ADDMEMBER, REMOVEMEMBER
    and PENALTY (rank, level) where a supervisor moves a seat; QUEUESTART, CONFIGRELOAD; FULL, JOINEMPTY,
    CLOSED, DIVERT_CA_RATIO and DIVERT_HOLDTIME for callers who did not get in.

    Examples:

    `seatswitch queue-log -c /etc/seatswitch/seatswitch.toml --from 2026-11-28 > queue_log`

    `seatswitch queue-log --follow | my-board`
    """
    from seatswitch.shell.configuration import read_configuration
    from seatswitch.shell.queuelog import write_queue_log

    moments = _moments(begin, end)
    url = read_configuration(_config_path(config)).store.url
    if not follow:
        write_queue_log(url, moments[0], moments[1], typer.echo)
        return
    with _keyboard() as keyboard:
        try:
            write_queue_log(url, moments[0], moments[1], typer.echo, lambda for_: not keyboard.wait(for_))
        except KeyboardInterrupt:
            return


@app.command()
def report(
    config: ConfigFile = "",
    begin: Annotated[
        str, typer.Option("--from", metavar="MOMENT", help="Not before: `2026-11-28` or `2026-11-28T18:00`.")
    ] = "",
    end: Annotated[str, typer.Option("--to", metavar="MOMENT", help="Before this moment.")] = "",
    seat: Annotated[str, typer.Option("--seat", help="Of this seat alone.")] = "",
    queue: Annotated[str, typer.Option("--queue", help="Of this queue alone.")] = "",
    tenant: Annotated[str, typer.Option("--tenant", help="Of this tenant alone.")] = "",
    interval: Annotated[
        str, typer.Option("--interval", metavar="DURATION", help="In parts of 15m, 1h, 24h, from --from on.")
    ] = "",
    html: Annotated[str, typer.Option("--html", metavar="FILE", help="Write one page of HTML.")] = "",
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV with every figure.")] = False,
    as_json: AsJson = False,
) -> None:
    """Report what queues, seats, levels and tenants came to between two moments.

    Quarters of an hour that are over, of the store that the configuration names, which must be on this
    machine; the switch may run or not. A moment without a zone is UTC. JSON and CSV have every figure, each
    service level among them; what they mean is in docs/operations.md.

    Examples:

    `seatswitch report --from 2026-11-28 --to 2026-11-29 --html yesterday.html`

    `seatswitch report --from 2026-11-01T00:00+08:00 --interval 24h --seat 8001 --csv > 8001.csv`
    """
    from seatswitch.shell.configuration import read_configuration
    from seatswitch.shell.report import Asked, write_report

    if sum(map(bool, (html, as_csv, as_json))) > 1:
        raise typer.BadParameter("one of them", param_hint="--html, --csv, --json")
    if seat and queue:
        raise typer.BadParameter("one of them", param_hint="--seat, --queue")
    moments = _moments(begin, end)
    asked = Asked(begin, end, _part(interval), queue, seat, tenant, html, as_csv=as_csv, as_json=as_json)
    write_report(read_configuration(_config_path(config)).store.url, asked, moments, _console())


@app.command()
def simulate(
    scenario: Annotated[str, typer.Argument(metavar="SCENARIO.toml", help="Who calls, who answers.")] = "",
    config: Annotated[
        str,
        typer.Option("--config", "-c", metavar="FILE", help="Take queues and seats of this configuration."),
    ] = "",
    classes: Annotated[
        list[str] | None,
        typer.Option(
            "--class",
            metavar="NAME=RATE,HANDLE[,PATIENCE]",
            help="Callers instead of the scenario's; several times: `junior=3/min,150s,300s`.",
        ),
    ] = None,
    sweep: Annotated[
        str, typer.Option("--sweep", metavar="GROUP=6..14", help="Try each number of seats in a group.")
    ] = "",
    target: Annotated[
        float,
        typer.Option("--target", min=0, max=100, metavar="PERCENT", help="Wanted in time, of all calls."),
    ] = 80.0,
    decide: Annotated[
        bool, typer.Option("--decide", help="With --sweep: more replications until the answer is certain.")
    ] = False,
    calls: Annotated[int | None, typer.Option("--calls", min=1, help="Calls per replication.")] = None,
    replications: Annotated[int | None, typer.Option("--replications", min=1)] = None,
    seed: Annotated[int | None, typer.Option("--seed")] = None,
    policy: Annotated[str, typer.Option("--policy", help="Policy of all queues.")] = "",
    plot: Annotated[str, typer.Option("--plot", metavar="FILE.png", help="Draw a picture as well.")] = "",
    jobs: Annotated[int, typer.Option("--jobs", "-j", min=0, help="Processes; 0: one per processor.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Forecast waits and service levels: the real engine and policies in virtual time.

    Groups are those of the scenario, or the levels of its configuration. What the keys of a scenario and the
    figures mean is in docs/forecast.md.

    Examples:

    `seatswitch simulate desk.toml`

    `seatswitch simulate desk.toml --sweep junior=6..14 --target 80 --plot desk.png`

    `seatswitch simulate -c config/demo.toml --class junior=3/min,150s,300s`
    """
    from seatswitch.shell.simulate import Request
    from seatswitch.shell.simulate import simulate as run_simulation

    if not scenario and not (config and classes):
        raise typer.BadParameter("is missing; or give --config and --class", param_hint="SCENARIO.toml")
    run_simulation(
        Request(
            scenario=scenario,
            config=config,
            classes=tuple(classes or ()),
            calls=calls or 0,
            replications=replications or 0,
            seed=seed,
            policy=policy,
            sweep=sweep,
            target=target / 100,
            plot=plot,
            as_json=as_json,
            jobs=jobs,
            decides=decide,
        ),
        _console(),
    )


@app.command("row-writer", hidden=True)
def row_writer(
    journal: Annotated[str, typer.Option("--journal", help="Folder of the journal.")],
    url: Annotated[str, typer.Option("--url", help="Database; - reads it from standard input.")],
) -> None:
    """Carry a journal into a database for a switch, which starts this itself."""
    from seatswitch.shell.store.writer import run_writer

    raise typer.Exit(run_writer(journal, url))


def run_command() -> None:
    """Run the ``seatswitch`` command; ends the process with its exit code."""
    app(prog_name="seatswitch")


def _moments(begin: str, end: str) -> tuple[float, float]:
    """Return what ``--from`` and ``--to`` name, epoch seconds; left out, the first and the last moment."""
    from seatswitch.shell.queuelog import parse_moment

    found = []
    for given, name, otherwise in ((begin, "--from", 0.0), (end, "--to", float("inf"))):
        try:
            found.append(parse_moment(given) if given else otherwise)
        except ValueError:
            wrong = f"{given!r} is no moment such as 2026-11-28T18:00"
            raise typer.BadParameter(wrong, param_hint=name) from None
    return found[0], found[1]


def _part(given: str) -> float:
    """Return the seconds of ``--interval``: whole quarters of an hour."""
    from config.reading import parse_duration
    from kernel.limits import INTERVAL

    try:
        part = parse_duration(given) if given else 0.0
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--interval") from None
    if part % INTERVAL:
        raise typer.BadParameter(f"{given} is not quarters of an hour", param_hint="--interval")
    return part


def _config_path(given: str) -> str:
    if given:
        return given
    if Path("seatswitch.toml").is_file():
        return "seatswitch.toml"
    import config

    return os.path.relpath(Path(config.__path__[0]) / "demo.toml")


def _client(context: typer.Context) -> "Client":
    from seatswitch.shell.client import Client

    return Client(context.obj, token=os.environ.get("SEATSWITCH_TOKEN", ""))


def _console() -> "Console":
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def _keyboard() -> "Keyboard":
    from seatswitch.shell.top import Keyboard

    return Keyboard()


def _print_json(value: object) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def _show(
    context: typer.Context,
    method: str,
    params: dict[str, Any],
    columns: "Sequence[Column]",
    as_json: bool,
    watch: bool,
    every: float,
) -> None:
    """Print what ``method`` lists, once or again and again."""
    with _client(context) as client:
        if not watch:
            views = client.call(method, params)
            if as_json:
                _print_json(views)
            else:
                _print_table(columns, views)
            return
        with _keyboard() as keyboard:
            try:
                while True:
                    views = client.call(method, params)
                    if as_json:
                        typer.echo(json.dumps(views, ensure_ascii=False))
                    else:
                        _print_table(columns, views, again=True)
                    if keyboard.wait(every) in ("q", "Q"):
                        return
            except KeyboardInterrupt:
                return


def _print_table(columns: "Sequence[Column]", views: "Sequence[dict[str, Any]]", again: bool = False) -> None:
    from seatswitch.shell.clock import monotonic, wall_offset
    from seatswitch.shell.tables import build_table

    console = _console()
    if again:
        console.clear()  # does nothing where the output is no terminal
    console.print(build_table(columns, views, monotonic() + wall_offset()))
