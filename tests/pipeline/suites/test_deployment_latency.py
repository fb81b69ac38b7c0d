"""The whole path of a percentile: calls, times, bound. The model's times are drawn, so the truth is known."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np
import polars as pl
import pytest

from flyball.core.errors import NotEnoughData
from flyball.core.model import Loaded
from flyball.core.prediction import Answer, ArmReply
from flyball.core.release import Estimate
from flyball.core.service import Gate
from flyball.pipeline import gates
from flyball.pipeline.run import deploying
from flyball.pipeline.run.deploying import FEWEST, timed
from flyball.pipeline.suites.deployment_latency import CALLS, calls_needed, percentile, unknown

ROWS = [{"x": 1.0}]


class Drawn:
    """Answers in times that are drawn, on a clock of its own, which only its calls move on."""

    dtypes = {"x": pl.Float64()}

    def __init__(self, draw: Callable[[], float]) -> None:
        self._draw, self.now_s, self.calls = draw, 0.0, 0

    def clock(self) -> float:
        return self.now_s

    def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply:
        took = self._draw()
        self.now_s += took / 1e3
        self.calls += 1
        return ArmReply(answers=tuple(Answer(prediction=1) for _ in rows), service_ms=took)


def times_of(model: Drawn, *, within_s: float = 1e9) -> list[float]:
    return timed(cast("Loaded", model), ROWS, 1, within_s=within_s, clock=model.clock)


def mixed(rng: np.random.Generator, slow: float) -> Callable[[], float]:
    """4 ms, and 60 ms in a share of the calls."""
    return lambda: 60.0 if rng.random() < slow else 4.0


@pytest.mark.parametrize("slow", [0.05, 0.08])
def test_a_model_that_is_slow_in_few_calls_is_seen_to_be_slow(slow: float) -> None:
    """Sixty draws: with the best of three calls none of them would show it. P(fewer than 5 of 400 slow) < 1e-4."""
    rng = np.random.default_rng(5)
    found = [percentile(times_of(Drawn(mixed(rng, slow))), 0.99) for _ in range(60)]
    assert {each.value for each in found} == {60.0}
    gate = Gate(metric="latency_p99_ms", max=30)
    (said,) = gates.judge((gate,), gates.Evidence(metrics={"latency_p99_ms": found[0]}))
    assert said.verdict == "FAIL"


def test_each_call_is_timed_once() -> None:
    model = Drawn(lambda: 1.0)
    assert len(times_of(model)) == model.calls == CALLS


@pytest.mark.parametrize("share", [0.5, 0.99])
def test_the_interval_of_the_whole_path_covers_as_often_as_it_says(share: float) -> None:
    """Log-normal times, whose percentile is known; 1,000 repetitions, tolerance their own binomial error."""
    rng = np.random.default_rng(17)
    true = float(np.quantile(np.exp(rng.normal(size=2_000_000)), share))
    found = [percentile(times_of(Drawn(lambda: float(np.exp(rng.normal())))), share) for _ in range(1_000)]
    assert np.mean([not each.low <= true <= each.high for each in found]) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 1_000)


def test_a_slow_model_is_called_until_the_time_is_up_and_then_nothing_bounds_its_p99() -> None:
    times = times_of(Drawn(lambda: 100.0), within_s=10.0)
    assert len(times) == 101
    with pytest.raises(NotEnoughData, match="101 calls do not bound their 99 % from above, 368 would; the slowest"):
        percentile(times, 0.99)
    assert len(times_of(Drawn(lambda: 1e6), within_s=10.0)) == FEWEST


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_one_call_fewer_has_no_bound(share: float) -> None:
    needed = calls_needed(share)
    assert 1 - share**needed >= 0.975 > 1 - share ** (needed - 1)
    assert percentile([1.0] * needed, share).n == needed
    with pytest.raises(NotEnoughData):
        percentile([1.0] * (needed - 1), share)


def test_an_unknown_bound_passes_no_gate(monkeypatch: pytest.MonkeyPatch) -> None:
    model = Drawn(lambda: 4.0)
    monkeypatch.setattr(deploying, "timed", lambda *_, **__: times_of(model)[:100])
    rows = pl.DataFrame({"x": [1.0]})
    found, missing = deploying._times({"latency_p50_ms", "latency_p99_ms"}, cast("Loaded", model), rows, within_s=1.0)
    assert found == {"latency_p50_ms": Estimate(value=4.0, low=4.0, high=4.0, n=100)}
    gate = Gate(metric="latency_p99_ms", max=30)
    (said,) = gates.judge((gate,), gates.Evidence(metrics=found, missing=missing))
    assert not said.passed
    assert "missing evidence: 100 calls do not bound their 99 % from above" in said.reason
    assert unknown("latency_p99_ms", missing["latency_p99_ms"]).verdict == "INCONCLUSIVE"
