"""What ``make compiled`` compiles; that it behaves the same is shown there, by the simulator both ways."""

from compile_floors import FOLDERS, GROUPS, HERE, STAY, modules_of


def test_every_group_is_there_and_comes_once() -> None:
    modules = [name for places in GROUPS.values() for name in modules_of(places, HERE)]
    assert len(modules) == len(set(modules))
    assert {name.partition("/")[0] for name in modules} <= set(FOLDERS)
    assert {"sip/parser.py", "acd/distribution.py", "calls/call.py", "seatswitch/node.py"} <= set(modules)


def test_what_stays_python_is_there_and_stays() -> None:
    left = set(modules_of(("kernel", "sip", "acd", "calls"), HERE))
    for name in STAY:
        assert (HERE / name).is_file()
        assert name not in left


def test_structs_stay() -> None:
    assert "(msgspec.Struct" in (HERE / "kernel/rows.py").read_text()
    assert "kernel/rows.py" not in modules_of(("kernel",), HERE)
    assert "kernel/limits.py" in modules_of(("kernel",), HERE)


def test_every_floor_is_copied() -> None:
    floors = {path.parent.name for path in HERE.glob("*/__init__.py")} - {"tests", "benchmarks", "docs"}
    assert floors <= set(FOLDERS)
