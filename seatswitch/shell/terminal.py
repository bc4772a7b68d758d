"""What all commands of the command line share: how help looks, how errors end, where output goes.

Whatever a person can mend is one message on standard error and an exit code, never a traceback; that goes for
the output itself, too: a full disk, a closed standard output, a pipe that nobody reads any more.
"""

import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption

from kernel.errors import OperatorError

if TYPE_CHECKING:
    from rich.console import Console

    from seatswitch.shell.tables import Column

PIPE_WIDTH = 220  # columns where the output is no terminal: lines are cut by whoever reads them


class Command(TyperCommand):
    """One command; its flags show no type, and it says that ``--socket`` comes before it."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters."""
        return _without_types(super().get_params(ctx))

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words after the command's name."""
        options = args[: args.index("--")] if "--" in args else args
        if any(word == "--socket" or word.startswith("--socket=") for word in options):
            name = ctx.info_name
            wrong = f"comes before the command: seatswitch --socket ADDRESS {name}"
            raise typer.BadParameter(wrong, ctx=ctx, param_hint="--socket")
        return super().parse_args(ctx, args)


class Commands(TyperGroup):
    """All commands; turns an operator's error into a message and exit code 1."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return the parameters."""
        return _without_types(super().get_params(ctx))

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except OperatorError as error:
            typer.echo(f"seatswitch: {error}", err=True)
            raise typer.Exit(1) from None


def _without_types(parameters: Sequence[Any]) -> list[Any]:
    """Return them; a flag has no value, so help names no type of one, and an argument's name says enough."""
    for parameter in parameters:
        if isinstance(parameter, TyperArgument):
            argument: Any = parameter
            argument.display_type_rich = lambda ctx: ""
        elif isinstance(parameter, TyperOption) and parameter.is_flag and parameter.metavar is None:
            parameter.metavar = ""
    return list(parameters)


def run_app(app: Callable[..., Any]) -> None:
    """Run the command line ``app`` and end the process with its exit code."""
    _open_what_is_closed()
    try:
        try:
            app(prog_name="seatswitch")
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        _forget_output()
        sys.exit(1)
    except OSError as error:
        _forget_output()
        where = error.filename or "standard output"
        print(f"seatswitch: {where}: cannot be written ({error.strerror or error})", file=sys.stderr)
        sys.exit(1)


def _open_what_is_closed() -> None:
    """Give what is closed of input, output and errors the place of /dev/null; a socket would take it."""
    for fd, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            if (opened := os.open(os.devnull, os.O_RDWR)) != fd:
                os.dup2(opened, fd)
            setattr(sys, name, os.fdopen(fd, mode, closefd=False))


def _forget_output() -> None:
    """Let what is still buffered go nowhere: Python would try once more at its end, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def console() -> "Console":
    """Return the console of standard output; where that is no terminal its lines are long."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False)


def print_json(value: object) -> None:
    """Print ``value`` as JSON that a person can read."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(columns: "Sequence[Column]", views: Sequence[dict[str, Any]], again: bool = False) -> None:
    """Print a table of ``views``; ``again``: in place of the one before."""
    from seatswitch.shell.clock import monotonic, wall_offset
    from seatswitch.shell.tables import build_table

    out = console()
    if again:
        out.clear()  # does nothing where the output is no terminal
    width = out.width if out.is_terminal else 0
    out.print(build_table(columns, views, monotonic() + wall_offset(), width=width))
