"""The estimate of a run: never without a basis, never more for fewer rows, and it says on what it rests."""

from hypothesis import given
from hypothesis import strategies as st

from flyball.core.service import Experiment, Limits
from flyball.pipeline.envelope import Past, estimate, refusal

PAST = st.builds(
    Past,
    rows=st.integers(1, 10_000),
    seconds=st.floats(0.01, 1000.0),
    peak_rss_mb=st.floats(1.0, 10_000.0),
)


def experiment(**limits: float) -> Experiment:
    return Experiment(task="binary", metric="roc_auc", limits=Limits(**limits))


@given(st.lists(PAST, min_size=1, max_size=8), st.integers(1, 10_000), st.integers(1, 10_000))
def test_more_rows_never_take_less_time(past: list[Past], few: int, more: int) -> None:
    few, more = sorted((few, more))
    assert (estimate(past, few).seconds or 0.0) <= (estimate(past, more).seconds or 0.0)


@given(st.lists(PAST, max_size=8), st.integers(1, 10_000))
def test_without_limits_but_the_time_only_the_time_refuses(past: list[Past], rows: int) -> None:
    found = refusal(experiment(), estimate(past, rows))
    expected = estimate(past, rows).seconds
    assert (found is not None) == (expected is not None and expected > 3600.0)


def test_nothing_known_refuses_nothing() -> None:
    unknown = estimate([], 1000, cost_per_hour=2.0)
    assert (unknown.seconds, unknown.memory_mb, unknown.cost) == (None, None, None)
    assert refusal(experiment(memory_mb=1.0, cost=0.1, cost_per_hour=1.0), unknown) is None


def test_memory_of_larger_runs_says_nothing_about_a_smaller_one() -> None:
    past = [Past(rows=5000, seconds=1.0, peak_rss_mb=900.0)]
    assert estimate(past, 1000).memory_mb is None
    assert estimate(past, 5000).memory_mb == 900.0


def test_a_refusal_names_each_limit_and_its_basis() -> None:
    past = [Past(rows=1000, seconds=100.0, peak_rss_mb=300.0), Past(rows=2000, seconds=200.0, peak_rss_mb=400.0)]
    expected = estimate(past, 4000, cost_per_hour=36.0)
    words = refusal(experiment(memory_mb=250.0, cost=3.0, cost_per_hour=36.0), expected) or ""
    assert "300 MB of resident memory, more than experiment.limits.memory_mb = 250" in words
    assert "4 cost, more than experiment.limits.cost = 3" in words
    assert "the newest 2 runs with 1000 to 2000 rows, this one has 4000" in words
