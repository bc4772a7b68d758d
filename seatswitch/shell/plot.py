"""Pictures of forecasts: waits by class, and service level by number of seats. Needs the extra ``plot``."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from sys import executable
from typing import Any

from kernel.errors import OperatorError
from seatswitch.forecast.report import Report

Curve = Sequence[tuple[float, float]]


def check_plotting() -> None:
    """Raise OperatorError saying what to install where pictures cannot be drawn."""
    if find_spec("matplotlib") is None:
        raise OperatorError("--plot", f"needs matplotlib: {executable} -m pip install matplotlib")


def draw(
    path: str,
    curves: Mapping[str, Curve],
    thresholds: Sequence[float],
    where: str,
    group: str,
    points: Sequence[tuple[int, Report]],
) -> None:
    """Write a picture to ``path``, its kind by the name's ending.

    ``curves`` are (seconds, share answered by then) by class, of the seats that ``where`` tells; ``points``
    of a sweep over ``group``, where there is one, go to a second panel. Raises OperatorError where the file
    cannot be written.
    """
    # Not by pyplot, which looks for a screen.
    figure = import_module("matplotlib.figure").Figure(
        figsize=(9.6 if points else 5.2, 3.4), layout="constrained"
    )
    panels = figure.subplots(1, 2 if points else 1, squeeze=False)[0]
    _draw_waits(panels[0], curves, thresholds, where)
    if points:
        _draw_sweep(panels[1], group, points)
    try:
        figure.savefig(path, dpi=110)
    except (OSError, ValueError) as error:
        raise OperatorError(path, f"cannot be written ({error})") from error


def _draw_waits(panel: Any, curves: Mapping[str, Curve], thresholds: Sequence[float], where: str) -> None:
    for name, curve in curves.items():
        panel.plot([at for at, _ in curve], [100 * share for _, share in curve], label=name)
    for threshold in dict.fromkeys(thresholds):
        panel.axvline(threshold, color="grey", linestyle=":", linewidth=1)
    panel.set_title(f"waits by class, {where}" if where else "waits by class", fontsize="medium")
    panel.set_xlabel("seconds after joining")
    panel.set_ylabel("answered by then, %")
    panel.set_xlim(left=0)
    panel.set_ylim(0, 101)
    panel.legend(loc="lower right", fontsize="small")
    panel.grid(alpha=0.3)


def _draw_sweep(panel: Any, group: str, points: Sequence[tuple[int, Report]]) -> None:
    seats = [number for number, _ in points]
    names = list(points[0][1]["classes"])
    lines = {name: [report["classes"][name] for _, report in points] for name in names}
    widths = {name: [report["half_width"]["classes"][name] for _, report in points] for name in names}
    if len(names) > 1:
        lines["all"] = [report["overall"] for _, report in points]
        widths["all"] = [report["half_width"]["overall"] for _, report in points]
    for name, found in lines.items():
        panel.errorbar(
            seats,
            [100 * (each["service_level"] or 0.0) for each in found],
            yerr=[100 * (each["service_level"] or 0.0) for each in widths[name]],
            label=name,
            capsize=2,
            color="black" if name == "all" else None,
            linewidth=1.2,
        )
    panel.set_title("service level by number of seats", fontsize="medium")
    panel.set_xlabel(f"seats in {group}")
    panel.set_ylabel("answered in time, %")
    panel.xaxis.get_major_locator().set_params(integer=True)
    panel.set_ylim(0, 101)
    panel.legend(loc="lower right", fontsize="small")
    panel.grid(alpha=0.3)
