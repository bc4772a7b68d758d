"""The command line. What a command needs is imported when it runs, so that each starts fast.

Exit codes: 0 done, 1 refused or failed, 2 wrong usage. What an operator can mend is one message on standard
error, never a traceback.
"""

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from kernel.errors import OperatorError
from seatswitch import __version__
from seatswitch.shell.terminal import Command, Commands, console, print_json, print_table, run_app

if TYPE_CHECKING:
    from collections.abc import Sequence

    from seatswitch.shell.client import Client
    from seatswitch.shell.tables import Column
    from seatswitch.shell.top import Keyboard

F = TypeVar("F", bound=Callable[..., Any])

INVALID_PARAMS = -32602  # JSON-RPC 2.0, section 5.1

SHOWN = "0 shown; 1 no switch answers, or it refuses; 2 wrong usage."

app = typer.Typer(
    cls=Commands,
    name="seatswitch",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def command(exit_codes: str, name: str | None = None, *, hidden: bool = False) -> Callable[[F], F]:
    """Make a function a command; its help ends with what its exit codes mean."""
    return app.command(name, cls=Command, epilog=f"Exit codes: {exit_codes}", hidden=hidden)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"seatswitch {__version__}")
        raise typer.Exit()


@app.callback(
    epilog="Exit codes: 0 done; 1 refused or failed; 2 wrong usage. `COMMAND --help` tells its own."
)
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
    Over `tcp://` the switch is shown the token in the environment variable SEATSWITCH_TOKEN.

    Examples:

    `seatswitch run -c /etc/seatswitch/seatswitch.toml`

    `seatswitch --socket tcp://127.0.0.1:5070 queues --watch`
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
Every = Annotated[
    float, typer.Option("--every", min=0.1, metavar="SECONDS", help="Seconds between two looks.")
]
From = Annotated[
    str, typer.Option("--from", metavar="MOMENT", help="Not before: `2026-11-28` or `2026-11-28T18:00`.")
]
To = Annotated[str, typer.Option("--to", metavar="MOMENT", help="Before this moment.")]


@command("0 ended as it was told to; 1 it could not start, and said why; 2 wrong usage.")
def run(config: ConfigFile = "") -> None:
    """Run the switch in the foreground.

    SIGTERM drains: no new calls, and an end after the last one or `drain_after`. SIGINT (Ctrl-C) ends now.
    SIGHUP reads the configuration again; calls, sign-ins and places in queue stay.

    Example: `seatswitch run -c /etc/seatswitch/seatswitch.toml`
    """
    from seatswitch.shell.daemon import run as run_daemon

    raise typer.Exit(run_daemon(_config_path(config)))


@command("0 right, with or without notes; 1 wrong or not readable; 2 wrong usage.")
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


@command(SHOWN)
def seats(
    context: typer.Context,
    queue: Annotated[
        str, typer.Option("--queue", "-q", metavar="QUEUE", help="Only the seats that serve it.")
    ] = "",
    as_json: AsJson = False,
    watch: Watch = False,
    every: Every = 1.0,
) -> None:
    """Show the seats: level, presence, activity, phone, call and counters.

    Example: `seatswitch seats --queue complaint --watch`
    """
    from seatswitch.shell.tables import SEATS

    _show(context, "seat.list", {"queue": queue} if queue else {}, SEATS, as_json, watch, every)


@command(SHOWN)
def queues(context: typer.Context, as_json: AsJson = False, watch: Watch = False, every: Every = 1.0) -> None:
    """Show the queues: who waits, how long, how many seats are there, the service level.

    Example: `seatswitch queues --json`
    """
    from seatswitch.shell.tables import QUEUES

    _show(context, "queue.list", {}, QUEUES, as_json, watch, every)


