"""Which tests run: all of them where `suites: full`, else the cheap ones, what the declared gates read, and what
`experiment.tests` declares: who declares a promise has it held, with or without a gate."""

from collections.abc import Collection, Iterable

from flyball.core.measures import family
from flyball.core.record import Record
from flyball.core.release import TestResult
from flyball.core.service import Service
from flyball.pipeline import gates
from flyball.pipeline.suites.found import Found, result
from flyball.stats.scoring.metrics import METRICS


class Plan(Record):
    """The cheap tests (data, privacy, beside a dummy, finite answers) always run; this is the rest."""

    training: bool  # trains again: shuffled labels, twice, a tiny batch
    model: bool  # every model test
    measures: frozenset[str]  # read by a gate, made by some suite
    declared: frozenset[str] = frozenset()  # beginnings of the measures that `experiment.tests` asks for

    def wants(self, beginning: str) -> bool:
        """Whether a test runs that makes measures with this beginning."""
        asked = any(name.startswith(beginning) for name in self.measures)
        return self.model or beginning in self.declared or asked

    def metrics_of(self, beginning: str, usual: Iterable[str]) -> tuple[str, ...]:
        """Last parts of the measures with this beginning; in a whole suite the usual ones as well.

        >>> asked = frozenset({"slice.worst.f1"})
        >>> Plan(training=False, model=False, measures=asked).metrics_of("slice.worst.", ("mae",))
        ('f1',)
        """
        asked = {name.rsplit(".", 1)[-1] for name in self.measures if name.startswith(beginning)}
        return tuple(sorted(asked | (set(usual) if self.model or beginning in self.declared else set())))


def plan(service: Service) -> Plan:
    """What this declaration asks for."""
    full = service.experiment.suites == "full"
    suites = gates.suites(service.gates)
    read = gates.reads(service.gates)
    tests = service.experiment.tests
    declared = {
        "slice.worst.": bool(tests.slices),
        "fairness.": tests.fairness is not None,
        "monotone.": bool(tests.monotone),
        "invariant.": bool(tests.invariant),
        "golden.": tests.golden is not None,
        "off_policy.": tests.off_policy is not None,
    }
    return Plan(
        declared=frozenset(beginning for beginning, given in declared.items() if given),
        training=full or "training" in suites,
        model=full or "model" in suites,
        measures=frozenset(name for name in read if name not in METRICS and family(name) is not None),
    )


def retrains(plan: Plan) -> bool:
    """Whether `train()` is called again."""
    return plan.training or plan.wants("backtest.")


def untrained(plan: Plan, metric: str, tests: Collection[TestResult], measured: Collection[str]) -> Found:
    """What the plan asks for, needs a fit, and is in no result: missing evidence, which never passes.

    A release that is judged again is not fitted again: its first judgement may have had no reason to make these tests.

    Args: metric: of the experiment. tests: at hand and from earlier. measured: names of the measures, likewise.

    >>> asked = Plan(training=True, model=False, measures=frozenset())
    >>> [test.name for test in untrained(asked, "mae", (), ()).tests]
    ['better than shuffled labels by mae', 'deterministic', 'overfits a tiny batch']
    """
    why = "it calls train(), and this release was trained before anything asked for it"
    reason = f"missing evidence: {why}; train again with another seed or newer rows, and this declaration"
    have = {(test.suite, test.name) for test in tests}
    lacking = []
    if plan.training:
        names = (f"better than shuffled labels by {metric}", "deterministic", "overfits a tiny batch")
        lacking += [
            result("training", name, "training", "FAIL", reason) for name in names if ("training", name) not in have
        ]
    measures = {f"backtest.worst.{name}" for name in plan.metrics_of("backtest.", (metric,))}
    measures |= {name for name in plan.measures if name.startswith("backtest.")}
    if plan.wants("backtest.") and ("model", "backtest") not in have:
        lacking.append(result("model", "backtest", "quality", "FAIL", reason))
    return Found(tests=tuple(lacking), missing=dict.fromkeys(sorted(measures - set(measured)), reason))
