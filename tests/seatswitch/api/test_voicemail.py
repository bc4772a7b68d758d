"""voicemail.*: whose mailbox is whose, what is heard of it, and what is done about it."""

from base64 import b64decode

import pytest

from kernel.rows import VoicemailRow
from seatswitch.api import voicemail
from seatswitch.api.audio import CHUNK_MAX
from tests.seatswitch.api.stub import CONFIG, EPOCH, Desk, Office

FILES = {"v-junior.wav": bytes(range(256)) * 4}
TEAM = CONFIG.replace('role = "supervisor"', 'role = "supervisor"\nsupervises = ["night"]').replace(
    '[[seat]]\nnumbers = "8001-8003"',
    '[[queue]]\nname = "night"\ntenant = "north"\nrequires = {level = "junior"}\n'
    '[[seat]]\nnumber = "8005"\ntenant = "north"\npassword = "demo"\nlevel = "junior"\nqueues = ["night"]\n'
    '[[seat]]\nnumbers = "8001-8003"',
)


def message(name: str, mailbox: str, tenant: str = "north") -> VoicemailRow:
    return VoicemailRow(
        name, tenant, mailbox, f"call-{name}", "junior", "13900000001", "", "96198", EPOCH + 90.0,
        EPOCH + 100.0, 10.0, 80_058, f"{name}.wav", "hung_up", "new", changed_at=EPOCH + 100.0,
    )  # fmt: skip


def office_with(config: str = CONFIG) -> Office:
    """One message in each kind of mailbox."""
    office = Office(config=config)
    office.files = dict(FILES)
    for name, mailbox, tenant in (
        ("v-junior", "queue:junior", "north"),
        ("v-public", "public", "north"),
        ("v-8001", "seat:8001", "north"),
        ("v-south", "public", "south"),
    ):
        office.node.put_voicemail(message(name, mailbox, tenant), office.now)
    return office


def signed_in(office: Office, seat: str = "8001", password: str = "demo") -> Desk:
    desk = office.desk()
    desk.sign_in(seat, password)
    return desk


def names(desk: Desk, **params: str) -> list[str]:
    return [each["voicemail"] for each in desk.ask("voicemail.list", **params)["voicemails"]]


def test_a_seat_opens_its_own_mailbox_those_of_its_queues_and_the_tenant_s() -> None:
    office = office_with()
    assert names(signed_in(office)) == ["v-junior", "v-public", "v-8001"]
    assert names(signed_in(office, "8002")) == ["v-junior", "v-public"]
    assert names(signed_in(office, "8019", "lead")) == ["v-junior", "v-public", "v-8001"]
    assert names(office.desk("admin")) == ["v-junior", "v-public", "v-8001", "v-south"]
    assert names(signed_in(office), mailbox="seat:8001") == ["v-8001"]
    assert office.desk().refusal("voicemail.list") == "NO_RIGHT"


def test_a_leader_of_one_queue_opens_what_is_that_one_s() -> None:
    office = office_with(TEAM)
    office.node.put_voicemail(message("v-night", "queue:night"), office.now)
    office.node.put_voicemail(message("v-8005", "seat:8005"), office.now)
    assert names(signed_in(office, "8019", "lead")) == ["v-public", "v-night", "v-8005"]


def test_what_is_in_no_mailbox_of_one_s_own_does_not_exist() -> None:
    office = office_with()
    desk = signed_in(office, "8002")
    for method, more in (("voicemail.get", {}), ("voicemail.mark", {"state": "done"})):
        for name in ("v-8001", "v-south", "nothing"):
            assert desk.refusal(method, voicemail=name, **more) == "NO_SUCH_VOICEMAIL"
    assert desk.refusal("voicemail.get", voicemail="../x") == "-32602"


