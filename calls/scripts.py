"""Callers in scripts: what :mod:`calls.script` asks is done here, and what came of it handed back.

A caller is in a script before it waits or talks to anybody (the call's state is ``script``), or in the middle
of a conversation whose seat has sent it there and is kept (``call.interact``: the call goes on talking, and
neither hears the other until the caller is back). The caller hangs up, the seat takes it back, the time is
up, the script fails: whatever happens, a run ends once and leaves one row.

A caller whom the target that it is led to does not take comes back (:mod:`calls.leading`): the script goes
on, in a run of its own.

Rule: a call has at most one run, and while it has one its caller's stream collects keys.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import msgspec

from calls.admission import PhoneBook
from calls.call import Call, CallInput, CallState
from calls.controls import InteractAsked
from calls.events import CallbackWanted, CallChanged, ScriptEnded
from calls.leading import BUSY, ENDINGS, MAY_TURN_AWAY, Leading
from calls.leg import Leg
from calls.menu import RETURN, ScriptSettings
from calls.retelling import read, tell_again
from calls.script import (
    KEYS_MAX,
    UNREACHED,
    BookCallback,
    Caller,
    Collect,
    Failed,
    Go,
    Guard,
    HangUp,
    IsListed,
    IsOpen,
    Keys,
    Play,
    Request,
    Return,
    ScriptRun,
    Wait,
)
from calls.scriptbook import begin
from kernel.errors import OperationRefused
from kernel.ids import CallId, QueueName
from kernel.rows import ScriptRow
from kernel.timers import Timer, TimerQueue
from kernel.walltime import WallTime
from media.plane import Plane

if TYPE_CHECKING:
    from calls.switchboard import Switchboard

PLAY_FOR = 300.0  # seconds that sounds last at most, whatever the media workers say
RUNS_MAX = 20  # of one call: scripts and queues that lead to each other end here
ABANDONED = "caller:abandoned_ivr"
INTERRUPTED = "interrupted"  # the outcome of a script that does not go on after a restart
_LATER = object()  # what came of a request is not known yet, or never will be


class Running:
    """One caller in one script."""

    __slots__ = (
        "began_at",
        "call",
        "caller",
        "left",
        "leg",
        "limit",
        "missed",
        "request",
        "run",
        "seat",
        "settings",
        "spare",
        "timer",
        "typed",
    )  # fmt: skip

    def __init__(
        self,
        call: Call,
        leg: Leg,
        settings: ScriptSettings,
        caller: Caller,
        run: ScriptRun,
        seat: Leg | None,
        now: float,
    ) -> None:
        self.call = call
        self.caller = caller  # as the script knows it
        self.leg = leg  # who hears the script
        self.seat = seat  # the leg that waits for the caller; None: it came from nobody
        self.settings = settings
        self.run = run
        self.began_at = now
        self.request: Request = Return()  # that it waits for
        self.missed = ("", "")  # the last target that it was led to, and why that has not taken it
        self.left = 0  # sounds that are not over yet
        self.typed = ""  # keys so far, or pressed ahead
        self.spare = ("", 0.0)  # the end key of digits that were complete without it, and until when
        self.timer: Timer | None = None  # of the request
        self.limit: Timer | None = None  # of the whole run


class Scripts:
    """The runs of one switchboard that go on, by call."""

    def __init__(
        self,
        board: "Switchboard",
        plane: Plane,
        timers: TimerQueue,
        walltime: WallTime,
        phonebook: PhoneBook,
    ) -> None:
        self._board = board
        self._plane = plane
        self._timers = timers
        self._walltime = walltime
        self._phonebook = phonebook
        self.leading = Leading(board, plane)
        self.guard: Guard | None = None  # of scripts in Python; who has a clock sets it
        self.running: dict[CallId, Running] = {}
        self.counts: dict[str, dict[str, int]] = {}  # of runs that have ended: by tenant, then by outcome
        self._on: dict[type, Callable[[Running, Any, float], Any]] = {
            Play: self._play,
            Collect: self._collect,
            Wait: self._wait,
            IsOpen: self._is_open,
            IsListed: self._is_listed,
            BookCallback: self._book,
            Go: self._go,
            HangUp: self._hang_up,
            Return: self._return,
            Failed: self._failed,
        }

    # A run begins.

    def begin(self, call: Call, name: str, now: float) -> None:
        """Lead a caller, whom nobody serves, into a script of its tenant."""
        board, leg = self._board, call.caller_leg
        settings = board.plan.scripts.get((call.tenant, name))
        if settings is None or leg is None or leg.session is None or call.is_callback:
            board.end(call, now, ended_by="switch", verdict="us:no_such_script", status=480)
            return
        if call.runs >= RUNS_MAX:
            board.end(call, now, ended_by="switch", verdict="us:script_limit", status=480)
            return
        if not call.move(CallInput.SCRIPTED):
            return
        self._free(call, name)
        board.answer_caller(leg, now)
        self._start(call, leg, settings, None, now)

    def _free(self, call: Call, name: str) -> None:
        """Let go of whatever a caller waits for, who is in script ``name`` from now on."""
        self._board.comfort.over(call)
        self._timers.disarm(call.timer)
        call.timer, call.joined_at, call.script = None, None, name
        call.queue, call.target = None, None

    def interact(self, what: InteractAsked, now: float) -> None:
        """The seat sends its caller into a script, and stays."""
        board = self._board
        call, seat, other = board.desk.talking(what.call, what.seat)
        settings = board.plan.scripts.get((call.tenant, what.ivr))
        if call.held or board.transfers.is_moving(call) or other.session is None:
            raise OperationRefused("NO_BRIDGE", f"the two sides of call {call.id} do not hear each other")
        if settings is None:
            raise OperationRefused("NO_SUCH_TARGET", f"tenant {call.tenant} has no script {what.ivr}")
        if call.runs >= RUNS_MAX:
            raise OperationRefused("NO_BRIDGE", f"call {call.id} has been in {RUNS_MAX} scripts")
        self._plane.disconnect(seat.stream, now)
        if settings.music:
            self._plane.play(seat.stream, (settings.music,), now)
        self._start(call, other, settings, seat, now)

    def _start(self, call: Call, leg: Leg, settings: ScriptSettings, seat: Leg | None, now: float) -> None:
        call.runs += 1
        caller = Caller(
            leg.number, call.called, call.tenant, settings.language, call.variables, settings.options
        )
        run = self._run(settings, caller)
        self._go_on(Running(call, leg, settings, caller, run, seat, now), run.begin(), now)

    def _run(self, settings: ScriptSettings, caller: Caller) -> ScriptRun:
        guard = self.guard if settings.python else None  # the nodes of a configuration need none
        name = f"{caller.tenant} {settings.name}"
        return ScriptRun(begin(settings, caller), caller.variables, guard, name)

    def _go_on(self, running: Running, request: Request, now: float) -> None:
        """Do what a script asks first, of who has just come into it, and then what it asks next."""
        board, call = self._board, running.call
        self.running[call.id] = running
        running.limit = self._timers.arm_after(self, f"limit {call.id}", running.settings.time_max, now)
        board.supervision.touch_call(call)
        self._plane.collect(running.leg.stream, True, now)
        self._do(running, request, now)
        if self.running.get(call.id) is running:
            state = "script" if running.seat is None else "interact"
            board.events.put(CallChanged(call.id, state))

    def come_back(self, call: Call, why: str, now: float) -> bool:
        """Tell the script that has led the caller of ``call`` to a target why that does not take it; return
        whether that is all, or the call has yet to be ended.
        """
        board, running, leg = self._board, self.leading.take_back(call), call.caller_leg
        if running is None:
            return False
        if leg is None or leg.session is None:  # it talks on with the seat that it was to be taken from
            running.run.close()
            return False
        running.missed = (running.missed[0], why)
        running.run.path.clear()
        if call.runs >= RUNS_MAX:
            running.run.close()
            board.end(call, now, ended_by="switch", verdict="us:script_limit", status=480)
            return True
        request = running.run.resume(why)
        if isinstance(request, Failed) and request.cause == UNREACHED:
            self._note_unreached(running, call)
            running.run.close()
            return False
        board.call_off(call, now)
        board.transfers.call_ended(call, 486 if why == BUSY else 480, now)
        call.move(CallInput.RING_ENDED)
        call.move(CallInput.SCRIPTED)
        self._free(call, running.settings.name)
        call.runs += 1
        running.call, running.leg, running.seat, running.began_at = call, leg, None, now
        self._plane.stop(leg.stream, now)
        self._go_on(running, request, now)
        return True

    def restore(self, call: Call, name: str, written: bytes, now: float) -> None:
        """The caller of a call that was taken over waits in the queue to which script ``name`` has led it:
        the script goes on if the queue does not take the caller, or a row says that it cannot.
        """
        leg, settings = call.caller_leg, self._board.plan.scripts.get((call.tenant, name))
        led, why = read(written), "what it was told was not written down"
        if led is not None and leg is not None and settings is not None:
            whom = (led.caller, led.called, call.tenant, settings.language)
            caller = Caller(*whom, led.brought, settings.options)
            run = self._run(settings, caller)
            if tell_again(run, led):
                running = Running(call, leg, settings, caller, run, None, now)
                running.missed = (led.target, "")
                call.variables, call.collected = run.open(), run.told()
                self.leading.wait_for(call, running)
                return
            run.close()
            why = "it leads elsewhere now"
        elif settings is None:
            why = "the configuration knows it no longer"
        call.runs += 1
        self._note_end(call, name, now, now, INTERRUPTED)
        about = {"call": call.id, "ivr": name, "why": why}
        self._board.log.put(("a script does not go on after the restart", about))

    def _note_unreached(self, running: Running, call: Call) -> None:
        target, why = running.missed
        about = {"call": call.id, "ivr": running.settings.name, "target": target, "why": why}
        self._board.log.put(("a script says nothing of a target that takes nobody", about))

    # What comes in.

    def key_pressed(self, leg: Leg, key: str, now: float) -> bool:
        """Take the key of a caller in a script; return whether it was."""
        running = self._of(leg)
        if running is None:
            return False
        request = running.request
        if isinstance(request, Play) and request.is_whole:
            return True  # what is to be heard whole is not answered before
        spare, running.spare = running.spare, ("", 0.0)
        if key == spare[0] and now < spare[1]:
            return True  # it ends what was complete already, and answers nothing else
        if len(key) == 1 and len(running.typed) < KEYS_MAX:
            running.typed += key
            if isinstance(request, Play):
                self._silence(running, now)
                self._resume(running, None, now)
            elif isinstance(request, Collect):
                self._silence(running, now)
                result = self._look(running, request, now)
                if result is not _LATER:
                    self._resume(running, result, now)
        return True

    def ended(self, leg: Leg | None, now: float) -> None:
        """One sound that was said to a caller is over."""
        running = None if leg is None else self._of(leg)
        if running is None or not running.left:
            return
        running.left -= 1
        if running.left:
            return
        if isinstance(running.request, Play):
            self._resume(running, None, now)
        elif isinstance(running.request, Collect):
            self._arm(running, running.request.within, now)

    def booked(self, call_id: CallId, is_booked: bool, now: float) -> None:
        """Distribution has said whether the caller will be called back."""
        running = self.running.get(call_id)
        if running is not None and isinstance(running.request, BookCallback):
            self._resume(running, is_booked, now)

    def on_timer(self, name: str, now: float) -> None:
        """A request has lasted long enough, or a run."""
        what, _, call_id = name.partition(" ")
        running = self.running.get(CallId(call_id))
        if running is None:
            return
        if what == "limit":
            running.limit = None
            self._do(running, Failed("limit", "the time is up"), now)
            return
        running.timer, request = None, running.request
        if isinstance(request, Collect):
            digits, running.typed = running.typed, ""
            self._resume(running, Keys(digits, "timeout"), now)
        else:
            self._resume(running, None, now)

    def take_back(self, call: Call, now: float) -> bool:
        """The seat has its caller back before the script is over; return whether it was in one."""
        running = self.running.get(call.id)
        if running is None or running.seat is None:
            return False
        self._end(running, "taken_back", "", now)
        self._meet(running, now)
        return True

    def hand_to(self, call: Call, leg: Leg, now: float) -> bool:
        """``leg`` has taken the place of the caller: it is asked once more what the one before was being
        asked. Return whether that was in a script.
        """
        running = self.running.get(call.id)
        if running is None:
            return False
        running.leg, running.typed, running.spare = leg, "", ("", 0.0)
        self._plane.collect(leg.stream, True, now)
        if isinstance(running.request, BookCallback):
            return True  # which is under way, for the number of the one before
        self._do(running, running.request, now)
        return True

    def call_ended(self, call: Call, verdict: str, now: float) -> None:
        """A call is over, and with it the run that its caller is in."""
        running = self.running.get(call.id)
        self.leading.over(call)
        if running is not None:
            is_gone = verdict == ABANDONED or (running.seat is None and verdict.startswith("network:"))
            self._end(running, "abandoned" if is_gone else "ended", "", now)

    def interacts(self, call: Call) -> bool:
        """Return whether a seat waits for its caller to come back from a script."""
        running = self.running.get(call.id)
        return running is not None and running.seat is not None

    def view(self, call: Call) -> dict[str, object] | None:
        """Return where in which script a caller stands, None if it is in none."""
        running = self.running.get(call.id)
        if running is None:
            return None
        waits = type(running.request).__name__.lower()
        return {"ivr": running.settings.name, "node": running.run.place or None, "waits_for": waits}

    def _of(self, leg: Leg) -> Running | None:
        running = None if leg.call is None else self.running.get(leg.call.id)
        return running if running is not None and running.leg is leg else None

    # Requests.

    def _resume(self, running: Running, result: Any, now: float) -> None:
        self._do(running, running.run.resume(result), now)

    def _do(self, running: Running, request: Request, now: float) -> None:
        """Do what a script asks, and all that it asks then, until something takes time."""
        while True:
            self._timers.disarm(running.timer)
            running.timer, running.request, running.left = None, request, 0
            result = self._on[type(request)](running, request, now)
            if result is _LATER:
                return
            request = running.run.resume(result)

    def _play(self, running: Running, what: Play, now: float) -> Any:
        if not what.sounds or (running.typed and not what.is_whole):
            return None  # who knows the way does not wait for what is said
        return self._say(running, what.sounds, now)

    def _collect(self, running: Running, what: Collect, now: float) -> Any:
        if running.typed:
            return self._look(running, what, now)
        if what.sounds:
            return self._say(running, what.sounds, now)
        return self._arm(running, what.within, now)

    def _look(self, running: Running, what: Collect, now: float) -> Any:
        """Look whether the keys so far are all that are wanted; what is over waits for the next request."""
        typed, end = running.typed, running.typed.find(what.end_key) if what.end_key else -1
        most = min(what.most, KEYS_MAX)
        if 0 <= end < most:
            running.typed = typed[end + 1 :]
            return Keys(typed[:end], "end")
        if len(typed) >= most:
            running.typed, running.spare = typed[most:], (what.end_key, now + what.between)
            if what.end_key and running.typed.startswith(what.end_key):
                running.typed, running.spare = running.typed[1:], ("", 0.0)
            return Keys(typed[:most], "full")
        return self._arm(running, what.between, now)

    def _wait(self, running: Running, what: Wait, now: float) -> Any:
        if what.sound:
            self._plane.play(running.leg.stream, (what.sound,), now)
        else:
            self._plane.stop(running.leg.stream, now)
        return self._arm(running, what.seconds, now)

    def _is_open(self, running: Running, what: IsOpen, now: float) -> Any:
        return self._phonebook.is_open(what.hours, now)

    def _is_listed(self, running: Running, what: IsListed, now: float) -> Any:
        return self._phonebook.is_listed(running.call.tenant, what.list, running.leg.number, now)

    def _book(self, running: Running, what: BookCallback, now: float) -> Any:
        call = running.call
        self._board.events.put(
            CallbackWanted(call.id, QueueName(what.queue), running.leg.number, call.called)
        )
        return self._arm(running, PLAY_FOR, now)

    def _say(self, running: Running, sounds: tuple[str, ...], now: float) -> Any:
        self._plane.play(running.leg.stream, sounds, now, loop_last=False)
        running.left = len(sounds)
        return self._arm(running, PLAY_FOR, now)

    def _silence(self, running: Running, now: float) -> None:
        if running.left:
            running.left = 0
            self._plane.stop(running.leg.stream, now)

    def _arm(self, running: Running, after: float, now: float) -> Any:
        self._timers.disarm(running.timer)
        running.timer = self._timers.arm_after(self, f"step {running.call.id}", after, now)
        return _LATER

    # A run ends.

    def _go(self, running: Running, what: Go, now: float) -> Any:
        call, seat, leg = running.call, running.seat, running.leg
        why = self.leading.refusal(call, what.target)
        running.missed = (what.target, why)
        if why:
            return why
        self._leave(running, "led", what.target, now)
        if what.target.partition(":")[0] in MAY_TURN_AWAY:
            self.leading.wait_for(call, running)
        else:
            running.run.close()
        if seat is None:
            self.leading.send(call, what, now)
        else:
            self._meet(running, now)
            self.leading.hand_on(call, seat, leg, what, now)
        return _LATER

    def _hang_up(self, running: Running, what: HangUp, now: float) -> Any:
        self._end(running, "hung_up", "", now)
        verdict = f"success:{what.cause}"
        self._board.end(running.call, now, ended_by="switch", verdict=verdict, status=200)
        return _LATER

    def _return(self, running: Running, what: Return, now: float) -> Any:
        if running.seat is None:
            return self._hang_up(running, HangUp(), now)  # there is nobody to return to
        self._end(running, "returned", "", now)
        self._meet(running, now)
        return _LATER

    def _failed(self, running: Running, what: Failed, now: float) -> Any:
        call, name = running.call, running.settings.name
        if what.cause == "failed":
            about = {"call": call.id, "ivr": name, "place": running.run.place, "error": what.error}
            self._board.log.put(("script failed", about))
        target, why = running.missed if what.cause == UNREACHED else ("", "")
        if target:
            self._note_unreached(running, call)
        self._end(running, what.cause, target, now)
        if running.seat is not None:
            self._meet(running, now)
        elif what.cause == "limit" and running.settings.on_limit not in ("hangup", RETURN):
            self.leading.lead(call, Go(running.settings.on_limit), now)
        else:
            verdict, status = ENDINGS.get(why, (f"us:script_{what.cause}", 480))
            self._board.end(call, now, ended_by="switch", verdict=verdict, status=status)
        return _LATER

    def _end(self, running: Running, outcome: str, target: str, now: float) -> None:
        """A run is over, and so is its script."""
        running.run.close()
        self._leave(running, outcome, target, now)

    def _leave(self, running: Running, outcome: str, target: str, now: float) -> None:
        """The one way out of a run."""
        call, run, leg = running.call, running.run, running.leg
        del self.running[call.id]
        self._timers.disarm(running.timer)
        self._timers.disarm(running.limit)
        running.typed, running.spare = "", ("", 0.0)
        call.script = ""
        call.variables = run.open()
        call.collected = run.told()
        if leg.stream in self._board.streams.living:
            self._plane.collect(leg.stream, False, now)
            self._plane.stop(leg.stream, now)
        self._board.supervision.touch_call(call)
        seat = "" if running.seat is None else running.seat.seat or ""
        kind, name = "entry" if running.seat is None else "interact", running.settings.name
        path = " > ".join(run.path)
        self._note_end(call, name, running.began_at, now, outcome, target, path, kind, seat)

    def _note_end(
        self,
        call: Call,
        name: str,
        began_at: float,
        now: float,
        outcome: str,
        target: str = "",
        path: str = "",
        kind: str = "entry",
        seat: str = "",
    ) -> None:
        """Count a run that is over, and leave its row."""
        counts = self.counts.setdefault(call.tenant, {})
        counts[outcome] = counts.get(outcome, 0) + 1
        epoch = self._walltime.epoch
        self._board.rows.put(
            ScriptRow(
                f"{call.id}/s{call.runs}",
                call.id,
                call.tenant,
                name,
                kind,
                seat,
                epoch(began_at),
                epoch(now),
                outcome,
                target,
                path,
                msgspec.json.encode(call.collected).decode() if call.collected else "",
            )
        )
        self._board.events.put(
            ScriptEnded(call.id, call.tenant, name, kind, seat, outcome, target, call.collected)
        )

    def _meet(self, running: Running, now: float) -> None:
        """Let the seat and its caller hear each other again."""
        assert running.seat is not None
        self._board.desk.unhold(running.call, running.seat, running.leg, now)

    def check(self) -> None:
        """Assert what must hold between turns."""
        self.leading.check()
        for call_id, running in self.running.items():
            call = running.call
            assert self._board.calls.get(call_id) is call, f"{call_id} is over and in a script"
            assert running.leg.call is call, f"who is in the script of {call_id} has left"
            wanted = CallState.SCRIPT if running.seat is None else CallState.TALKING
            assert call.state is wanted, f"{call_id} is in a script and {call.state}"
            assert running.timer is not None, f"nothing ends what the script of {call_id} waits for"
            assert running.limit is not None, f"nothing ends the script of {call_id}"
        for call in self._board.calls.values():
            if call.state is CallState.SCRIPT and call.farewell is None:
                is_led = call.id in self.running or call.queue is not None
                assert is_led, f"{call.id} is in no script and nowhere else"
