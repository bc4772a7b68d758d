"""Timetables as they are written: ``"mon-fri 08:30 ready"``, ``"mon-fri 12:00 pause lunch"``,
``"fri 17:30 logout"``, ``"mon-fri 18:00 phone pstn:13800000000"``.
"""

from collections.abc import Sequence
from datetime import tzinfo

from acd.settings import Job, PhoneSettings, Timetable
from config.hours import minute_of_day, weekdays
from config.reading import Reader, show, suggest
from queues.hours import MINUTES_A_DAY

ACTIONS = ("login", "ready", "pause", "logout", "phone")
JOBS_MAX = 100  # of one seat


def build_timetable(
    reader: Reader,
    where: str,
    lines: Sequence[str],
    zone: tzinfo | None,
    reasons: Sequence[str],
    phones: Sequence[PhoneSettings],
) -> Timetable:
    """Return the timetable that ``lines`` say; ``phones`` are the seat's, number "" where it is its own."""
    place = f"{where}.timetable"
    if lines and zone is None:
        reader.refuse(place, "needs the time_zone of the tenant, which is no time zone such as Asia/Shanghai")
    if len(lines) > JOBS_MAX:
        reader.refuse(place, f"are more than {JOBS_MAX}")
    jobs = []
    for index, text in enumerate(lines, 1):
        job = _job(text, reasons, phones)
        if isinstance(job, str):
            reader.refuse(f"{place}[{index}]", f"{show(text)}: {job}")
        else:
            jobs.append(job)
    return Timetable() if zone is None or not jobs else Timetable(tuple(jobs), zone)


def _job(text: str, reasons: Sequence[str], phones: Sequence[PhoneSettings]) -> Job | str:
    """Return what a line says, or what is wrong with it."""
    head, _, rest = text.strip().partition(" ")
    clock, _, rest = rest.strip().partition(" ")
    action, _, argument = rest.strip().partition(" ")
    argument = argument.strip()
    days, minute = weekdays(head), minute_of_day(clock)
    if days is None:
        return "does not begin with a day or days such as mon-fri or sat,sun"
    if minute is None or minute == MINUTES_A_DAY:
        return f"{show(clock)} is not a time such as 08:30"
    if action not in ACTIONS:
        return f"unknown action {show(action)}{suggest(action, ACTIONS)}"
    wrong = _argument_fault(action, argument, reasons, phones)
    return wrong or Job(tuple(sorted(days)), minute, action, argument)


def _argument_fault(
    action: str, argument: str, reasons: Sequence[str], phones: Sequence[PhoneSettings]
) -> str:
    if action == "pause":
        if reasons and argument not in reasons:
            return f"{show(argument)} is not a pause reason: {', '.join(reasons)}"
    elif action == "phone":
        kind, _, number = argument.partition(":")
        if not any(phone.kind == kind and number in ("", phone.number) for phone in phones):
            return f"the seat has no phone {show(argument)}"
    elif argument:
        return f"{action} is not followed by anything"
    return ""
