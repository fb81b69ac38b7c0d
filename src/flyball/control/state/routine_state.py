"""The routine of a service: what was written up and what was rehearsed last, so that what is overdue can be told."""

from msgspec.structs import replace

from flyball.core import events as e
from flyball.core.record import Record

BACKUPS = 30  # that are remembered: of older ones somebody has perhaps kept one


class RoutineState(Record):
    began_at: str = ""  # when the first fact of the service was written, RFC 3339, UTC; empty: there is none
    digests: dict[str, str] = {}  # period -> end of the newest one that was written up
    drills: dict[str, str] = {}  # fault -> when a drill of it ended last, as far as it came to its end
    passed: dict[str, str] = {}  # fault -> when one of it passed last
    exercised: dict[str, str] = {}  # link of the fallback chain -> when it was tried last
    backups: tuple[e.BackupMade, ...] = ()  # the newest ones, newest last


def folded(state: RoutineState, fact: e.AnyFact, at: str) -> RoutineState:
    """One fact further; of one that is of no routine only the first moment counts."""
    if not state.began_at:
        state = replace(state, began_at=at)
    match fact:
        case e.DigestWritten(period=period, until=until) if until > state.digests.get(period, ""):
            return replace(state, digests=state.digests | {period: until})
        case e.DrillEnded(fault=fault, outcome="passed"):
            return replace(state, drills=state.drills | {fault: at}, passed=state.passed | {fault: at})
        case e.DrillEnded(fault=fault, outcome="missed"):
            return replace(state, drills=state.drills | {fault: at})
        case e.BackupMade():
            return replace(state, backups=(*state.backups, fact)[-BACKUPS:])
        case e.FallbackExercised(link=link):
            return replace(state, exercised=state.exercised | {link: at})
        case _:
            return state
