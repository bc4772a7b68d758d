"""Pictures of forecasts; without matplotlib, what to install."""

import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from kernel.errors import OperatorError
from seatswitch.shell import plot

CURVES = {"simple": [(0.0, 0.5), (20.0, 0.9)], "complaint": [(0.0, 0.1), (20.0, 0.4)]}


def report(level: float | None) -> dict[str, Any]:
    found = {"service_level": level}
    classes = {"simple": found, "complaint": found}
    return {
        "classes": classes,
        "overall": found,
        "half_width": {"classes": classes, "overall": {"service_level": None}},
    }


POINTS = [(8, report(0.7)), (9, report(None))]


def test_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plot, "find_spec", lambda name: None)
    with pytest.raises(OperatorError, match=r"--plot: needs matplotlib: /.* -m pip install matplotlib"):
        plot.check_plotting()


class Panel:
    """Takes every call of a plot and remembers it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.xaxis = SimpleNamespace(
            get_major_locator=lambda: SimpleNamespace(set_params=lambda **options: None)
        )

    def __getattr__(self, name: str) -> Any:
        return lambda *args, **options: self.calls.append((name, args, options))

    def called(self, name: str) -> list[tuple[Any, ...]]:
        return [args for each, args, _ in self.calls if each == name]


@pytest.fixture
def panels(monkeypatch: pytest.MonkeyPatch) -> list[Panel]:
    """Stand-ins for what matplotlib draws on."""
    made: list[Panel] = []

    class Figure:
        def __init__(self, **options: Any) -> None:
            pass

        def subplots(self, rows: int, columns: int, *, squeeze: bool) -> list[list[Panel]]:
            made.extend(Panel() for _ in range(columns))
            return [made]

        def savefig(self, path: str, *, dpi: int) -> None:
            if not path.endswith(".png"):
                raise ValueError("format is not supported")
            Path(path).write_bytes(b"picture")

    module = ModuleType("matplotlib.figure")
    module.Figure = Figure  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "matplotlib", ModuleType("matplotlib"))
    monkeypatch.setitem(sys.modules, "matplotlib.figure", module)
    return made


def test_waits_by_class(panels: list[Panel], tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    plot.draw(str(path), CURVES, [20.0, 20.0], "", "", [])
    assert path.read_bytes() == b"picture"
    (panel,) = panels
    assert panel.called("plot") == [([0.0, 20.0], [50.0, 90.0]), ([0.0, 20.0], [10.0, 40.0])]
    assert panel.called("axvline") == [(20.0,)]
    assert panel.called("set_title") == [("waits by class",)]


def test_sweep_has_a_second_panel(panels: list[Panel], tmp_path: Path) -> None:
    plot.draw(str(tmp_path / "a.png"), CURVES, [20.0], "9 seats in junior", "junior", POINTS)
    waits, sweep = panels
    assert waits.called("set_title") == [("waits by class, 9 seats in junior",)]
    assert sweep.called("errorbar") == 3 * [([8, 9], [70.0, 0.0])]
    assert sweep.called("set_xlabel") == [("seats in junior",)]


def test_file_that_cannot_be_written(panels: list[Panel], tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match=r"a\.xyz: cannot be written \(format is not supported\)"):
        plot.draw(str(tmp_path / "a.xyz"), CURVES, [20.0], "", "", [])


@pytest.mark.skipif(find_spec("matplotlib") is None, reason="the extra plot is not installed")
def test_real_picture(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    plot.check_plotting()
    plot.draw(str(path), CURVES, [20.0], "9 seats in junior", "junior", POINTS)
    assert path.read_bytes().startswith(b"\x89PNG")
