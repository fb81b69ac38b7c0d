"""When in doubt, even shares: lowered on a rise, raised when it is over, and never left in doubt."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st
from tests.decide.rollouts import routing, seen

from flyball.core.routing import ArmCounts, OwnRates, StepCounts, TestSums
from flyball.core.service import Canary, Soak, Step
from flyball.decide.even_shares import HALF, LOWERINGS, in_doubt, lowerings, other_shares
from flyball.decide.rollout import advance
from flyball.stats.change.rate_rise import risen as bound_of
from flyball.stats.sequential_tests.sequential import accept_bound

SOAK = Step(soak=Soak(min_s=0, min_requests=10))
BOUND = bound_of(9)
LOGS, BETA = st.floats(-20, 20), accept_bound(0.10)
MANY = ArmCounts(requests=100_000, units=100_000, errors=9, slow=9)


def counts(
    *,
    risen: tuple[float, float] = (0.0, 0.0),
    still: tuple[float, float] = (0.0, 0.0),
    tests: tuple[float, float] = (0.0, 0.0),
    candidate: ArmCounts = MANY,
    champion: ArmCounts = MANY,
) -> StepCounts:
    found = seen(candidate=candidate, champion=champion, step_tests=TestSums(errors=tests[0], slow=tests[1]))
    rates = OwnRates(risen=TestSums(errors=risen[0], slow=risen[1]), still=TestSums(errors=still[0], slow=still[1]))
    return type(found)(**{name: getattr(found, name) for name in found.__struct_fields__} | {"own_rates_": rates})


def erring(events: int) -> ArmCounts:
    return ArmCounts(requests=10_000_000, units=10_000_000, errors=events)


def weight(step: Step, now: int, found: StepCounts, weights: Sequence[int] = ()) -> int | None:
    shares = other_shares(step, routing(weight=now), found, weights)
    return None if shares is None else shares.weight


@given(st.tuples(LOGS, LOGS))
def test_nearly_all_traffic_is_lowered_exactly_where_a_rate_has_risen(risen: tuple[float, float]) -> None:
    found = weight(SOAK, 9500, counts(risen=risen))
    assert found == (HALF if max(risen) >= BOUND else None)


@given(st.tuples(LOGS, LOGS), st.tuples(LOGS, LOGS))
def test_it_is_raised_where_each_rate_is_what_it_was_or_the_champions_as_well(
    still: tuple[float, float], tests: tuple[float, float]
) -> None:
    found = weight(SOAK, HALF, counts(still=still, tests=tests), [9500, HALF])
    over = all(min(rate, test) <= BETA for rate, test in zip(still, tests, strict=True))
    assert found == (9500 if over else None)


@given(st.tuples(LOGS, LOGS), st.sampled_from([100, 1000, 5000]))
def test_a_canary_of_a_half_or_less_keeps_its_weight(risen: tuple[float, float], now: int) -> None:
    step = Step(canary=Canary(weight=now / 10_000))
    assert weight(step, now, counts(risen=risen)) is None
    assert in_doubt(step, routing(weight=now), counts(risen=risen)) == ()
    assert weight(Step(canary=Canary(weight=0.9)), 9000, counts(risen=(BOUND, 0.0))) == HALF


def test_a_guardrail_whose_events_never_happened_is_in_no_doubt() -> None:
    quiet = ArmCounts(requests=100_000, units=100_000, errors=9)
    assert weight(SOAK, HALF, counts(still=(-3.0, 0.0), candidate=quiet), [9500, HALF]) == 9500


@given(st.integers(0, 2 * LOWERINGS))
def test_the_weight_comes_back_each_time_and_stays_after_so_many(times: int) -> None:
    over, risen = counts(still=(-3.0, -3.0)), counts(risen=(BOUND, 0.0))
    weights = [1000, *[9500, HALF] * times]
    assert lowerings(weights) == times
    shares = other_shares(SOAK, routing(weight=HALF), over, weights)
    assert shares is not None
    assert shares.weight == 9500
    assert ("no suspicion lowers its weight again" in shares.why) == (times >= LOWERINGS)
    assert weight(SOAK, 9500, risen, [*weights, 9500]) == (HALF if times < LOWERINGS else None)


def test_what_has_risen_and_cannot_be_lowered_waits_for_the_comparison() -> None:
    risen, most = counts(risen=(BOUND, 0.0)), routing(weight=9500)
    compared = counts(risen=(BOUND, 0.0), tests=(BETA, 0.0))
    assert in_doubt(SOAK, most, risen, lowered=LOWERINGS)
    assert in_doubt(SOAK, most, compared, lowered=LOWERINGS) == ()
    assert in_doubt(SOAK, most, compared, lowered=LOWERINGS - 1), "then it will be lowered, and compared afresh"


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_the_more_events_were_seen_the_more_it_takes(events: int, more: int) -> None:
    seen = counts(risen=(bound_of(events), 0.0), candidate=erring(events))
    assert weight(SOAK, 9500, seen) == HALF
    assert weight(SOAK, 9500, counts(risen=(bound_of(events), 0.0), candidate=erring(events + more))) is None


def test_nothing_is_left_in_doubt() -> None:
    """What would advance by its ceiling waits: a rate of ten times the champion's may lie below every ceiling."""
    halves = ArmCounts(requests=50_000, units=50_000, errors=9, slow=9)
    fine = counts(still=(-3.0, -3.0), candidate=halves, champion=halves)
    assert advance(SOAK, routing(weight=HALF), fine, elapsed_s=1).kind == "PROMOTE"
    unsettled = counts(candidate=halves, champion=halves)
    found = advance(SOAK, routing(weight=HALF), unsettled, elapsed_s=1)
    assert found.kind == "HOLD"
    assert len(found.waiting_for) == 2
    late = advance(SOAK, routing(weight=HALF), unsettled, elapsed_s=8 * 86_400)
    assert (late.kind, late.cause) == ("INCONCLUSIVE", "timeout")
    most = ArmCounts(requests=95_000, units=95_000, errors=9, slow=9)
    few = ArmCounts(requests=5_000, units=5_000)
    risen = counts(risen=(BOUND, 0.0), candidate=most, champion=few)
    assert advance(SOAK, routing(weight=9500), risen, elapsed_s=1).kind == "HOLD"
