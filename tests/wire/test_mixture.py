"""A quarter of a minute of the mixed soak: everything at once, and nothing is left of it."""

from pathlib import Path

import pytest

from benchmarks.soak_mixed import soak

pytestmark = pytest.mark.wire


def test_everything_at_once_leaves_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert soak(tmp_path, 8.0, 6.0, 2) == 0
    said = capsys.readouterr().out
    assert "leaves a message" in said
    assert "memory is not judged" in said
