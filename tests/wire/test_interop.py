"""A whole phone registers, calls, sends digits, holds, resumes, over UDP, TCP and TLS; audio by its tone."""

from pathlib import Path

import pytest

from tests.interop.phones import BaresipPhone
from tests.interop.story import Run

pytestmark = pytest.mark.wire


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_baresip_does_everything(tmp_path: Path, transport: str) -> None:
    run = Run(BaresipPhone, transport, tmp_path)
    run.talk_plainly()
    assert not run.why
    assert run.results == {"register": "ok", "call": "ok", "dtmf": "ok", "hold": "ok"}
