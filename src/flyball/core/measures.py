"""What a gate may read beside the metrics of the task: the measures that test suites and the clock make, by name.

A name is a word, or words joined by dots whose last part is a metric, a column or a percentage: `slice.worst.accuracy`,
`fairness.demographic_parity_difference.sex`, `precision_at_recall.80`. Where a measure is a *loss*, a *difference* or a
*share*, less is better and it is never negative by its sign alone.
"""

import re

from flyball.core.record import Record
from flyball.core.service import Dimension, Suite


class Family(Record):
    """Measures with one beginning."""

    pattern: str  # regular expression of the whole name
    form: str  # as people write it
    suite: Suite
    dimension: Dimension
    meaning: str  # with the unit


_COLUMN = r"\.[^.\s]+"
_METRIC = r"\.[a-z0-9_]+"
_PERCENT = r"\.[1-9][0-9]?"

FAMILIES: tuple[Family, ...] = (
    Family(
        pattern="ece",
        form="ece",
        suite="model",
        dimension="quality",
        meaning="Calibration error, share; bins of equal mass, bias reduced.",
    ),
    Family(
        pattern="calibration_slope",
        form="calibration_slope",
        suite="model",
        dimension="quality",
        meaning="Slope of the label on the score's log-odds; 1 is calibrated, below 1 too sure.",
    ),
    Family(
        pattern="calibration_intercept",
        form="calibration_intercept",
        suite="model",
        dimension="quality",
        meaning="Log-odds that the scores lack on average; 0 is calibrated.",
    ),
    Family(
        pattern="precision_at_recall" + _PERCENT,
        form="precision_at_recall.80",
        suite="model",
        dimension="quality",
        meaning="Best precision among thresholds that find this percentage of the positives, share.",
    ),
    Family(
        pattern="recall_at_precision" + _PERCENT,
        form="recall_at_precision.80",
        suite="model",
        dimension="quality",
        meaning="Best recall among thresholds with at least this precision in percent, share.",
    ),
    Family(
        pattern="dummy" + _METRIC,
        form="dummy.pr_auc",
        suite="model",
        dimension="quality",
        meaning="What the best constant answer gets, in the metric's unit.",
    ),
    Family(
        pattern="over_dummy" + _METRIC,
        form="over_dummy.pr_auc",
        suite="model",
        dimension="quality",
        meaning="Better than the best constant answer by, in the metric's unit.",
    ),
    Family(
        pattern=r"slice\.worst" + _METRIC,
        form="slice.worst.accuracy",
        suite="model",
        dimension="quality",
        meaning="The metric of the worst declared slice with enough rows; its bounds hold for all slices at once.",
    ),
    Family(
        pattern=r"fairness\.(demographic_parity|equalised_odds)_difference" + _COLUMN,
        form="fairness.demographic_parity_difference.sex",
        suite="model",
        dimension="fairness",
        meaning="Largest difference between two groups, share, without a sign.",
    ),
    Family(
        pattern=r"robustness\.(missing|perturbed)",
        form="robustness.missing",
        suite="model",
        dimension="robustness",
        meaning="Loss of the experiment's metric on inputs with holes or with noise, in its unit.",
    ),
    Family(
        pattern="monotone" + _COLUMN,
        form="monotone.income",
        suite="model",
        dimension="robustness",
        meaning="Share of rows whose answer moves the wrong way with the input.",
    ),
    Family(
        pattern="invariant" + _COLUMN,
        form="invariant.sex",
        suite="model",
        dimension="robustness",
        meaning="Share of rows whose answer changes with the input.",
    ),
    Family(
        pattern=r"golden\.differences",
        form="golden.differences",
        suite="model",
        dimension="quality",
        meaning="Share of golden rows with another answer.",
    ),
    Family(
        pattern=r"off_policy\.(value|gain)",
        form="off_policy.gain",
        suite="model",
        dimension="quality",
        meaning="Worth of the answers on a log of actions; how far above what was done, in the reward's unit.",
    ),
    Family(
        pattern=r"backtest\.(worst|spread|trend)" + _METRIC,
        form="backtest.worst.accuracy",
        suite="model",
        dimension="quality",
        meaning="Of the metric over the backtest's windows: the worst, the standard deviation, the change a window.",
    ),
    Family(
        pattern=r"leakage\.(strongest_input|copied_rows)",
        form="leakage.strongest_input",
        suite="data",
        dimension="data",
        meaning="ROC area (or R2) of the strongest input alone; share of holdout rows copied from training rows.",
    ),
    Family(
        pattern=r"shift\.largest_psi",
        form="shift.largest_psi",
        suite="data",
        dimension="data",
        meaning="Largest PSI of an input between training and holdout rows.",
    ),
    Family(
        pattern=r"privacy\.findings",
        form="privacy.findings",
        suite="privacy",
        dimension="privacy",
        meaning="Places where personal data or secrets were found, count.",
    ),
    Family(
        pattern=r"latency_p50_ms|latency_p99_ms|latency_p99_ms_batch32",
        form="latency_p99_ms_batch32",
        suite="deployment",
        dimension="latency",
        meaning="Of the packaged model, one call of 1 row or of 32, milliseconds.",
    ),
    Family(
        pattern=r"model_size_mb|model_memory_mb",
        form="model_size_mb",
        suite="deployment",
        dimension="cost",
        meaning="Model file, or resident memory of a new interpreter that has loaded it, MB of 10^6 bytes.",
    ),
    Family(
        pattern="cost",
        form="cost",
        suite="training",
        dimension="cost",
        meaning="Of the training, in the unit of cost_per_hour.",
    ),
)

