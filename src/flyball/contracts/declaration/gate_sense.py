"""Gates and declared tests that make no sense: one condition a gate, known measures, CEL that compiles."""

from collections.abc import Iterator
from typing import get_args

from flyball.contracts.declaration.task_metrics import Finding, metric_of_task
from flyball.contracts.schema_faults import nearest
from flyball.contracts.yaml_text import Path
from flyball.core import expression
from flyball.core.measures import FAMILIES, TESTS, family, suite_of_test
from flyball.core.service import Experiment, Gate, OffPolicyTest, Rollout, Suite
from flyball.stats.scoring.metrics import METRICS

KINDS = ("metric", "suite", "expression")


def of_gates(gates: tuple[Gate, ...], experiment: Experiment, rollout: Rollout | None) -> Iterator[Finding]:
    """Yields (path, expected, found, fix)."""
    for index, gate in enumerate(gates):
        at: Path = ("gates", index)
        kinds = [name for name in KINDS if getattr(gate, name) is not None]
        if len(kinds) != 1:
            yield at, "exactly one of metric, suite, expression", " and ".join(kinds) or "none of them", ""
        if gate.metric is not None:
            yield from metric_of_task((*at, "metric"), gate.metric, experiment)
            yield from _measure((*at, "metric"), gate.metric, experiment)
        if gate.expression is not None:
            wrong = expression.fault(gate.expression)
            if wrong is not None:
                yield (*at, "expression"), "a CEL condition", wrong, "see docs/reference/gates.md"
            for name in sorted(expression.reads(gate.expression)):
                yield from metric_of_task((*at, "expression"), name, experiment)
                yield from _measure((*at, "expression"), name, experiment)
            yield from _names((*at, "expression"), gate.expression)
        if kinds == ["metric"]:
            yield from _condition(at, gate)
        elif kinds and (extra := [n for n in ("min", "max", "versus", "not_worse_by", "better_by") if _given(gate, n)]):
            yield at, f"no {extra[0]} beside {kinds[0]}", extra[0], "remove it"
        if gate.inconclusive == "shadow" and rollout and not any(step.kind == "shadow" for step in rollout.steps):
            yield (*at, "inconclusive"), "a shadow step in rollout.steps", "none", "without one nothing can decide"


def _names(path: Path, text: str) -> Iterator[Finding]:
    """Metrics, measures, suites and tests that nobody makes."""
    known = [*METRICS, *(one.form for one in FAMILIES)]
    for name in sorted(expression.reads(text)):
        if name not in METRICS and family(name) is None:
            yield path, "a metric or a measure", name, nearest(name, known)
    suites = list(get_args(Suite))
    for name in sorted(expression.suites(text)):
        if name not in suites:
            yield path, f"a suite: {', '.join(suites)}", name, nearest(name, suites)
    told = [one for names in TESTS.values() for one in names if one.replace(" ", "").isalpha()]  # no pattern
    for name in sorted(expression.verdicts(text)):
        if suite_of_test(name) is None:
            yield path, "the name of a test", name, nearest(name, told)


def of_tests(experiment: Experiment) -> Iterator[Finding]:
    """What `experiment.tests` says of the model."""
    at: Path = ("experiment", "tests")
    tests = experiment.tests
    if tests.golden is not None and not _beside(tests.golden, ".csv"):
        expected = "a .csv file in the folder of service.yaml"
        yield (*at, "golden"), expected, f"text {tests.golden!r}", ""
    if tests.off_policy is not None:
        yield from _off_policy((*at, "off_policy"), tests.off_policy, experiment)
    if tests.fairness is not None and not tests.fairness.attributes:
        yield (*at, "fairness", "attributes"), "at least one column", "an empty list", "or leave fairness out"
    if tests.fairness is not None and experiment.task == "regression":
        yield (*at, "fairness"), "a task with classes", "regression", "compare groups by `slices` instead"


def _off_policy(at: Path, test: OffPolicyTest, experiment: Experiment) -> Iterator[Finding]:
    if experiment.task == "regression":
        yield at, "a task with classes, whose answers are actions", "regression", "remove it"
    if not _beside(test.log, ".csv", ".parquet"):
        yield (*at, "log"), "a .csv or .parquet file in the folder of service.yaml", f"text {test.log!r}", ""
    columns = [test.action, test.propensity, test.reward, *([test.unit] if test.unit is not None else [])]
    if len(set(columns)) < len(columns):
        yield at, "a column of its own for each of action, propensity, reward, unit", ", ".join(columns), ""


def _condition(at: Path, gate: Gate) -> Iterator[Finding]:
    forms = [name for name in ("min", "max", "versus") if _given(gate, name)]
    margins = [name for name in ("not_worse_by", "better_by") if _given(gate, name)]
    if len(forms) != 1:
        yield at, "exactly one of min, max, versus", " and ".join(forms) or "none of them", ""
    elif forms == ["versus"] and len(margins) != 1:
        what = " and ".join(margins) or "neither"
        yield at, "not_worse_by or better_by beside versus", what, "not_worse_by tolerates, better_by demands"
    elif forms != ["versus"] and margins:
        yield at, f"no {margins[0]} beside {forms[0]}", margins[0], "add versus: champion, or remove it"
    elif forms == ["versus"] and gate.metric is not None and family(gate.metric) is not None:
        what = f"{gate.metric}, which the champion is not asked for"
        yield at, "a metric of the task beside versus", what, "use min or max"


def _measure(path: Path, name: str, experiment: Experiment) -> Iterator[Finding]:
    """What a measure needs is declared."""
    tests = experiment.tests
    column = name.rsplit(".", 1)[-1]
    if name.startswith("slice.") and not tests.slices:
        yield path, "experiment.tests.slices", f"{name} without slices", "name the columns whose groups are judged"
    if name.startswith("fairness.") and (tests.fairness is None or column not in tests.fairness.attributes):
        yield path, f"{column} among experiment.tests.fairness.attributes", name, "declare the attribute"
    if name.startswith("monotone.") and column not in tests.monotone:
        yield path, f"{column} in experiment.tests.monotone", name, "declare the direction"
    if name.startswith("invariant.") and column not in tests.invariant:
        yield path, f"{column} in experiment.tests.invariant", name, "declare the input"
    if name.startswith("golden.") and tests.golden is None:
        yield path, "experiment.tests.golden", f"{name} without a golden set", "name its file"
    if name.startswith("off_policy.") and tests.off_policy is None:
        yield path, "experiment.tests.off_policy", f"{name} without a log", "name the log and its columns"


def _given(gate: Gate, name: str) -> bool:
    return getattr(gate, name) is not None


def _beside(name: str, *endings: str) -> bool:
    return name.endswith(endings) and not name.startswith("/") and ".." not in name.split("/")
