"""list.*: what supervisors do to lists of callers. The moment 0 is 2027-01-15T08:00:00Z."""

from tests.seatswitch.api.stub import CONFIG, Office

LISTS = """
[[list]]
name = "nuisance"
tenant = "north"
kind = "black"
numbers = ["13900000009"]
[[list]]
name = "gold"
tenant = "north"
kind = "white"
queues = ["junior"]
credit = "60s"
[[list]]
name = "foreign"
tenant = "south"
kind = "black"
"""


def office() -> Office:
    return Office(config=CONFIG + LISTS)


def test_a_supervisor_adds_finds_and_removes_numbers_and_the_log_says_who() -> None:
    place = office()
    lead = place.desk()
    lead.sign_in("8019", "lead")
    added = lead.ask(
        "list.add", list="nuisance", number="138 0000 0001", until="2027-02-01T08:00:00+08:00", note="swears"
    )
    assert added == {
        "list": "nuisance",
        "number": "138 0000 0001".replace(" ", ""),
        "until": "2027-02-01T00:00:00.000Z",
        "note": "swears",
        "added_by": "8019",
        "added_at": "2027-01-15T08:01:40.000Z",
    }
    lead.ask("list.add", list="nuisance", number="137*")
    assert lead.ask("list.entries", list="nuisance", number="13712345678")[0]["number"] == "137*"
    assert lead.ask("list.entries", list="nuisance", number="13500000000") == []
    numbers = [it["number"] for it in lead.ask("list.entries", list="nuisance")]
    assert numbers == ["137*", "13800000001", "13900000009"]
    assert [it["added_by"] for it in lead.ask("list.entries", list="nuisance", after="13800000001")] == [None]
    assert len(lead.ask("list.entries", list="nuisance", most=2)) == 2
    assert lead.ask("list.remove", list="nuisance", number="13900000009") == {"done": True}
    assert lead.refusal("list.remove", list="nuisance", number="13900000009") == "NOT_LISTED"
    told = [(what, fields) for what, fields in place.node.log.take() if "list" in what]
    said = [(what, fields["by"], fields["number"]) for what, fields in told]
    assert said == [
        ("number listed", "8019", "138 0000 0001"),
        ("number listed", "8019", "137*"),
        ("number taken off a list", "8019", "13900000009"),
    ]


def test_lists_of_another_tenant_do_not_exist_and_agents_may_not_look() -> None:
    place = office()
    lead, agent, admin = place.desk(), place.desk(), place.desk("admin")
    lead.sign_in("8019", "lead")
    agent.sign_in()
    assert [it["list"] for it in lead.ask("list.list")] == ["nuisance", "gold"]
    assert [it["list"] for it in admin.ask("list.list")] == ["nuisance", "gold", "foreign"]
    assert lead.ask("list.list")[1] == {
        "list": "gold",
        "tenant": "north",
        "kind": "white",
        "queues": ["junior"],
        "only": False,
        "credit": 60.0,
        "numbers": 0,
    }
    assert agent.refusal("list.list") == "NO_RIGHT"
    for method, params in (
        ("list.entries", {}),
        ("list.add", {"number": "1"}),
        ("list.remove", {"number": "1"}),
    ):
        assert lead.refusal(method, list="foreign", **params) == "NO_SUCH_LIST"
        assert agent.refusal(method, list="nuisance", **params) == "NO_RIGHT"


def test_what_is_no_number_is_said() -> None:
    lead = office().desk("admin")
    assert lead.refusal("list.add", list="nuisance", number="()") == "BAD_NUMBER"
    assert lead.refusal("list.add", list="nuisance", number="1", until="2020-01-01T00:00:00Z") == "BAD_NUMBER"
    assert lead.refusal("list.add", list="nuisance", number="a\nb") == "-32602"