def test_a_message_is_marked_and_leaves_the_list_of_what_is_new() -> None:
    office = office_with()
    desk, leader = signed_in(office), signed_in(office, "8019", "lead")
    assert leader.ask("voicemail.list")["unheard"] == 3
    marked = desk.ask("voicemail.mark", voicemail="v-8001", state="done", remark="called back")
    assert (marked["state"], marked["remark"], marked["changed_by"]) == ("done", "called back", "8001")
    found = leader.ask("voicemail.list", state="new")
    assert ([each["voicemail"] for each in found["voicemails"]], found["unheard"]) == (
        ["v-junior", "v-public"], 2,
    )  # fmt: skip
    assert names(desk, state="done") == ["v-8001"]
    assert desk.refusal("voicemail.mark", voicemail="v-8001", state="removed") == "-32602"


def test_audio_comes_in_pieces_and_who_listens_is_written_down_once() -> None:
    office = office_with()
    desk = signed_in(office)
    about = desk.ask("voicemail.get", voicemail="v-junior")
    assert (about["audio"], about["size"], about["seconds"]) == (None, None, 10.0)
    assert office.node.recorded == []
    heard, offset = b"", 0
    while True:
        piece = desk.ask("voicemail.get", voicemail="v-junior", offset=offset, length=1000)
        heard += b64decode(piece["audio"])
        offset = len(heard)
        if offset == piece["size"]:
            break
    assert heard == FILES["v-junior.wav"]
    ((what, by, _, more),) = office.node.recorded
    assert (what, by, more["call"], more["detail"]) == (
        "voicemail_listen", "8001", "call-v-junior", "v-junior",
    )  # fmt: skip
    assert desk.refusal("voicemail.get", voicemail="v-public", length=1) == "NO_AUDIO"
    assert desk.refusal("voicemail.get", voicemail="v-junior", length=CHUNK_MAX + 1) == "-32602"


def test_a_switch_without_files_says_so() -> None:
    office = office_with()
    office.files = {}
    desk = office.desk("admin")
    assert desk.refusal("voicemail.get", voicemail="v-junior", length=1) == "NO_AUDIO"


@pytest.mark.parametrize(("agents", "seen", "refused"), [("none", [], ""), ("list", 3, "NO_RIGHT")])
def test_a_tenant_may_keep_its_agents_out(agents: str, seen: object, refused: str) -> None:
    kept = CONFIG.replace('name = "north"\n', f'name = "north"\nvoicemail = {{agents = "{agents}"}}\n', 1)
    office = office_with(kept)
    desk = signed_in(office)
    if agents == "none":
        assert names(desk) == seen
        assert desk.refusal("voicemail.get", voicemail="v-junior") == "NO_SUCH_VOICEMAIL"
    else:
        assert len(names(desk)) == seen
        assert desk.refusal("voicemail.get", voicemail="v-junior", length=9) == refused
    leader = signed_in(office, "8019", "lead")
    assert leader.ask("voicemail.get", voicemail="v-junior", length=9)["audio"]


def test_events_tell_of_messages_in_mailboxes_that_one_opens() -> None:
    office = office_with()
    own, other, leader = (signed_in(office, *who) for who in (("8001",), ("8002",), ("8019", "lead")))
    for desk in (own, other, leader):
        snapshot = desk.ask("events.subscribe", topics=["voicemail"])["snapshot"]
        assert len(snapshot["voicemail"]) == (2 if desk is other else 3)
    office.turn(lambda now: office.node.put_voicemail(message("v-new", "seat:8001"), now))
    own.ask("voicemail.mark", voicemail="v-new", state="heard")
    for desk in (own, leader):
        assert [(it["data"]["what"], it["data"]["voicemail"]) for it in desk.events] == [
            ("new", "v-new"), ("changed", "v-new"),
        ]  # fmt: skip
    assert other.events == []
    own.ask("voicemail.mark", voicemail="v-public", state="heard")
    assert [it["data"]["voicemail"] for it in other.events] == ["v-public"]


def test_the_newest_of_many_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voicemail, "LISTED_MAX", 2)
    found = signed_in(office_with()).ask("voicemail.list")
    assert [each["voicemail"] for each in found["voicemails"]] == ["v-public", "v-8001"]
    assert found["more"] is True
