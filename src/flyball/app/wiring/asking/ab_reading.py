"""An A/B test as it stands: its facts on the ledger, the gateway's counts, the metric from the prediction log."""

from collections.abc import Callable, Sequence
from datetime import timedelta

import msgspec

from flyball.adapters.clock import SystemClock
from flyball.adapters.messages.gateway_socket import SocketGateways
from flyball.app.home import Home
from flyball.app.wiring.asking.ab_metric import sums
from flyball.control.state.ab_state import AbState, folded
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.errors import NotFound, Unavailable
from flyball.core.facts.ab import AbMetric
from flyball.core.ledger import Entry, Ledger
from flyball.core.record import Record
from flyball.core.routing import Observed, Routing, StepCounts
from flyball.decide.ab_report import AbReport, UnitSums, report


class Stop(Record):
    arm: str
    at: str
    reason: str


class AbTest(Record):
    """One test, running or over."""

    service: str
    test: str
    standing: str
    started_at: str
    until: str | None
    by: str
    why: str
    alpha: float  # of all arms together
    metric: AbMetric | None
    stops: tuple[Stop, ...]
    notes: tuple[str, ...]  # what is missing, and why
    report: AbReport | None  # None: no gateway has counted anything that we could read


class _Story(Record):
    """The facts of one test."""

    started: e.AbStarted
    started_at: str
    state: AbState | None  # None: it is closed
    closed: e.AbClosed | None = None
    routing: Routing | None = None  # the newest with its arms
    epochs: frozenset[int] = frozenset()  # of the routings with these arms: those since the weights were changed
    stops: tuple[e.AbArmStopped, ...] = ()


def read(ledger: Ledger, home: Home, subject: str, *, advance: Callable[[int], None]) -> AbTest:
    """`subject`: a service (its running test, or the last one), or a test by its id.

    Raises: NotFound: no such test.
    """
    entries = [entry for entry in ledger.read() if subject in (entry.subject, getattr(entry.fact, "test", None))]
    named = [entry for entry in entries if isinstance(entry.fact, e.AbStarted)]
    if not named:
        raise NotFound(f"no A/B test of {subject!r} on the ledger", hint="flyball ab start SERVICE --arm ...")
    story = _told(list(ledger.read(subject=named[-1].subject)), named[-1])
    started, notes = story.started, list[str]()
    seen = _observed(home, started, notes) if story.state is not None else None
    counts, routing = _counts(story, seen)
    metric = _metric(ledger, home, story, notes, advance)
    if counts is None and story.closed is not None:
        notes.append("the gateway did not answer when the test was closed: its counts are gone")
    return AbTest(
        service=started.service,
        test=started.test,
        standing=_standing(story),
        started_at=story.started_at,
        until=started.until,
        by=started.by,
        why=started.why,
        alpha=started.guardrails.alpha,
        metric=started.metric,
        stops=tuple(Stop(arm=each.arm, at=each.stopped_at, reason=each.verdict.reason) for each in story.stops),
        notes=tuple(notes),
        report=report(routing, counts, started.guardrails.alpha, metric) if routing and counts else None,
    )


def until(for_s: float | None) -> str | None:
    """The end of a test that begins now and lasts so many seconds."""
    return None if for_s is None else timestamp(SystemClock().now() + timedelta(seconds=for_s))


def _told(entries: Sequence[Entry], first: Entry) -> _Story:
    started = first.fact
    assert isinstance(started, e.AbStarted)
    story = _Story(started=started, started_at=first.at, state=None)
    state: AbState | None = None
    for entry in entries:
        if entry.seq < first.seq:
            continue
        fact = entry.fact
        if isinstance(fact, e.AbClosed) and fact.test == started.test:
            return msgspec.structs.replace(story, state=None, closed=fact)
        state = folded(state, fact, entry.at)
        match fact:
            case e.RoutingOrdered(routing=routing) if routing.rollout == started.test:
                same = story.routing is not None and story.routing.arms == routing.arms
                epochs = story.epochs | {routing.epoch} if same else frozenset({routing.epoch})
                story = msgspec.structs.replace(story, routing=routing, epochs=epochs)
            case e.AbArmStopped(test=test) if test == started.test:
                story = msgspec.structs.replace(story, stops=(*story.stops, fact))
    return msgspec.structs.replace(story, state=state)


def _observed(home: Home, started: e.AbStarted, notes: list[str]) -> Observed | None:
    try:
        seen = SocketGateways(home.socket).observe(started.service)
    except (Unavailable, NotFound) as error:
        notes.append(f"no counts: {error}")
        return None
    if seen.routing is None or seen.routing.rollout != started.test:
        notes.append("no counts: the gateway does not go by this test yet")
        return None
    return seen


def _counts(story: _Story, seen: Observed | None) -> tuple[StepCounts | None, Routing | None]:
    if seen is not None:
        return seen.counts, seen.routing
    counts = story.closed.counts if story.closed is not None else None
    if story.routing is None:
        return counts, None
    gone = {each.arm for each in story.stops}
    arms = [msgspec.structs.replace(arm, buckets=()) if arm.name in gone else arm for arm in story.routing.arms]
    return counts, msgspec.structs.replace(story.routing, arms_=tuple(arms))


def _metric(
    ledger: Ledger, home: Home, story: _Story, notes: list[str], advance: Callable[[int], None]
) -> dict[str, UnitSums]:
    metric = story.started.metric
    if metric is None or not story.epochs:
        return {}
    if _ruled(ledger, story.started.service):
        notes.append(
            f"no {metric}: the service has routing.rules, and the log does not tell the rows that a rule gave to the "
            "champion from those that the test did"
        )
        return {}
    since = moment(story.started_at).timestamp()
    return sums(home, story.started.service, metric, epochs=story.epochs, since=since, advance=advance)


def _ruled(ledger: Ledger, service: str) -> bool:
    """Whether the newest declaration gives rows away before any weight is asked."""
    declared = [entry.fact for entry in ledger.read(subject=service) if isinstance(entry.fact, e.ServiceDeclared)]
    rules = declared[-1].declaration.get("routing", {}).get("rules", ()) if declared else ()
    return bool(rules)


def _standing(story: _Story) -> str:
    if story.closed is not None:
        return f"closed as {story.closed.outcome.replace('_', ' ')}: {story.closed.reason}"
    if story.state is None or not story.state.applied:
        return "ordered, not in force yet"
    return "runs"
