"""Ids of visits and offers tell whose they are."""

from kernel.ids import CallId, offer_id, visit_id


def test_an_offer_names_its_visit_and_its_call() -> None:
    visit = visit_id(CallId("k3v9"), 2)
    assert visit == "k3v9.2"
    assert offer_id(visit, 1) == "k3v9.2.1"
