"""The table of all methods is the one the contract promises."""

from seatswitch.api.errors import WORDS
from seatswitch.api.methods import METHODS
from seatswitch.api.sessions import RANKS

PROMISED = """
session.login session.resume session.token session.logout session.whoami
seat.list seat.get seat.ready seat.pause seat.after_call seat.bind seat.wrapup_end seat.wrapup_extend
call.list call.answer call.refuse call.pick call.hangup call.hold call.unhold call.mute call.unmute
call.dtmf call.dial call.transfer
call.consult call.consult_cancel call.consult_back call.consult_transfer call.consult_join
call.survey call.record_pause call.record_resume call.escalate call.interact call.tag
supervisor.monitor supervisor.whisper supervisor.barge supervisor.takeover supervisor.disconnect
supervisor.pickup supervisor.switch supervisor.force_ready supervisor.force_pause supervisor.force_logout
supervisor.move_seat supervisor.move_call
queue.list queue.get queue.statistics seat.statistics level.statistics tenant.statistics
callback.list callback.book callback.choose callback.cancel callback.close callback.followups
voicemail.list voicemail.get voicemail.mark
recording.list recording.get quality.list quality.score
list.list list.entries list.add list.remove
explain.call explain.seat events.subscribe events.unsubscribe
admin.status admin.reload admin.drain admin.bans admin.unban trunk.list rpc.discover
"""


def test_what_is_promised_is_there_and_nothing_else() -> None:
    assert list(METHODS) == PROMISED.split()


def test_rights_and_words_are_known() -> None:
    for name, method in METHODS.items():
        assert method.name == name
        assert method.right in RANKS
        assert all(word in WORDS for word in method.words)
        assert method.summary.endswith(".")


def test_strangers_may_call_four() -> None:
    open_to_all = [name for name, method in METHODS.items() if not method.right]
    assert open_to_all == ["session.login", "session.resume", "session.token", "rpc.discover"]
