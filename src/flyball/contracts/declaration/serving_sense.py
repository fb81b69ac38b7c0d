"""What the section `serving` may get wrong: links out of order, comparators without anything to compare, goals apart.

Findings are (path, expected, found, fix).
"""

from collections.abc import Iterator, Sequence

from flyball.contracts.declaration.task_metrics import Finding
from flyball.contracts.yaml_text import Path
from flyball.core import row_condition
from flyball.core.declared.experiment import Experiment
from flyball.core.declared.serving import Case, Compare, Constant, FallbackLink, Filter, Serving
from flyball.core.service import Gate, Rollout


def of_serving(serving: Serving, experiment: Experiment) -> Iterator[Finding]:
    at: Path = ("serving",)
    goals = serving.objectives
    if goals.latency_p50_ms is not None and goals.latency_p50_ms > goals.latency_p99_ms:
        path = (*at, "objectives", "latency_p50_ms")
        yield path, f"at most latency_p99_ms ({goals.latency_p99_ms:g})", f"{goals.latency_p50_ms:g}", ""
    if serving.deadline_ms < goals.latency_p99_ms:
        found = f"{serving.deadline_ms:g}"
        yield (
            (*at, "deadline_ms"),
            f"at least latency_p99_ms ({goals.latency_p99_ms:g})",
            found,
            "no answer could be slow",
        )
    yield from _chain((*at, "fallback"), serving, experiment)
    if serving.shadow.compare is not None:
        yield from _compare((*at, "shadow", "compare"), serving.shadow.compare, experiment)
    for index, one in enumerate(serving.filters):
        yield from _filter((*at, "filters", index), one, [other.name for other in serving.filters[:index]], experiment)


def of_asking_once(serving: Serving, rollout: Rollout | None, gates: Sequence[Gate]) -> Iterator[Finding]:
    """What would ask a model again, where `serving.idempotent` says that this must not be."""
    if serving.idempotent:
        return
    why = "serving.idempotent is false: a row may be asked once, of one release"
    if serving.probes is not None and serving.probes.endpoints != ("ready",):
        yield ("serving", "probes", "endpoints"), "[ready]", str([*serving.probes.endpoints]), f"{why}: a probe asks"
    if serving.cache.max_rows:
        yield ("serving", "cache", "max_rows"), "0", str(serving.cache.max_rows), why
    for index, step in enumerate(rollout.steps if rollout is not None else ()):
        if step.kind == "shadow":
            yield ("rollout", "steps", index), "no shadow step", "shadow", f"{why}: write the steps without it"
    for index, gate in enumerate(gates):
        if gate.inconclusive == "shadow":
            yield ("gates", index, "inconclusive"), "fail", "shadow", f"{why}: there are no shadow pairs"


def _filter(at: Path, one: Filter, before: list[str], experiment: Experiment) -> Iterator[Finding]:
    """One condition, of a form that the place and the verdict can have."""
    ranged = one.min is not None or one.max is not None
    forms = [
        name
        for name, given in (
            ("min or max", ranged),
            ("allow", bool(one.allow)),
            ("deny", bool(one.deny)),
            ("when", one.when is not None),
            ("rate", one.rate is not None),
            ("function", one.function is not None),
        )
        if given
    ]
    if one.name in before:
        yield (*at, "name"), "each name once", one.name, ""
    if len(forms) != 1:
        yield at, "one of min or max, allow, deny, when, rate, function", " and ".join(forms) or "none of them", ""
        return
    if one.verdict == "clamp" and not ranged and one.function is None:
        yield (*at, "verdict"), "clamp with min or max, or a function", f"clamp with {forms[0]}", ""
    if one.verdict == "clamp" and one.function is not None and one.on == "answer" and experiment.task == "multiclass":
        yield (*at, "verdict"), "reject, fall_back or review with task multiclass", "clamp", ""
    if one.min is not None and one.max is not None and one.min > one.max:
        yield (*at, "min"), f"at most max ({one.max:g})", f"{one.min:g}", ""
    moves = one.function is None or one.verdict == "clamp"  # a function sees all columns, and moves one
    named = one.when is None and one.rate is None and one.on == "row" and moves
    if named != (one.column is not None):
        yield (*at, "column"), "a column" if named else "no column", one.column or "none", ""
    if one.rate is not None and (one.on == "row" or experiment.task == "regression"):
        yield (*at, "rate"), "a class of the answer", f"on {one.on}, task {experiment.task}", ""
    if ranged and one.on == "answer" and experiment.task == "multiclass":
        yield at, "allow, deny, when or rate with task multiclass", "a range", ""
    names = ("row",) if one.on == "row" else ("row", "prediction", "score")
    if one.when is not None and (wrong := row_condition.fault(one.when, variables=names)) is not None:
        yield (*at, "when"), f"a CEL condition over {', '.join(names)}", wrong, ""


