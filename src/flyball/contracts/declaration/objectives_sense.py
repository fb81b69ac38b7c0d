"""Objectives that make no sense: two of one name, a key that its kind does not read, or lacks."""

from collections.abc import Iterator, Sequence

from flyball.contracts.declaration.task_metrics import Finding
from flyball.contracts.yaml_text import Path
from flyball.core.declared.objectives import Objective, Slo, window_of
from flyball.core.service import Monitor

LEAST_WINDOW_S = 3600.0  # the shortest burn rate that alerts is of one hour
_READ_BY = {"limit_ms": "latency", "max_age_s": "freshness", "good": "query", "bad": "query", "total": "query"}


def of_slo(slo: Slo, monitor: Monitor | None, *, timed: bool) -> Iterator[Finding]:
    """Args: timed: whether `data.timestamp` is declared."""
    yield from _window(slo.window_s, ("slo", "window_s"))
    for index, name in enumerate(slo.files):
        if name.startswith("/") or ".." in name.split("/") or not name:
            yield ("slo", "files", index), "a file in the folder of service.yaml", f"text {name!r}", ""
    if slo.runbooks_url is not None:
        fix = "move it to alerts.runbooks_url: alerts and rules link the same runbooks"
        yield ("slo", "runbooks_url"), "nothing: there is one key for it", f"text {slo.runbooks_url!r}", fix
    if slo.dashboard_url is not None and not slo.dashboard_url.startswith(("https://", "http://")):
        yield ("slo", "dashboard_url"), "an http(s) address", f"text {slo.dashboard_url!r}", ""
    yield from of_objectives(slo.objectives, ("slo", "objectives"))
    for index, each in enumerate(slo.objectives):
        at: Path = ("slo", "objectives", index, "sli")
        if each.sli == "quality" and monitor is not None and monitor.live_metric is None:
            yield at, "monitor.live_metric, which says what is good", "none", "declare it, or leave quality out"
        if each.sli == "freshness" and not timed:
            yield at, "data.timestamp, which says when a row is of", "none", "declare it, or leave freshness out"


def of_objectives(objectives: Sequence[Objective], at: Path) -> Iterator[Finding]:
    """Each by itself, and their names."""
    names = [each.name for each in objectives]
    for index, each in enumerate(objectives):
        here = (*at, index)
        if each.name in names[:index]:
            yield (*here, "name"), "each name once", each.name, ""
        yield from _keys(each, here)
        yield from _slices(each, here)
        if each.window_s is not None:
            yield from _window(each.window_s, (*here, "window_s"))


def _window(window_s: float, at: Path) -> Iterator[Finding]:
    """Whole minutes are all that OpenSLO can say."""
    if window_s < LEAST_WINDOW_S:
        yield at, "at least an hour", f"{window_s:g}", ""
    elif window_s % 60:
        yield at, "whole minutes", f"{window_s:g}", ""


def _keys(objective: Objective, at: Path) -> Iterator[Finding]:
    for key, kind in _READ_BY.items():
        if getattr(objective, key) and kind != objective.sli:
            yield (*at, key), f"no {key} with sli {objective.sli}", "one", f"only {kind} reads it"
    if objective.sli == "freshness" and objective.max_age_s is None:
        yield (*at, "max_age_s"), "the age of a row that is just fresh enough", "nothing", "add it"
    if objective.sli == "query":
        if not objective.total:
            yield (*at, "total"), "PromQL of a counter of all events", "nothing", "add it"
        if bool(objective.good) == bool(objective.bad):
            found = "both" if objective.good else "neither"
            yield (*at, "good"), "a counter of good events, or (`bad`) of bad ones", found, ""


def _slices(objective: Objective, at: Path) -> Iterator[Finding]:
    sliced = objective.method != "Occurrences"
    if sliced and objective.slice_s is None:
        yield (*at, "slice_s"), f"the length of a slice, for {objective.method}", "nothing", "add it"
    if not sliced and objective.slice_s is not None:
        yield (*at, "slice_s"), "no slice_s with Occurrences", f"{objective.slice_s:g}", "remove it, or say the method"
    slice_s = objective.slice_s
    if slice_s is not None and (slice_s % 60 or not 60 <= slice_s <= min(3600, window_of(objective))):
        yield (*at, "slice_s"), "whole minutes, from one to an hour", f"{slice_s:g}", ""
    if objective.method == "Timeslices" and objective.slice_target is None:
        yield (*at, "slice_target"), "the share of good events of a good slice", "nothing", "add it"
    if objective.method != "Timeslices" and objective.slice_target is not None:
        yield (*at, "slice_target"), f"no slice_target with {objective.method}", f"{objective.slice_target:g}", ""
