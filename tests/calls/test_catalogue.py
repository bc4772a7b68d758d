from calls.catalogue import Catalogue
from kernel.rows import RecordingRow


def row(recording: str, seat: str = "8001", state: str = "kept") -> RecordingRow:
    about = (recording, "c1", "demo", "junior", seat, seat, "139", 1.0, 2.0, 1.0, 16_058, 0.0)
    return RecordingRow(*about, state, "asked")


def test_the_last_comes_first_page_by_page() -> None:
    catalogue = Catalogue()
    for number in range(7):
        catalogue.add(row(f"r{number}", "8001" if number % 2 else "8002"))
    pages, after = [], None
    while True:
        found, after = catalogue.find(lambda it: it.seat == "8002", after, 2)
        pages.append([it.recording for it in found])
        if after is None:
            break
    assert pages == [["r6", "r4"], ["r2", "r0"]]


def test_a_page_that_is_full_is_followed_by_none_where_nothing_is_left() -> None:
    catalogue = Catalogue()
    catalogue.add(row("r1"))
    assert [it.recording for it in catalogue.find(lambda it: True, None, 1)[0]] == ["r1"]
    assert catalogue.find(lambda it: True, None, 1)[1] is None
    assert catalogue.find(lambda it: True, "unknown", 1) == ([], None)


def test_the_oldest_are_forgotten_and_what_becomes_of_one_is_known() -> None:
    catalogue = Catalogue(most=2)
    for number in range(3):
        catalogue.add(row(f"r{number}"))
    catalogue.update(row("r1", state="removed"))
    catalogue.update(row("r0", state="removed"))
    assert len(catalogue) == 2, "an old one that is removed takes no newer one's place"
    assert catalogue.get("r0") is None
    found = catalogue.get("r1")
    assert found is not None
    assert found.state == "removed"