def _chain(at: Path, serving: Serving, experiment: Experiment) -> Iterator[Finding]:
    """Links that make sense in their order: previous asks, so it comes first; a constant always answers, so last."""
    for index, link in enumerate(serving.fallback):
        here: Path = (*at, index)
        if isinstance(link, str):
            earlier = serving.fallback[:index]
            if link in earlier:
                yield here, "each fallback once", link, "remove it"
            elif link == "previous" and earlier and not any(_always(other) for other in earlier):
                why = "it is asked while the arm may still answer"
                yield here, "previous as the first one", f"number {index + 1}", why
            if link == "cached" and not serving.cache.max_rows:
                yield here, "answers that are kept", "serving.cache.max_rows 0", "set serving.cache.max_rows"
        elif link.constant is not None and not link.rule:
            yield from _constant((*here, "constant"), link.constant, experiment)
            if index + 1 < len(serving.fallback):
                yield here, "a constant as the last one", "more after it", "it always answers: the rest is never asked"
        elif link.rule and link.constant is None:
            for number, case in enumerate(link.rule):
                yield from _constant((*here, "rule", number), case, experiment)
                if wrong := row_condition.fault(case.when):
                    yield (*here, "rule", number, "when"), "a CEL condition over `row`", wrong, ""
        else:
            yield here, "constant or rule", "both" if link.rule else "none of them", ""


def _compare(at: Path, compare: Compare, experiment: Experiment) -> Iterator[Finding]:
    """A comparator has something to compare in the task's answers."""
    task, kind = experiment.task, compare.kind
    suited = {
        "exact": True,
        "absolute": task != "multiclass",
        "relative": task != "multiclass",
        "ranking": task == "multiclass",
        "distribution": task != "regression",
    }
    if not suited[kind]:
        fitting = ", ".join(name for name, suits in suited.items() if suits)
        yield (*at, "kind"), f"one of {fitting} with task {task}", kind, ""
    if compare.top is not None and kind != "ranking":
        yield (*at, "top"), "no top", f"top with {kind}", "remove it"
    if compare.tolerance and kind in ("exact", "ranking"):
        yield (*at, "tolerance"), "no tolerance", f"a tolerance with {kind}", "remove it"


def _always(link: str | FallbackLink) -> bool:
    return not isinstance(link, str) and link.constant is not None


def _constant(at: Path, constant: Constant | Case, experiment: Experiment) -> Iterator[Finding]:
    """A constant has the form of the task's answers (SEMANTICS: requests, predictions, labels)."""
    task = experiment.task
    if constant.score is not None:
        if task != "binary":
            yield (*at, "score"), f"no score with task {task}", f"{constant.score:g}", "remove it"
        elif not 0 <= constant.score <= 1:
            yield (*at, "score"), "a probability", f"{constant.score:g}", ""
    if constant.scores is not None:
        if task != "multiclass":
            yield (*at, "scores"), f"no scores with task {task}", "a mapping", "remove it"
        elif abs(sum(constant.scores.values()) - 1) > 1e-6 or min(constant.scores.values(), default=0) < 0:
            yield (*at, "scores"), "probabilities that sum to 1", f"{sum(constant.scores.values()):g}", ""
        elif str(constant.prediction) not in constant.scores:
            yield (
                (*at, "scores"),
                f"the predicted class {constant.prediction} among them",
                ", ".join(constant.scores),
                "",
            )
    if task == "regression" and (isinstance(constant.prediction, (str, bool))):
        yield (*at, "prediction"), "a number", repr(constant.prediction), ""
