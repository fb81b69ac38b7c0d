"""What `flyball backtest` says: one line a policy, the truth they are measured by, and what nobody can know."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

from flyball.app.backtest.course import Alarm, Course, Divergence, Ticket
from flyball.app.backtest.exposure import BadSpan, bad_requests, bad_rows
from flyball.app.backtest.parting import replayed
from flyball.app.backtest.past import Past
from flyball.app.backtest.policies import Policy
from flyball.app.backtest.rollouts import RolloutAgain
from flyball.app.backtest.truth import Judged, Truth, judged
from flyball.core.record import Record
from flyball.core.service import Service

HistoryKind = Literal["windows", "rows"]


class PolicyLine(Record):
    """One policy on the past. None: not known."""

    policy: str
    value: float | None  # of a swept setting
    changed: tuple[str, ...]  # settings that differ from the record's
    not_judged: tuple[str, ...]  # of these: what this history, or any, cannot show; the recorded value was kept
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
    training_s: float | None  # wall seconds of these trainings: as recorded, else at the record's mean
    cost: float | None  # of these seconds, in the unit of experiment.limits.cost_per_hour
    rollbacks: int  # of candidates
    rollouts_by: dict[str, int]  # how the record's rollouts would have ended; unknown: they are not on this past
    bad_rows: int | None  # that bad champions answered
    bad_rows_at_least: bool  # the record cannot tell how many more
    bad_requests: int | None  # that bad candidates answered before their weight was 0 or whole
    bad_requests_at_least: bool  # the record cannot tell how many more
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
    row_at: Callable[[str], int],
) -> PolicyLine:
    """Count what a course holds. Args: bad: of the recorded windows. not_judged: as in the line."""
    found = judged(course, known)
    windows = (course.last_row - course.first_row + 1) / recorded.monitor.window_rows
    ordered = course.ordered
    rollouts, left = replayed(policy.service, course, recorded=recorded, past=past, row_at=row_at)
    stopped = {one.release for one in rollouts if one.outcome == "rolled_back"}
    rows, rows_at_least = bad_rows(bad, course, left, never_served=stopped)
    requests, at_least = bad_requests(bad, rollouts)
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
        training_s=_total([ticket.seconds for ticket in ordered]),
        cost=_total([ticket.cost for ticket in ordered]),
        rollbacks=sum(one.outcome == "rolled_back" for one in rollouts),
        rollouts_by=dict(sorted(Counter(one.outcome for one in rollouts).items())),
        bad_rows=rows,
        bad_rows_at_least=rows_at_least,
        bad_requests=requests,
        bad_requests_at_least=at_least,
        known_to_row=course.last_row if left is None else left.row,
        left=left,
        guessed=course.guessed,
        alarm_list=course.alarms,
        ticket_list=course.tickets,
        rollout_list=rollouts,
    )


def _total(each: Sequence[float | None]) -> float | None:
    """None where one of them is not known."""
    known = [one for one in each if one is not None]
    return sum(known) if len(known) == len(each) else None
