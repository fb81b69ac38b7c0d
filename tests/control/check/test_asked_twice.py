"""The planner and the check of plans gather the same facts and ask the same rules: what one allows the other does.

They share no function, so where they differ a loop would refuse its own plans for ever. Histories, moments, releases
and rules are drawn; the answers have to agree, whatever they are.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.control.check.test_policy import declared
from tests.control.world import FIRST, NAME, OPENED, SECOND, release

from flyball.control.check.policy import against_the_rules, people_needed
from flyball.control.decision import Situation
from flyball.control.policing import asked_of, barred, goes_alone, training_barred
from flyball.control.state.recent_state import WEEK_S, Recent
from flyball.control.state.rollout_state import RolloutState
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.declared.kinds import StepKind
from flyball.core.ids import Digest, RolloutId, ServiceName
from flyball.core.release import Estimate, GateResult, Release
from flyball.core.rollout_power import Power
from flyball.core.routing import Routing
from flyball.core.service import Approval, Gate, Policy, Rule, Service
from flyball.core.watching import Signal, SignalKind

Level = Literal["warn", "act"]
GateVerdict = Literal["PASS", "FAIL", "INCONCLUSIVE"]
NOW = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
CONDITIONS = (
    *("hour >= 15", "weekday == 5 && hour < 15", "incident", "drift", "risk && !drift", "weight > 0.05"),
    *("champion_age_h < 150.0", "rollouts_this_week >= 2", "rolled_back_this_week > 0", "retrains_this_week == 1"),
    *("underpowered", "by_exception", "by_person", "failed_rollouts > 0", 'reason == "drift"', "trained_rows < 1000"),
    *("holdout_rows >= 500", "metrics.roc_auc.low > 0.7", 'gates["quality"] == "PASS"', 'gates["other"] != "PASS"'),
    *("metrics.roc_auc.n / holdout_rows > 1",),
)
KINDS: tuple[SignalKind, ...] = ("psi", "risk", "shift", "error")
LEVELS: tuple[Level, ...] = ("warn", "act")
SIGNALS = tuple((kind, level) for kind in KINDS for level in LEVELS)
VERDICTS: tuple[GateVerdict, ...] = ("PASS", "FAIL", "INCONCLUSIVE")
Action = Literal["rollout", "canary", "promote", "retrain"]
STEPS: tuple[tuple[StepKind, Action], ...] = (("canary", "canary"), ("soak", "promote"), ("promote", "promote"))
PROMOTIONS = st.builds(
    Rule,
    action=st.just("promote"),
    when=st.sampled_from(CONDITIONS),
    effect=st.sampled_from(("never", "needs", "alone")),
    reason=st.just("r"),
    quorum=st.integers(1, 4),
)
MOMENTS = st.one_of(st.just(-60.0), st.just(0.0), st.just(WEEK_S), st.floats(0.8 * WEEK_S, 1.2 * WEEK_S)).map(
    lambda ago: timestamp(NOW - timedelta(seconds=ago))
)


@st.composite
def releases(draw: st.DrawFn) -> Release:
    verdict = draw(st.sampled_from(VERDICTS))
    gate = GateResult(name="quality: roc_auc >= 0.7", metric="roc_auc", passed=True, verdict=verdict, reason="")
    figure = Estimate(value=0.8, low=draw(st.sampled_from((0.6, 0.7, 0.75))), high=0.9, n=500)
    return replace(
        release(SECOND, passed=draw(st.booleans())),
        metrics=draw(st.sampled_from(({}, {"roc_auc": figure}))),
        gates=draw(st.sampled_from(((), (gate,)))),
        reason=draw(st.sampled_from(("first", "drift", "schedule"))),
        trained_rows=draw(st.sampled_from((0, 999, 1000))),
        holdout_rows=draw(st.sampled_from((0, 499, 500))),
    )


@st.composite
def states(draw: st.DrawFn) -> ServiceState:
    moments = st.lists(MOMENTS, max_size=3).map(tuple)
    recent = Recent(
        rollouts=draw(moments),
        rollbacks=draw(moments),
        trainings=draw(moments),
        failed=draw(st.sampled_from(({}, {SECOND: 2}))),
    )
    kinds = draw(st.lists(st.sampled_from(SIGNALS), max_size=3))
    routing = Routing(service=NAME, epoch=3, champion=FIRST, previous=None, weight=draw(st.sampled_from((0, 500, 501))))
    incident = e.IncidentOpened(service=NAME, incident="in-1", kind="data_quality", reason="")
    rollout = RolloutState(
        rollout="ro-1", release=SECOND, champion=FIRST, policy="", salt="s", reason="drift", opened_at=""
    )
    foretold: tuple[Power | None, ...] = (None, "UNKNOWN", "POWERED", "UNDERPOWERED")
    weak = draw(st.sampled_from(((), ("canary-1",))))
    rollout = replace(rollout, power=draw(st.sampled_from(foretold)), weak=weak)
    known: dict[str, Release] = {FIRST: replace(draw(releases()), root=FIRST), SECOND: draw(releases())}
    return ServiceState(
        service=NAME,
        champion=draw(st.sampled_from((FIRST, None))),
        releases=known if draw(st.integers(0, 9)) else {},
        proposed=draw(st.sampled_from(({}, {SECOND: "ada"}))),
        incident=draw(st.sampled_from((None, incident))),
        signals={f"{kind}/{level}": raised(kind, level) for kind, level in kinds},
        routing=draw(st.sampled_from((None, routing))),
        rollout=rollout,
        appointed_at=draw(st.one_of(st.just(""), MOMENTS)),
        recent=recent,
    )


def raised(kind: SignalKind, level: Level) -> e.SignalRaised:
    signal = Signal(
        signal=kind,
        level=level,
        value=1.0,
        limit=0.5,
        release=FIRST,
        window=1,
        first_row=0,
        last_row=9,
    )
    return e.SignalRaised(service=NAME, signal=signal)


def service_with(rules: list[Rule]) -> Service:
    gates = (Gate(metric="roc_auc", min=0.7, name="quality"), Gate(metric="accuracy", min=0.5, name="other"))
    return replace(declared(), policy=Policy(rules=tuple(rules)), gates=gates)


def started(kind: StepKind, state: ServiceState) -> e.StepStarted:
    champion, candidate = (SECOND, None) if kind == "promote" else (FIRST, SECOND)
    routing = Routing(service=ServiceName(NAME), epoch=9, champion=champion, previous=None, candidate=candidate)
    return e.StepStarted(
        service=NAME,
        rollout=RolloutId("ro-1"),
        step=1,
        kind=kind,
        key="k",
        routing=routing,
        why="",
    )


def never(action: Action, when: str) -> Rule:
    return Rule(action=action, when=when, effect="never", reason="r")


@settings(max_examples=50, deadline=None)
@given(state=states())
def test_what_the_planner_holds_the_check_refuses_and_nothing_else(state: ServiceState) -> None:
    now = timestamp(NOW)
    facts: list[tuple[Action, e.AnyFact]] = [("rollout", OPENED)]
    facts += [(action, started(kind, state)) for kind, action in STEPS]
    for when in CONDITIONS:
        for action, fact in facts:
            service = service_with([never(action, when)])
            held = barred(Situation(state=state, service=service, now=now), action, SECOND) is not None
            assert held == bool(against_the_rules(fact, state, service, now)), when


@settings(max_examples=50, deadline=None)
@given(state=states())
def test_the_same_holds_for_trainings(state: ServiceState) -> None:
    now = timestamp(NOW)
    triggers: tuple[e.Reason, ...] = ("drift", "webhook")
    for when in (*CONDITIONS, 'trigger == "drift"'):
        service = service_with([never("retrain", when)])
        for trigger in triggers:
            order = e.RetrainOrdered(service=NAME, ticket="t", key="k", by="policy", proof="policy", reason=trigger)
            held = bool(training_barred(Situation(state=state, service=service, now=now), trigger))
            assert held == bool(against_the_rules(order, state, service, now)), when


@settings(max_examples=100, deadline=None)
@given(state=states(), rules=st.lists(PROMOTIONS, min_size=1, max_size=3))
def test_both_ask_the_same_number_of_people_and_let_the_same_releases_go_alone(
    state: ServiceState, rules: list[Rule]
) -> None:
    service, now = service_with(rules), timestamp(NOW)
    situation = Situation(state=state, service=service, now=now)
    assert asked_of(situation, SECOND, Approval()).quorum == people_needed(SECOND, state, service, now)
    given_alone = e.ApprovalGiven(
        service=NAME,
        rollout=RolloutId("ro-1"),
        model=SECOND,
        evidence=Digest("e"),
        policy=Digest("p"),
        by="policy",
        proof="policy",
    )
    told = against_the_rules(given_alone, state, service, now)
    assert (goes_alone(situation, SECOND) is not None) == (not told)
