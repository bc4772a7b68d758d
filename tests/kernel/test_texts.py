"""What peers send need not be text; what is written and told is."""

import msgspec

from kernel.texts import readable, to_json


class _Pair(msgspec.Struct, frozen=True):
    one: str
    other: tuple[str, ...]


def test_what_is_no_text_becomes_question_marks_wherever_it_is() -> None:
    assert readable(_Pair("\udcecLi", ("休息", "\udcff"))) == _Pair("?Li", ("休息", "?"))
    assert readable({"\udcff": ["a\udcfe", 1, None]}) == {"?": ["a?", 1, None]}


def test_json_of_anything() -> None:
    assert to_json({"caller": "139\udcec", "seat": "座席"}) == '{"caller":"139?","seat":"座席"}'.encode()
