"""Admission: what a call that arrives is refused for, and in which order."""

import pytest

from calls.events import CallQueued
from calls.settings import Hotline, TrunkSettings
from tests.calls.office import TRUNK, Office, call_settings

FROM = "<sip:12345@example.net>;tag=77"
HOTLINES = (Hotline("96198", "demo", "queue:junior"), Hotline("96201", "demo", "extension:2001"))


def office(**changes: object) -> Office:
    return Office(call_settings(hotlines=HOTLINES, **changes))


@pytest.mark.parametrize(("statuses", "status"), [({}, 603), ({"demo": 403}, 403)])
def test_who_is_barred_is_refused_where_no_queue_looks_at_it(statuses: dict[str, int], status: int) -> None:
    here = office(barred_statuses=statuses)
    here.book.barred["12345"] = True
    assert here.dial("96201", from_=FROM) is None
    assert here.last(str(status), TRUNK)
    assert here.verdicts()[-1][1:] == ("us:barred", status)


def test_a_queue_looks_for_itself() -> None:
    here = office()
    here.book.barred["12345"] = True
    session = here.dial("96198", from_=FROM)
    assert session is not None
    assert [(event.queue, event.caller) for event in here.events(CallQueued)] == [("junior", "12345")]
    assert here.verdicts() == []


def test_too_many_calls_come_before_everything() -> None:
    trunk = TrunkSettings("carrier", tenant="demo", contact="sip:10.0.0.9:5080", max_calls=1)
    here = office(calls_max=2, trunks=(trunk,))
    assert here.dial("96198", "one") is not None
    assert here.dial("96198", "two") is None
    assert here.verdicts()[-1][1:] == ("us:trunk_calls", 503)
    here = office(calls_max=1)
    here.book.barred["12345"] = True
    assert here.dial("96198", "one") is not None
    assert here.dial("96201", "two", from_=FROM) is None
    assert here.verdicts()[-1][1:] == ("us:calls_max", 503)
