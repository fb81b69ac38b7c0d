"""All rollouts of the record under one policy, and the place where they take the policy off the record.

A rollout that ends otherwise leaves another champion, or another time at which one came. From there on the record is
not the policy's own past, as after a training that it does not have.
"""

from collections.abc import Callable

from msgspec.structs import replace

from flyball.app.backtest.course import Course, Divergence
from flyball.app.backtest.past import Past
from flyball.app.backtest.rollouts import RolloutAgain, again
from flyball.core.clock import moment
from flyball.core.ids import short
from flyball.core.service import Service


def replayed(
    policy: Service, course: Course, *, recorded: Service, past: Past, row_at: Callable[[str], int]
) -> tuple[tuple[RolloutAgain, ...], Divergence | None]:
    """Each rollout, and where the policy left the record, be it there or by a training.

    Args: row_at: stream position of a moment.
    """
    found, left = list[RolloutAgain](), course.left
    for one in past.rollouts:
        if left is not None and moment(one.opened_at) >= moment(left.at):
            found.append(_unknown(again(one, recorded, recorded), left))
            continue
        trials = None if course.trials is None else [seen for seen in course.trials if seen.rollout == one.rollout]
        ended = again(one, policy, recorded, trials)
        if left is not None and ended.at and moment(ended.at) > moment(left.at):
            ended = _unknown(ended, left)
        elif ended.outcome != ended.recorded:
            at = ended.at or one.opened_at
            why = f"the rollout of {short(ended.release)} ended otherwise"
            if ended.outcome == "unknown":
                why = f"how the rollout of {short(ended.release)} ends under it nobody knows: {ended.why}"
            left = Divergence(row=row_at(at), at=at, why=why)
        found.append(ended)
    return tuple(found), left


def _unknown(found: RolloutAgain, left: Divergence) -> RolloutAgain:
    why = f"from row {left.row} on the record is not this policy's past"
    return replace(found, outcome="unknown", why=why, requests=None, at_least=False, at="")
