"""What a well-formed SLO of OpenSLO may still get wrong, or ask for what Flyball does not do."""

from collections.abc import Iterator, Mapping

from flyball.contracts.openslo import model
from flyball.contracts.schema_faults import nearest
from flyball.contracts.yaml_text import Path

Finding = tuple[Path, str, str, str]  # where, expected, found, fix


def of_slo(slo: model.SloDocument, indicators: Mapping[str, model.IndicatorSpec]) -> Iterator[Finding]:
    """Args: indicators: of the documents of kind SLI in the same file, by name."""
    yield from _window(slo.spec)
    yield from _indicator(slo.spec, indicators)
    if not slo.spec.objectives:
        yield ("spec", "objectives"), "at least one objective", "none", ""
    for index, threshold in enumerate(slo.spec.objectives):
        yield from _threshold(slo.spec, threshold, ("spec", "objectives", index))


def _window(spec: model.SloSpec) -> Iterator[Finding]:
    at: Path = ("spec", "timeWindow")
    if len(spec.time_window) != 1:
        yield at, "exactly one time window", str(len(spec.time_window)), ""
        return
    window = spec.time_window[0]
    if window.calendar is not None or not window.is_rolling:
        yield (
            (*at, 0),
            "a rolling window",
            "one of the calendar",
            "isRolling: true; budgets by the calendar are not kept",
        )
    elif window.duration[-1] in "MQY":
        fix = "say it in days"
        yield (*at, 0, "duration"), "minutes, hours, days or weeks of a rolling window", window.duration, fix


def _indicator(spec: model.SloSpec, indicators: Mapping[str, model.IndicatorSpec]) -> Iterator[Finding]:
    if (spec.indicator is None) == (spec.indicator_ref is None):
        found = "neither" if spec.indicator is None else "both"
        yield ("spec", "indicator"), "indicator or indicatorRef", found, ""
        return
    if spec.indicator is not None:
        yield from _ratio(spec.indicator.spec, ("spec", "indicator", "spec"))
        return
    name = spec.indicator_ref or ""
    if name not in indicators:
        yield ("spec", "indicatorRef"), "an SLI of the same file", name, nearest(name, indicators)
    else:
        yield from _ratio(indicators[name], ("spec", "indicatorRef"))


def _ratio(indicator: model.IndicatorSpec, at: Path) -> Iterator[Finding]:
    ratio, here = indicator.ratio_metric, (*at, "ratioMetric")
    if indicator.threshold_metric is not None:
        fix = "count the good events: ratioMetric with good and total"
        yield (*at, "thresholdMetric"), "a ratioMetric", "a thresholdMetric, which is not done", fix
    if ratio is None:
        if indicator.threshold_metric is None:
            yield here, "a ratioMetric", "nothing", "add it"
        return
    if ratio.raw is not None:
        yield (*here, "raw"), "good or bad, and total", "a ratio that is made already, which is not done", ""
        return
    if ratio.counter is not True:
        said = "nothing" if ratio.counter is None else "false"
        yield (*here, "counter"), "true: counters that only grow", said, "gauges are not done"
    if (ratio.good is None) == (ratio.bad is None):
        yield (*here, "good"), "good or bad", "neither" if ratio.good is None else "both", ""
    if ratio.total is None:
        yield (*here, "total"), "a metric of all events", "nothing", "add it"
    for name, metric in (("good", ratio.good), ("bad", ratio.bad), ("total", ratio.total)):
        if metric is not None:
            yield from _source(metric.metric_source, (*here, name, "metricSource"))


def _source(source: model.MetricSource, at: Path) -> Iterator[Finding]:
    if source.metric_source_ref:
        yield (*at, "metricSourceRef"), "a source of type Prometheus", "a reference, which is not followed", ""
    if source.type and source.type.lower() != "prometheus":
        yield (*at, "type"), "Prometheus", source.type, "other sources are not asked"
    query = source.spec.get("query")
    if not isinstance(query, str) or not query.strip():
        yield (*at, "spec", "query"), "PromQL of a counter", "nothing" if query is None else str(query), "add it"


def _threshold(spec: model.SloSpec, threshold: model.Threshold, at: Path) -> Iterator[Finding]:
    if (threshold.target is None) == (threshold.target_percent is None):
        found = "neither" if threshold.target is None else "both"
        yield (*at, "target"), "target or targetPercent", found, ""
    elif 0 in (threshold.target, threshold.target_percent):
        yield (*at, "target"), "above 0", "0", "an objective of nothing is kept by everything"
    for key, value in (("op", threshold.op), ("value", threshold.value)):
        if value is not None:
            yield (*at, key), f"no {key} with a ratioMetric", str(value), "remove it"
    composite = (threshold.indicator, threshold.indicator_ref, threshold.composite_weight)
    if any(each is not None for each in composite):
        yield at, "an objective of the SLO's own indicator", "a composite one, which is not done", ""
    sliced = spec.budgeting_method != "Occurrences"
    if sliced and threshold.time_slice_window is None:
        yield (*at, "timeSliceWindow"), f"the length of a slice, for {spec.budgeting_method}", "nothing", "add it"
    if isinstance(threshold.time_slice_window, str) and threshold.time_slice_window[-1] in "MQY":
        yield (*at, "timeSliceWindow"), "minutes, hours, days or weeks", threshold.time_slice_window, ""
