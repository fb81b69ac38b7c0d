"""Objectives as OpenSLO v1, one document each; read back they are the same objectives."""

from collections.abc import Iterable
from io import StringIO
from typing import Any

import msgspec
from ruamel.yaml import YAML

from flyball.contracts.openslo import model
from flyball.contracts.openslo.annotations import annotated
from flyball.contracts.openslo.own_queries import queries_of
from flyball.core.declared.objectives import Objective, window_of

LINE = 4096  # characters: a query stays on its line
_UNITS = ((604_800.0, "w"), (86_400.0, "d"), (3600.0, "h"), (60.0, "m"))


def text_of(service: str, objectives: Iterable[Objective]) -> str:
    """YAML, one document an objective. Weeks are not used for windows: 28d says more than 4w."""
    yaml = YAML()
    yaml.explicit_start = True
    yaml.width = LINE
    written = StringIO()
    yaml.dump_all([_plain(document(service, each)) for each in objectives], written)
    return written.getvalue()


def document(service: str, objective: Objective) -> model.SloDocument:
    """One objective. Its name in OpenSLO begins with the service's: names are those of a whole catalogue."""
    queries = queries_of(service, objective)
    slices = objective.slice_s is not None
    threshold = model.Threshold(
        display_name=objective.name,
        target=objective.target,
        time_slice_target=objective.slice_target,
        time_slice_window=duration(objective.slice_s) if slices and objective.slice_s is not None else None,
    )
    ratio = model.RatioMetric(
        counter=True,
        good=_metric(queries.good),
        bad=_metric(queries.bad),
        total=_metric(queries.total),
    )
    return model.SloDocument(
        api_version="openslo/v1",
        kind="SLO",
        metadata=model.ObjectMetadata(name=_object_name(service, objective.name), annotations=annotated(objective)),
        spec=model.SloSpec(
            service=service,
            description=objective.description,
            indicator=model.Indicator(
                metadata=model.ObjectMetadata(name=_object_name(service, f"{objective.name}-events")),
                spec=model.IndicatorSpec(ratio_metric=ratio),
            ),
            time_window=(model.TimeWindow(duration=duration(window_of(objective)), is_rolling=True),),
            budgeting_method=objective.method,
            objectives=(threshold,),
        ),
    )


def duration(seconds: float) -> str:
    """A duration of OpenSLO; whole minutes are all that it can say.

    >>> duration(2_419_200.0), duration(5_400.0), duration(3_600.0)
    ('28d', '90m', '1h')
    """
    unit, name = next((length, name) for length, name in _UNITS[1:] if seconds % length == 0)
    return f"{seconds / unit:.0f}{name}"


def _object_name(service: str, name: str) -> str:
    """Names of OpenSLO have no underscores; the true one is an annotation."""
    return f"{service}-{name}".replace("_", "-").rstrip("-")


def _metric(query: str) -> model.Metric | None:
    if not query:
        return None
    return model.Metric(metric_source=model.MetricSource(type="Prometheus", spec={"query": query}))


def _plain(written: model.SloDocument) -> Any:
    """As plain values, keys in the order of the records, the time window before what it bounds."""
    return msgspec.to_builtins(written)