TESTS: dict[Suite, tuple[str, ...]] = {  # names of the tests of each suite, as regular expressions
    "data": (
        "constant columns",
        "contract",
        "copied rows",
        "future timestamps",
        "known in time",
        "label in features",
        "shift",
        "target leak",
        "time in features",
    ),
    "training": (
        r"better than (a dummy|shuffled labels) by [a-z0-9_]+",
        "deterministic",
        "finite",
        "overfits a tiny batch",
    ),
    "model": (
        "backtest",
        "calibration",
        r"(demographic parity|equalised odds) .+",
        r"fairness( .+)?",
        "golden set",
        r"groups of .+ without support",
        r"(loss on )?(missing|perturbed) inputs",
        r"(monotone|invariant) .+",
        "off-policy value",
        "rare class",
        r"slice .+",
        "slices",
        "slices without support",
    ),
    "privacy": (r"personal data and secrets( in files)?",),
    "deployment": (
        r"latency.*",
        "loads in a clean process",
        "model file",
        "refuses other bytes",
        r"same features .+",
    ),
}

PATTERN = "^(" + "|".join(family.pattern for family in FAMILIES) + ")$"
_OF_SUITE: dict[Suite, Dimension] = {
    "data": "data",
    "training": "training",
    "model": "quality",
    "deployment": "latency",
    "privacy": "privacy",
}


def family(name: str) -> Family | None:
    """The family of a measure; None for a metric of the task and for what nobody makes.

    >>> family("slice.worst.mae").suite, family("accuracy")
    ('model', None)
    """
    return next((one for one in FAMILIES if re.fullmatch(one.pattern, name)), None)


def suite_of_test(name: str) -> Suite | None:
    """The suite that makes a test of this name; None where no suite is known to.

    >>> suite_of_test("slice region=EU"), suite_of_test("determinstic")
    ('model', None)
    """
    return next((suite for suite, names in TESTS.items() if any(re.fullmatch(one, name) for one in names)), None)


def dimension_of(name: str) -> Dimension:
    """The light that a metric or measure belongs to.

    >>> dimension_of("fairness.equalised_odds_difference.sex"), dimension_of("roc_auc")
    ('fairness', 'quality')
    """
    found = family(name)
    return "quality" if found is None else found.dimension


def dimension_of_suite(suite: Suite) -> Dimension:
    """The light that a whole suite belongs to."""
    return _OF_SUITE[suite]