@command(SHOWN)
def stats(
    context: typer.Context,
    seats: Annotated[bool, typer.Option("--seats", help="Of seats, not of queues.")] = False,
    levels: Annotated[bool, typer.Option("--levels", help="Of levels: queues and seats.")] = False,
    since: Annotated[
        str,
        typer.Option(
            "--since",
            metavar="DURATION",
            help="Of the last `30m` or `4h`, in quarters of an hour; default: of all time.",
        ),
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
    except ValueError:
        wrong = f"{since!r} is no duration such as 30m or 4h"
        raise typer.BadParameter(wrong, param_hint="--since") from None
    with _client(context) as client:
        views = read_statistics(client.call, what, begin)
    if as_json:
        print_json(views)
    else:
        print_table(COLUMNS[what], views)


@command(SHOWN)
def calls(context: typer.Context, as_json: AsJson = False, watch: Watch = False, every: Every = 1.0) -> None:
    """Show the calls that are there now, oldest first.

    Example: `seatswitch calls`; why one still waits: `seatswitch call explain.call '{"call": "..."}'`
    """
    from seatswitch.shell.tables import CALLS

    _show(context, "call.list", {}, CALLS, as_json, watch, every)


@command(SHOWN)
def trunks(context: typer.Context, as_json: AsJson = False, watch: Watch = False, every: Every = 1.0) -> None:
    """Show the trunks and how many calls each carries.

    Example: `seatswitch trunks`
    """
    from seatswitch.shell.tables import TRUNKS

    _show(context, "trunk.list", {}, TRUNKS, as_json, watch, every)


@command(SHOWN)
def quality(
    context: typer.Context,
    month: Annotated[
        str, typer.Option("--month", metavar="MONTH", help="Such as `2026-10`; default: the present one.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Show how often each seat's calls were checked this month, those who miss most first.

    Example: `seatswitch quality --month 2026-10`
    """
    from seatswitch.shell.tables import QUALITY

    if month and not re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", month):
        raise typer.BadParameter(f"{month!r} is no month such as 2026-10", param_hint="--month")
    with _client(context) as client:
        found = client.call("quality.list", {"month": month} if month else {})
    if as_json:
        print_json(found)
    else:
        print_table(QUALITY, found["seats"])


@command(SHOWN)
def top(context: typer.Context, every: Every = 1.0) -> None:
    """Show the live board: queues, seats, who waits; q or Ctrl-C ends it. In a pipe: one frame.

    Examples:

    `seatswitch top`

    `sudo -u seatswitch seatswitch --socket /var/lib/seatswitch/run/seatswitch.sock top`
    """
    from seatswitch.shell.top import run_top

    with _client(context) as client:
        run_top(client, console(), _keyboard(), every)


@command("0 done; 1 no switch answers, or it refuses; 2 wrong usage, or no JSON.")
def call(
    context: typer.Context,
    method: Annotated[
        str, typer.Argument(metavar="METHOD", help="Such as `seat.get`; `rpc.discover` lists them all.")
    ],
    params: Annotated[
        str,
        typer.Argument(
            metavar="JSON", help="Parameters by name, one object; - reads it from standard input."
        ),
    ] = "",
) -> None:
    """Send one JSON-RPC request and print its result, or the reason why it is refused.

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
        print_json(_ask(client, method, given))


@command("0 written; 1 configuration or rows cannot be read; 2 wrong usage.", "queue-log")
def queue_log(
    config: ConfigFile = "",
    begin: From = "",
    end: To = "",
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what happens, until Ctrl-C.")
    ] = False,
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


@command("0 written; 1 configuration or rows cannot be read, or the page not be written; 2 wrong usage.")
def report(
    config: ConfigFile = "",
    begin: From = "",
    end: To = "",
    seat: Annotated[str, typer.Option("--seat", metavar="SEAT", help="Of this seat alone.")] = "",
    queue: Annotated[str, typer.Option("--queue", metavar="QUEUE", help="Of this queue alone.")] = "",
    tenant: Annotated[str, typer.Option("--tenant", metavar="TENANT", help="Of this tenant alone.")] = "",
    interval: Annotated[
        str,
        typer.Option(
            "--interval", metavar="DURATION", help="In parts of `15m`, `1h`, `24h`, from --from on."
        ),
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
    settings = read_configuration(_config_path(config))
    known = {
        "queue": [it.name for it in settings.acd.queues],
        "seat": [it.number for it in settings.acd.seats],
        "tenant": [it.name for it in settings.acd.tenants],
    }
    write_report(settings.store.url, asked, moments, console(), known)


# What a forecast is of.

ScenarioFile = Annotated[str, typer.Argument(metavar="SCENARIO", help="A TOML file: who calls, who answers.")]
Borrowed = Annotated[
    str,
    typer.Option("--config", "-c", metavar="FILE", help="Take queues and seats of this configuration."),
]
Classes = Annotated[
    list[str] | None,
    typer.Option(
        "--class",
        metavar="CALLERS",
        help="NAME=RATE,HANDLE[,PATIENCE] instead of the scenario's, several times: "
        "`junior=3/min,150s,300s`.",
    ),
]
Sweep = Annotated[
    str,
    typer.Option(
        "--sweep", metavar="GROUP=A..B", help="Try every number of seats in a group: `junior=6..14`."
    ),
]
Target = Annotated[
    float,
    typer.Option(
        "--target", min=0, max=100, metavar="PERCENT", help="With --sweep: of all calls, wanted in time."
    ),
]
Decide = Annotated[
    bool, typer.Option("--decide", help="With --sweep: more replications until the answer is certain.")
]
CallCount = Annotated[
    int | None,
    typer.Option(
        "--calls",
        min=1,
        metavar="COUNT",
        help="Calls per replication; default: the scenario's, else 50000.",
    ),
]
Replications = Annotated[
    int | None,
    typer.Option(
        "--replications",
        min=1,
        metavar="COUNT",
        help="Runs with callers of their own, of which the ± is taken; default: the scenario's, else 8.",
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        "--seed",
        metavar="NUMBER",
        help="Of chance: the same callers again; default: the scenario's, else 1.",
    ),
]
Policy = Annotated[
    str, typer.Option("--policy", metavar="POLICY", help="Of all queues, such as `longest-idle`.")
]
Plot = Annotated[
    str,
    typer.Option("--plot", metavar="FILE", help="Draw a picture as well: `desk.png`, `.svg` or `.pdf`."),
]
Jobs = Annotated[
    int, typer.Option("--jobs", "-j", min=0, metavar="COUNT", help="Processes; 0: one per processor.")
]


@command("0 done; 1 scenario or configuration is wrong; 2 wrong usage; 130 ended by Ctrl-C.")
def simulate(
    scenario: ScenarioFile = "",
    config: Borrowed = "",
    classes: Classes = None,
    sweep: Sweep = "",
    target: Target = 80.0,
    decide: Decide = False,
    calls: CallCount = None,
    replications: Replications = None,
    seed: Seed = None,
    policy: Policy = "",
    plot: Plot = "",
    jobs: Jobs = 0,
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
        raise typer.BadParameter("is missing; or give --config and --class", param_hint="SCENARIO")
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
        console(),
    )


def run_command() -> None:
    """Run the ``seatswitch`` command; ends the process with its exit code."""
    run_app(app)


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
    if found[0] >= found[1]:
        raise typer.BadParameter(f"{end} is not after --from, which is {begin}", param_hint="--to")
    return found[0], found[1]


def _part(given: str) -> float:
    """Return the seconds of ``--interval``: whole quarters of an hour."""
    from config.reading import parse_duration
    from kernel.limits import INTERVAL

    try:
        part = parse_duration(given) if given else 0.0
    except ValueError:
        wrong = f"{given!r} is no duration such as 15m or 24h"
        raise typer.BadParameter(wrong, param_hint="--interval") from None
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


def _ask(client: "Client", method: str, given: dict[str, Any]) -> Any:
    """Return the result of one request; a method or parameter that does not exist is told with what does."""
    from seatswitch.shell.client import RpcFailed

    try:
        return client.call(method, given)
    except RpcFailed as error:
        try:
            meant = _meant(client.call("rpc.discover"), method, error.code)
        except OperatorError:  # no rights to ask, or no switch any more: what was said first counts
            meant = ""
        raise OperatorError(error.where, error.why + meant) from None


def _meant(document: dict[str, Any], method: str, code: int) -> str:
    """Return what the OpenRPC ``document`` has to say to an unknown method or wrong parameters."""
    from difflib import get_close_matches

    methods = {it["name"]: it for it in document["methods"]}
    if method not in methods:
        close = get_close_matches(method, list(methods), n=1)
        return f" (did you mean {close[0]}?)" if close else ""
    if code != INVALID_PARAMS:
        return ""
    takes = [it["name"] if it.get("required") else f"[{it['name']}]" for it in methods[method]["params"]]
    return f"; {method} takes {', '.join(takes) or 'nothing'}"


def _keyboard() -> "Keyboard":
    from seatswitch.shell.top import Keyboard

    return Keyboard()


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
                print_json(views)
            else:
                print_table(columns, views)
            return
        try:
            with _keyboard() as keyboard:
                while True:
                    views = client.call(method, params)
                    if as_json:
                        typer.echo(json.dumps(views, ensure_ascii=False))
                    else:
                        print_table(columns, views, again=True)
                    if keyboard.wait(every) in ("q", "Q"):
                        return
        except KeyboardInterrupt:
            return
