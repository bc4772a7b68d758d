"""voicemail, recording, quality: promised, with rights, not built yet."""

import msgspec
import pytest

from seatswitch.api.followup import METHODS, Score
from tests.seatswitch.api.stub import Office


def test_rights_come_before_the_news_that_it_is_not_built() -> None:
    office = Office()
    desk, stranger, admin = office.desk(), office.desk(), office.desk("admin")
    desk.sign_in()
    for method in METHODS:
        assert stranger.refusal(method.name) == "NO_RIGHT"
        assert desk.refusal(method.name) == ("NO_RIGHT" if method.right == "supervisor" else "NOT_AVAILABLE")
        assert admin.refusal(method.name) == "NOT_AVAILABLE"


def test_a_score_is_a_number_of_points() -> None:
    assert msgspec.convert({"call": "c1", "scores": {"attitude": 5}}, Score).scores == {"attitude": 5}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"call": "c1", "scores": {"attitude": 101}}, Score)
