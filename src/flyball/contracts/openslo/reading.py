"""OpenSLO text to objectives of ours: structure first, then sense, every fault of every document at once.

What OpenSLO allows and Flyball does not do is refused by name where the objective would mean something else, and told
as a note where it is only left undone.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from flyball.contracts.declaration.objectives_sense import of_objectives
from flyball.contracts.openslo import model
from flyball.contracts.openslo.annotations import PREFIX, faults_of, fields_of
from flyball.contracts.openslo.objective_sense import of_slo
from flyball.contracts.openslo.own_queries import Queries, queries_of, recognised
from flyball.contracts.schema_faults import faults, found, nearest
from flyball.contracts.yaml_text import Document, Path, read_all, refusal
from flyball.core.declared.objectives import DAYS_28_S, Objective
from flyball.core.errors import Fault
from flyball.core.record import Record

UNITS_S = {"m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
Indicators = Mapping[str, model.IndicatorSpec]


class Reading(Record):
    """What a file comes to."""

    objectives: tuple[Objective, ...]
    notes: tuple[str, ...] = ()  # what it says and nobody here does


def parse(text: str, *, file: str, service: str | None = None) -> Reading:
    """Args: service: whose objectives are wanted; those of others are left out. None: of all.

    Raises: BadInput with all faults of all documents.
    """
    documents = read_all(text, file=file)
    wrong: list[Fault] = [fault for each in documents for fault in each.faults]
    slos: list[tuple[Document, model.SloDocument]] = []
    indicators: dict[str, model.IndicatorSpec] = {}
    for document in documents:
        if document.data is None:
            continue
        told, read = _structure(document)
        wrong += told
        match read:
            case model.SloDocument():
                slos.append((document, read))
            case model.SliDocument():
                indicators[read.metadata.name] = read.spec
            case None:
                continue
    objectives, notes = [], []
    for document, slo in slos:
        if service is not None and slo.spec.service != service:
            notes.append(f"{slo.metadata.name} is of service {slo.spec.service}: left out")
            continue
        faulty = [document.fault(*each) for each in (*of_slo(slo, indicators), *_annotations(slo))]
        wrong += faulty
        if not faulty:
            made = list(_objectives(slo, indicators))
            wrong += [document.fault(_where(path), *rest) for path, *rest in of_objectives(made, ())]
            objectives += made
            notes += _notes(slo, made)
    wrong += _of_the_whole(documents, objectives, file, service, sound=not wrong)
    if wrong:
        raise refusal(file, wrong)
    return Reading(objectives=tuple(objectives), notes=tuple(notes))


def _structure(document: Document) -> tuple[list[Fault], model.SloDocument | model.SliDocument | None]:
    """The document as a record; None: it is none that is read, and why."""
    data = document.data
    if not isinstance(data, dict):
        return [document.fault((), "an OpenSLO object", found(data))], None
    told = []
    if data.get("apiVersion") != model.VERSION:
        told.append(document.fault(("apiVersion",), model.VERSION, found(data.get("apiVersion"))))
    kind = data.get("kind")
    if kind not in model.READ:
        fix = _instead(kind) if isinstance(kind, str) and kind in model.KNOWN else nearest(kind, model.READ)
        told.append(document.fault(("kind",), " or ".join(model.READ), found(kind), fix))
        return told, None
    told += [fault for path, fault in faults(document, data, _schema(kind)) if path != ("apiVersion",)]
    if told:
        return told, None
    kinds: dict[str, type[model.SloDocument | model.SliDocument]] = {"SLO": model.SloDocument, "SLI": model.SliDocument}
    return [], msgspec.convert(data, kinds[kind])


def _instead(kind: str) -> str:
    if kind.startswith("Alert"):
        return f"kind {kind} is not read: alerts are made from the objectives, flyball slo rules"
    return f"kind {kind} is not read: take it out of the file"


@lru_cache
def _schema(kind: str) -> dict[str, Any]:
    return msgspec.json.schema(model.SloDocument if kind == "SLO" else model.SliDocument)


def _annotations(slo: model.SloDocument) -> Iterator[tuple[Path, str, str, str]]:
    for key, expected, value in faults_of(slo.metadata.annotations):
        yield ("metadata", "annotations", key), expected, value, ""


def _objectives(slo: model.SloDocument, indicators: Indicators) -> Iterator[Objective]:
    ratio = _indicator(slo, indicators).ratio_metric
    assert ratio is not None, "an SLO without one is refused before"
    queries = Queries(total=_query(ratio.total), good=_query(ratio.good), bad=_query(ratio.bad))
    name = slo.metadata.name.removeprefix(f"{slo.spec.service}-").replace(".", "-")[:63]
    own = fields_of(slo.metadata.annotations)
    for index, threshold in enumerate(slo.spec.objectives):
        several = len(slo.spec.objectives) > 1
        fields: dict[str, Any] = {"name": f"{name}-{index}" if several else name} | own
        if "sli" not in own and (known := recognised(slo.spec.service, fields["name"], queries)) is not None:
            fields["sli"], limit_ms = known
            fields |= {"limit_ms": limit_ms} if limit_ms is not None else {}
        if fields.setdefault("sli", "query") == "query":
            fields |= {"good": queries.good, "bad": queries.bad, "total": queries.total}
        yield Objective(
            **fields,
            target=_target(threshold),
            window_s=seconds(slo.spec.time_window[0].duration) if slo.spec.time_window else DAYS_28_S,
            method=slo.spec.budgeting_method,
            slice_s=_slice_s(threshold),
            slice_target=threshold.time_slice_target,
            description=slo.spec.description,
        )


def _indicator(slo: model.SloDocument, indicators: Indicators) -> model.IndicatorSpec:
    if slo.spec.indicator is not None:
        return slo.spec.indicator.spec
    return indicators[slo.spec.indicator_ref or ""]


def _target(threshold: model.Threshold) -> float:
    return threshold.target if threshold.target is not None else (threshold.target_percent or 0.0) / 100


def _slice_s(threshold: model.Threshold) -> float | None:
    window = threshold.time_slice_window
    return seconds(window) if isinstance(window, str) else None if window is None else 60.0 * window


def seconds(duration: str) -> float:
    """A duration of OpenSLO that a rolling window may have, in seconds.

    >>> seconds("28d"), seconds("5m")
    (2419200.0, 300.0)
    """
    return float(duration[:-1]) * UNITS_S[duration[-1]]


def _query(metric: model.Metric | None) -> str:
    return "" if metric is None else str(metric.metric_source.spec.get("query", ""))


def _where(path: Path) -> Path:
    """A fault of one of our fields, at what it came from."""
    return ("spec", "timeWindow") if path[-1] == "window_s" else ("spec", "objectives", *path[:1])


def _notes(slo: model.SloDocument, made: Sequence[Objective]) -> Iterator[str]:
    name = slo.metadata.name
    if slo.spec.alert_policies:
        yield f"{name}: its alertPolicies are not used: alerts are made by burn rates, flyball slo rules"
    ratio = slo.spec.indicator.spec.ratio_metric if slo.spec.indicator is not None else None
    for each in made:
        if each.sli == "query":
            yield f"{name}: Flyball cannot count its events, so its own budget is UNKNOWN; rules use its queries"
        elif ratio is not None and PREFIX + "sli" in slo.metadata.annotations:
            own = queries_of(slo.spec.service, each)
            if (own.total, own.good, own.bad) != (_query(ratio.total), _query(ratio.good), _query(ratio.bad)):
                yield f"{name}: by its annotation it is our {each.sli}: its queries are not used"


def _of_the_whole(
    documents: Sequence[Document], objectives: Sequence[Objective], file: str, service: str | None, *, sound: bool
) -> Iterator[Fault]:
    """What no document says alone. Sound: no document has a fault."""
    names = [each.name for each in objectives]
    for name in sorted({each for each in names if names.count(each) > 1}):
        yield Fault(where=file, path="metadata.name", expected="each objective once", found=f"{name} twice")
    if sound and not objectives and documents:
        whose = f"of service {service}" if service is not None else "of any service"
        yield Fault(where=file, path="(whole file)", expected=f"an SLO {whose}", found="none")
