"""What `flyball backtest` says: one line a policy, the truth they are measured by, and what nobody can know."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from flyball.app.backtest.course import Alarm, Course, Divergence, Ticket
from flyball.app.backtest.exposure import BadSpan, bad_rows
from flyball.app.backtest.past import Past
from flyball.app.backtest.policies import Policy
from flyball.app.backtest.rollouts import RolloutAgain, again
from flyball.app.backtest.truth import Judged, Truth, judged
from flyball.core.clock import moment
from flyball.core.record import Record
from flyball.core.service import Service

HistoryKind = Literal["windows", "rows"]


class PolicyLine(Record):
    """One policy on the past. None: not known."""

    policy: str
    value: float | None  # of a swept setting
    changed: tuple[str, ...]  # settings that differ from the record's
    not_judged: tuple[str, ...]  # of these: what this history cannot show; the recorded value was kept
    windows: int
    alarms: int
    alarms_by: dict[str, int]  # drift, risk, trend, quality
    judged: Judged
    false_per_1000_windows: float | None  # of the recorded size, so that policies with other windows compare
    tickets: int
    retrains: int  # trainings asked for
    retrains_by: dict[
        str, int
    ]  # promoted, no_gain, failed, open: as recorded; unknown: the record has no such training
    cost: float | None  # of these trainings at the record's mean, in the unit of experiment.limits.cost_per_hour
    rollbacks: int  # of candidates
    rollouts_by: dict[str, int]  # how the record's rollouts would have ended; unknown: they are not on this past
    bad_rows: int | None  # that a bad champion answered before the policy asked for another
    bad_requests: int | None  # that candidates which were taken back answered
    known_to_row: int  # up to here the record is this policy's own past
    left: Divergence | None  # why no further; None: to the end
    guessed: int  # PSI below the recorded `warn`, whose test against chance is not on record: taken as passed
    alarm_list: tuple[Alarm, ...]
    ticket_list: tuple[Ticket, ...]
    rollout_list: tuple[RolloutAgain, ...]


class Backtest(Record):
    """The document of `--json`."""

    service: str
    history: HistoryKind  # windows as they were kept, or the rows of the log
    first_row: int  # stream positions
    last_row: int
    window_rows: int  # of the recorded declaration
    truth: Truth
    policies: tuple[PolicyLine, ...]  # the recorded one first
    notes: tuple[str, ...]


def line(
    policy: Policy,
    course: Course,
    *,
    recorded: Service,
    past: Past,
    known: Truth,
    bad: Sequence[BadSpan] | None,
    changed: tuple[str, ...],
    not_judged: tuple[str, ...],
) -> PolicyLine:
    """Count what a course holds. Args: bad: of the recorded windows. not_judged: as in the line."""
    found = judged(course, known)
    windows = (course.last_row - course.first_row + 1) / recorded.monitor.window_rows
    ordered = course.ordered
    rollouts = tuple(_known(again(one, policy.service, recorded), one.opened_at, course) for one in past.rollouts)
    return PolicyLine(
        policy=policy.name,
        value=policy.value,
        changed=changed,
        not_judged=not_judged,
        windows=len(course.reports),
        alarms=len(course.alarms),
        alarms_by=dict(sorted(Counter(alarm.kind for alarm in course.alarms).items())),
        judged=found,
        false_per_1000_windows=None if found.false_alarms is None else 1000 * found.false_alarms / windows,
        tickets=len(course.tickets),
        retrains=len(ordered),
        retrains_by=dict(sorted(Counter(ticket.outcome for ticket in ordered).items())),
        cost=len(ordered) * sum(past.costs) / len(past.costs) if past.costs else None,
        rollbacks=sum(one.outcome == "rolled_back" for one in rollouts),
        rollouts_by=dict(sorted(Counter(one.outcome for one in rollouts).items())),
        bad_rows=bad_rows(bad, course),
        bad_requests=_bad_requests(rollouts),
        known_to_row=course.last_row if course.left is None else course.left.row,
        left=course.left,
        guessed=course.guessed,
        alarm_list=course.alarms,
        ticket_list=course.tickets,
        rollout_list=rollouts,
    )


def _known(found: RolloutAgain, opened_at: str, course: Course) -> RolloutAgain:
    """A rollout that the record had after this policy left it is not on the policy's past."""
    left = course.left
    if left is None or moment(opened_at) < moment(left.at):
        return found
    return RolloutAgain(
        rollout=found.rollout,
        release=found.release,
        recorded=found.recorded,
        outcome="unknown",
        why=f"from row {left.row} on the record is not this policy's past",
        requests=None,
    )


def _bad_requests(rollouts: Sequence[RolloutAgain]) -> int | None:
    """None where a candidate that the record took back is not known to have been, or was not counted."""
    bad = [one for one in rollouts if "rolled_back" in (one.recorded, one.outcome)]
    if any(one.outcome != "rolled_back" or one.requests is None for one in bad):
        return None
    return sum(one.requests or 0 for one in bad)
