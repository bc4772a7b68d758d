"""docs/sip.md tells the truth as far as a machine can see: every test it names exists."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_every_test_that_the_page_names_exists() -> None:
    named = re.findall(
        r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`", (ROOT / "docs" / "sip.md").read_text("utf-8")
    )
    assert len(named) > 30
    for path, test in named:
        assert (ROOT / path).exists(), path
        if test:
            assert f"def {test}(" in (ROOT / path).read_text("utf-8"), f"{path}::{test}"
