"""quality.*: who may check whom, what is kept of it, and who has been checked too rarely."""

import pytest

from kernel.rows import RecordingRow
from seatswitch.api import quality
from tests.seatswitch.api.stub import CONFIG, Desk, Office
from tests.seatswitch.api.test_recording import row

GOOD = {"terms": 5, "attitude": 4, "tone": 5, "summary": 3, "reaction": 3}
TEAM = CONFIG.replace('role = "supervisor"', 'role = "supervisor"\nsupervises = ["night"]').replace(
    '[[seat]]\nnumbers = "8001-8003"',
    '[[queue]]\nname = "night"\ntenant = "north"\nrequires = {level = "junior"}\n'
    '[[seat]]\nnumber = "8005"\ntenant = "north"\npassword = "demo"\nlevel = "junior"\nqueues = ["night"]\n'
    '[[seat]]\nnumbers = "8001-8003"',
)


def leader_of(office: Office) -> Desk:
    leader = office.desk()
    leader.sign_in("8019", "lead")
    return leader


def test_a_leader_scores_a_call_and_it_is_written_with_who_when_and_what() -> None:
    office = Office()
    leader = leader_of(office)
    listens = office.desk("admin")
    listens.ask("events.subscribe", topics=["supervisor"])
    agent = office.desk()
    agent.sign_in("8001")
    agent.ask("events.subscribe", topics=["supervisor"])
    made = leader.ask("quality.score", seat="8001", call="c1", items=GOOD, remark="asked twice\nfor the name")
    assert (made["by"], made["call"], made["recording"], made["mean"]) == ("8019", "c1", None, 4.0)
    assert (made["items"], made["remark"]) == (GOOD, "asked twice\nfor the name")
    ((what, by, tenant, more),) = office.node.recorded
    assert (what, by, tenant, more["call"], more["detail"]) == (
        "quality_score", "8019", "north", "c1", made["check"],
    )  # fmt: skip
    found = leader.ask("quality.list")
    assert found["checks"] == [made]
    assert [(it["seat"], it["checks"], it["missing"]) for it in found["seats"]] == [
        ("8002", 0, 1), ("8003", 0, 1), ("8001", 1, 0),
    ]  # fmt: skip


def test_by_recording_and_again_replaces_what_was_said() -> None:
    office = Office()
    office.node.catalogue.add(row("r1", "8002,8001"))
    admin = office.desk("admin")
    first = admin.ask("quality.score", seat="8001", recording="r1", items=GOOD)
    again = admin.ask("quality.score", seat="8001", recording="r1", items=GOOD | {"tone": 1})
    assert (again["check"], again["recording"], again["items"]["tone"]) == (first["check"], "r1", 1)
    assert admin.ask("quality.list", seat="8001")["checks"] == [again]
    assert admin.ask("quality.list", seat="8001", month="2026-01")["checks"] == []


@pytest.mark.parametrize(
    "recording",
    [None, row("r1", "8002"), row("r1", "8001", tenant="south"), row("r1", "", queue="")],
    ids=["none of that name", "of another seat", "of another tenant", "of nobody"],
)
def test_a_recording_that_the_seat_is_not_heard_in_is_refused(recording: RecordingRow | None) -> None:
    office = Office()
    if recording is not None:
        office.node.catalogue.add(recording)
    asked = {"seat": "8001", "call": "c1", "recording": "r1", "items": GOOD}
    error = office.desk("admin").response("quality.score", **asked)["error"]
    assert (error["code"], error["message"]) == (
        -32602, "recording: r1 is no recording that seat 8001 is heard in",
    )  # fmt: skip
    assert office.node.recorded == []


def test_what_is_no_check_is_refused_by_word() -> None:
    office = Office()
    leader, agent, stranger = leader_of(office), office.desk(), office.desk()
    agent.sign_in("8001")
    asked = {"seat": "8001", "call": "c1", "items": GOOD}
    assert stranger.refusal("quality.score", **asked) == "NO_RIGHT"
    assert agent.refusal("quality.score", **asked) == "NO_RIGHT"
    assert agent.refusal("quality.list") == "NO_RIGHT"
    assert leader.refusal("quality.score", **asked | {"seat": "8019"}) == "NO_RIGHT"
    assert leader.refusal("quality.score", **asked | {"seat": "9001"}) == "NO_SUCH_SEAT"
    assert leader.refusal("quality.list", seat="9001") == "NO_SUCH_SEAT"
    assert leader.refusal("quality.score", seat="8001", items=GOOD) == "BAD_SCORE"
    assert leader.refusal("quality.score", **asked | {"items": {"terms": 5}}) == "BAD_SCORE"
    assert leader.refusal("quality.score", **asked | {"items": GOOD | {"tone": 6}}) == "-32602"
    assert leader.refusal("quality.list", month="2026-13") == "-32602"
    assert office.node.recorded == []


def test_a_leader_of_one_queue_checks_its_seats_alone() -> None:
    office = Office(config=TEAM)
    leader = leader_of(office)
    assert leader.refusal("quality.score", seat="8001", call="c1", items=GOOD) == "NO_RIGHT"
    assert leader.refusal("quality.list", seat="8001") == "NO_RIGHT"
    leader.ask("quality.score", seat="8005", call="c1", items=GOOD)
    assert [it["seat"] for it in leader.ask("quality.list")["seats"]] == ["8005"]


def test_an_answer_has_the_newest_checks() -> None:
    office = Office()
    admin = office.desk("admin")
    for number in range(quality.CHECKS_MAX + 1):
        admin.ask("quality.score", seat="8001", call=f"c{number}", items=GOOD)
    found = admin.ask("quality.list")
    assert (len(found["checks"]), found["more"]) == (quality.CHECKS_MAX, True)
    assert found["seats"][-1]["checks"] == quality.CHECKS_MAX + 1
