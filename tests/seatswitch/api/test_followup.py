"""voicemail, recording: promised, with rights, not built yet."""

from seatswitch.api.followup import METHODS
from tests.seatswitch.api.stub import Office


def test_rights_come_before_the_news_that_it_is_not_built() -> None:
    office = Office()
    desk, stranger, admin = office.desk(), office.desk(), office.desk("admin")
    desk.sign_in()
    for method in METHODS:
        assert stranger.refusal(method.name) == "NO_RIGHT"
        assert desk.refusal(method.name) == ("NO_RIGHT" if method.right == "supervisor" else "NOT_AVAILABLE")
        assert admin.refusal(method.name) == "NOT_AVAILABLE"
