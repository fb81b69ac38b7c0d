"""The metrics that two arms can be compared by while a rollout runs: means over rows, each row's value from 0 to 1.

A metric that is no mean over rows (an F1, an area) has no value of a row, and is compared at the gates.
"""

import numpy as np

from flyball.core.declared.guardrails import MetricGuardrail
from flyball.core.margin import margin
from flyball.core.service import Service
from flyball.monitor.realised.tally import Batch, Floats
from flyball.stats.sequential_tests.arm_means import ArmMeans

_BINARY_CODES = 3  # negative, positive, other


def row_values(rail: MetricGuardrail, batch: Batch, service: Service) -> Floats:
    """Value of each row on the scale 0..1 of its bounds, NaN: it has none; shape [n]."""
    low, high = bounds(rail, service)
    return np.asarray(np.clip((_in_its_unit(rail, batch) - low) / (high - low), 0.0, 1.0), dtype=np.float64)


def opened(rail: MetricGuardrail, service: Service) -> ArmMeans:
    """The test of one guardrail before its first unit.

    >>> from flyball.core.service import Data, Experiment, Metadata
    >>> shop = Service(apiVersion="flyball/v1", kind="Service", metadata=Metadata(name="shop", owner="ada"),
    ...     data=Data(contract="c", source="s", label="y"), experiment=Experiment(task="binary", metric="f1"))
    >>> test = opened(MetricGuardrail(name="value", max_loss="5%", range=(20.0, 40.0)), shop)
    >>> test.relative, test.absolute
    (0.05, 0.05)
    """
    low, high = bounds(rail, service)
    if not isinstance(rail.tolerated, str):
        return ArmMeans(absolute=rail.tolerated / (high - low), higher_is_better=rail.higher_is_better)
    relative = margin(rail.tolerated, 1.0)
    # "not worse" is candidate >= (1 - relative) champion in the metric's unit, and 0 of the scale is `low` of that
    return ArmMeans(relative=relative, absolute=relative * low / (high - low), higher_is_better=rail.higher_is_better)


def bounds(rail: MetricGuardrail, service: Service) -> tuple[float, float]:
    """Least and largest value of a row, in the metric's unit; what lies outside counts as the nearer end."""
    if rail.range is not None:
        return rail.range
    return service.monitor.value.weights if rail.name == "value" and service.monitor.value is not None else (0.0, 1.0)


def _in_its_unit(rail: MetricGuardrail, batch: Batch) -> Floats:
    nothing = np.full(batch.n, np.nan)
    match rail.name:
        case "accuracy":
            return nothing if batch.wrong is None else np.where(batch.known, 1.0 - batch.wrong, np.nan)
        case "conversion":
            # a cell is label * codes + answer, and label 1 is the positive class
            positive = nothing if batch.cell is None else (batch.cell // _BINARY_CODES == 1).astype(np.float64)
            return np.where(batch.known, positive, np.nan)
        case "value":
            return batch.terms.get("value", nothing)
        case "mae":
            return np.where(batch.known, batch.terms.get("absolute", nothing), np.nan)
