"""What happened of late, as rules and budgets count it: a fold over the facts, of the last seven days."""

from datetime import timedelta

from msgspec.structs import replace

from flyball.control.state.rollout_state import RolloutState
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.record import Record

WEEK_S, DAY_S = 7 * 86_400.0, 86_400.0


class Recent(Record):
    """Moments (RFC 3339, UTC) of the last seven days, and what is remembered of releases."""

    rollouts: tuple[str, ...] = ()  # one was opened
    rollbacks: tuple[str, ...] = ()  # a candidate, or a champion, was taken back
    trainings: tuple[str, ...] = ()  # one was ordered, by whomever
    asked: tuple[str, ...] = ()  # people were asked for an approval
    failed: dict[str, int] = {}  # release -> how often it was taken back or its rollout ended without a promotion
    wanted: frozenset[str] = frozenset()  # releases that a person wants next, which no rollout has taken up
    alone: dict[str, str] = {}  # release -> the rule by which it was promoted last, where that asked nobody


def within(moments: tuple[str, ...], now: str, seconds: float) -> tuple[str, ...]:
    """Those of the last so many seconds.

    >>> within(("2026-11-01T00:00:00Z", "2026-11-08T00:00:00Z"), "2026-11-08T12:00:00Z", WEEK_S)
    ('2026-11-08T00:00:00Z',)
    """
    first = moment(now) - timedelta(seconds=seconds)
    return tuple(one for one in moments if moment(one) > first)


def remembered(recent: Recent, fact: e.AnyFact, at: str, rollout: RolloutState | None) -> Recent:
    """One fact further; facts of other things change nothing. Rollout: the one that ran before the fact."""

    def more(moments: tuple[str, ...]) -> tuple[str, ...]:
        return (*within(moments, at, WEEK_S), at)

    if isinstance(fact, e.RolloutOpened | e.RolledBack | e.RolloutClosed) and _of_drill(fact, rollout):
        return recent
    match fact:
        case e.RolloutOpened(release=root):
            return replace(recent, rollouts=more(recent.rollouts), wanted=recent.wanted - {root})
        case e.RolloutClosed(outcome=outcome, again=False) if rollout is not None and outcome != "promoted":
            return replace(recent, failed=_once_more(recent, rollout.release))
        case e.RolledBack():
            return replace(recent, rollbacks=more(recent.rollbacks))
        case e.RetrainOrdered():
            return replace(recent, trainings=more(recent.trainings))
        case e.ApprovalRequested(alone=""):
            return replace(recent, asked=more(recent.asked))
        case e.ReleaseWanted(release=root):
            return replace(recent, wanted=recent.wanted | {root})
        case e.ChampionAppointed(rollout=None, previous=str() as gone):  # the one before serves again
            return replace(recent, rollbacks=more(recent.rollbacks), failed=_once_more(recent, gone))
        case e.ChampionAppointed(release=root, alone=rule):
            others = {known: said for known, said in recent.alone.items() if known != root}
            return replace(recent, alone=others | ({root: rule} if rule else {}))
        case _:
            return recent


def _of_drill(fact: e.AnyFact, rollout: RolloutState | None) -> bool:
    """What a drill tries and takes back is neither a release's nor the loop's record."""
    return bool(fact.drill if isinstance(fact, e.RolloutOpened) else rollout is not None and rollout.drill)


def _once_more(recent: Recent, release: str) -> dict[str, int]:
    return recent.failed | {release: recent.failed.get(release, 0) + 1}
