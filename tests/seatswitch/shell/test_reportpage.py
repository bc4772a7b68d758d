"""The page of a report, as a browser finds it."""

from html.parser import HTMLParser

from seatswitch.shell.reportpage import build_page
from seatswitch.shell.tables import Column


class Page(HTMLParser):
    """What a browser would find."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [name for name, _ in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.texts.append(data.strip())


COLUMNS = (
    Column("name", lambda view, _: view["name"]),
    Column("calls", lambda view, _: str(view["calls"]), True),
)


def test_a_table_per_section_and_every_text_is_text() -> None:
    evil = "</td><img src=x onerror=alert(1)>&amp;"
    text = build_page([(evil, COLUMNS, [{"name": evil, "calls": 3}])], f"Report of {evil}")
    page = Page(text)
    assert page.tags.count("table") == 1
    assert not {"img", "script", "link", "iframe"} & set(page.tags)
    assert page.links == []
    assert "3" in page.texts
    assert "Nothing was counted in that time." not in page.texts
    assert "onerror=alert(1)>&amp;" in "".join(page.texts)


def test_of_nothing_it_says_so() -> None:
    page = Page(build_page([], "Report"))
    assert "table" not in page.tags
    assert "Nothing was counted in that time." in page.texts
