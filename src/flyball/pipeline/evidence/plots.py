"""The plots of a release as Vega-Lite specifications: values in, a drawing's description out.

Names are those of the files beside the card. A plot that cannot be drawn is left out, and its absence is told with a
reason, as everything that is missing.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from flyball.core.errors import NotEnoughData
from flyball.core.model import Label
from flyball.core.record import Record
from flyball.core.release import Attributions, TestResult
from flyball.core.service import Task
from flyball.pipeline.evaluate import Scored
from flyball.pipeline.evidence.curves import histogram, precision_recall, reliability, roc

Spec = dict[str, Any]
SCHEMA = "https://vega.github.io/schema/vega-lite/v5.json"  # a name, never fetched
INK, SECOND, PALE = "#1b6ca8", "#d1603d", "#8a8a8a"
SHOWN_FEATURES = 20


class Plots(Record):
    specs: dict[str, Spec] = {}  # `roc` -> specification
    missing: dict[str, str] = {}  # name -> why it is not drawn


def plots(
    task: Task,
    scored: Scored,
    classes: Sequence[Label],
    *,
    attributions: Attributions | None = None,
    tests: Sequence[TestResult] = (),
) -> Plots:
    """All that this task has; `scored`: the holdout."""
    specs: dict[str, Spec] = {}
    missing: dict[str, str] = {}
    for name, draw in _drawings(task, scored, classes, attributions, tests):
        try:
            specs[name] = draw()
        except NotEnoughData as error:
            missing[name] = str(error)
    return Plots(specs=specs, missing=missing)


def _drawings(
    task: Task,
    scored: Scored,
    classes: Sequence[Label],
    attributions: Attributions | None,
    tests: Sequence[TestResult],
) -> Iterator[tuple[str, Callable[[], Spec]]]:
    if task == "binary":
        yield "roc", lambda: _roc(scored, classes)
        yield "precision_recall", lambda: _precision_recall(scored, classes)
        yield "reliability", lambda: _reliability(scored, classes)
        yield "scores", lambda: _scores(scored, classes)
    elif task == "multiclass":
        yield "confusion", lambda: _confusion(scored, classes)
        yield "reliability", lambda: _top_reliability(scored, classes)
    else:
        yield "residuals", lambda: _residuals(scored)
        yield "predicted", lambda: _predicted(scored)
    yield "attributions", lambda: _attributions(attributions)
    yield "slices", lambda: _slices(tests)


def _roc(scored: Scored, classes: Sequence[Label]) -> Spec:
    x, y = roc(_positive(scored, classes), _scores_of(scored))
    points = _points(x=x, y=y)
    return _over_diagonal("ROC", points, "false positive rate", "true positive rate")


def _precision_recall(scored: Scored, classes: Sequence[Label]) -> Spec:
    positive = _positive(scored, classes)
    x, y = precision_recall(positive, _scores_of(scored))
    line = _layer("line", _points(x=x, y=y), INK)
    dummy = _layer("rule", [{"y": float(positive.mean())}], PALE)
    dummy["encoding"] = {"y": _axis("y", "precision", (0, 1))}
    line["encoding"] = {"x": _axis("x", "recall", (0, 1)), "y": _axis("y", "precision", (0, 1))}
    return _spec("Precision and recall; the line is a dummy's precision", {"layer": [dummy, line]})


def _reliability(scored: Scored, classes: Sequence[Label]) -> Spec:
    said, seen, rows = reliability(_positive(scored, classes), _scores_of(scored))
    return _over_diagonal("Reliability", _points(x=said, y=seen, rows=rows), "mean score", "share of positives")


def _top_reliability(scored: Scored, classes: Sequence[Label]) -> Spec:
    scores = _scores_of(scored)
    right = np.array(list(classes), dtype=object)[scores.argmax(axis=1)] == scored.truth.astype(object)
    said, seen, rows = reliability(right, scores.max(axis=1))
    points = _points(x=said, y=seen, rows=rows)
    return _over_diagonal("Reliability of the predicted class", points, "mean top probability", "share right")


def _scores(scored: Scored, classes: Sequence[Label]) -> Spec:
    positive, scores = _positive(scored, classes), _scores_of(scored)
    bars = []
    for label, mask in ((classes[0], ~positive), (classes[1], positive)):
        left, right, counts = histogram(scores[mask])
        bars += [dict(point, label=str(label)) for point in _points(x=left, x2=right, y=counts)]
    layer = _layer("bar", bars, INK)
    layer["mark"] = {"type": "bar", "opacity": 0.55}
    layer["encoding"] = {
        "x": {"field": "x", "type": "quantitative", "title": "score", "bin": {"binned": True}},
        "x2": {"field": "x2"},
        "y": {"field": "y", "type": "quantitative", "title": "rows", "stack": None},
        "color": {"field": "label", "type": "nominal", "scale": {"range": [PALE, SECOND]}, "title": "label"},
    }
    return _spec("Scores by label", layer)


def _confusion(scored: Scored, classes: Sequence[Label]) -> Spec:
    names = [str(label) for label in classes]
    truth, said = ([str(value) for value in column.tolist()] for column in (scored.truth, scored.predictions))
    counts = {(a, b): 0 for a in names for b in names}
    for pair in zip(truth, said, strict=True):
        counts[pair] = counts.get(pair, 0) + 1
    layer = _layer("rect", [{"truth": a, "predicted": b, "rows": n} for (a, b), n in counts.items()], INK)
    layer["encoding"] = {
        "x": {"field": "predicted", "type": "nominal"},
        "y": {"field": "truth", "type": "nominal"},
        "color": {"field": "rows", "type": "quantitative", "scale": {"scheme": "blues"}},
    }
    return _spec("Truth and prediction", layer)


def _residuals(scored: Scored) -> Spec:
    left, right, counts = histogram(np.asarray(scored.predictions, float) - np.asarray(scored.truth, float))
    layer = _layer("bar", _points(x=left, x2=right, y=counts), INK)
    layer["encoding"] = {
        "x": {"field": "x", "type": "quantitative", "title": "prediction - truth", "bin": {"binned": True}},
        "x2": {"field": "x2"},
        "y": {"field": "y", "type": "quantitative", "title": "rows"},
    }
    return _spec("Residuals", layer)


def _predicted(scored: Scored) -> Spec:
    """Means in bins of equal mass, so that a million rows are twenty points."""
    truth, said = np.asarray(scored.truth, float), np.asarray(scored.predictions, float)
    if truth.size == 0:
        raise NotEnoughData("n=0: there is no row to draw")
    parts = [part for part in np.array_split(np.argsort(said, kind="stable"), 20) if part.size]
    points = [{"x": float(said[part].mean()), "y": float(truth[part].mean())} for part in parts]
    ends = [min(min(p.values()) for p in points), max(max(p.values()) for p in points)]
    return _over_diagonal("Truth by prediction", points, "mean prediction", "mean truth", ends=(ends[0], ends[1]))


def _attributions(attributions: Attributions | None) -> Spec:
    if attributions is None:
        raise NotEnoughData("nobody has asked what the answers rest on")
    bars = [{"feature": line.feature, "value": line.mean_abs} for line in attributions.features[:SHOWN_FEATURES]]
    layer = _layer("bar", bars, INK)
    layer["encoding"] = {
        "x": {"field": "value", "type": "quantitative", "title": f"mean |attribution| to the {attributions.output}"},
        "y": {"field": "feature", "type": "nominal", "sort": "-x", "title": None},
    }
    return _spec(f"What the answers rest on ({attributions.method})", layer)


def _slices(tests: Sequence[TestResult]) -> Spec:
    lines = [
        {"slice": test.name.removeprefix("slice "), "value": test.value, "low": test.low, "high": test.high}
        for test in tests
        if test.name.startswith("slice ") and test.value is not None
    ]
    if not lines:
        raise NotEnoughData("no slice was declared, or none had enough rows")
    place = {"field": "slice", "type": "nominal", "title": None}
    points = _layer("point", lines, INK)
    points["encoding"] = {"x": {"field": "value", "type": "quantitative", "scale": {"zero": False}}, "y": place}
    bars = _layer("rule", [line for line in lines if line["low"] is not None], INK)
    bars["encoding"] = {"x": {"field": "low", "type": "quantitative"}, "x2": {"field": "high"}, "y": place}
    return _spec("Slices", {"layer": [bars, points]})


def _over_diagonal(
    title: str, points: list[dict[str, float]], x: str, y: str, *, ends: tuple[float, float] = (0.0, 1.0)
) -> Spec:
    """A line with its points over the diagonal that it is read against."""
    line = _layer("line", points, INK)
    line["mark"] = {"type": "line", "point": len(points) <= 20}
    diagonal = _layer("line", [{"x": end, "y": end} for end in ends], PALE)
    diagonal["mark"] = {"type": "line", "strokeDash": [4, 4]}
    for layer, ink in ((line, INK), (diagonal, PALE)):
        layer["encoding"] = {"x": _axis("x", x, ends), "y": _axis("y", y, ends), "color": {"value": ink}}
    return _spec(title, {"layer": [diagonal, line]})


def _axis(field: str, title: str, ends: tuple[float, float]) -> Spec:
    return {"field": field, "type": "quantitative", "title": title, "scale": {"domain": list(ends)}}


def _layer(mark: str, values: Sequence[Any], colour: str) -> Spec:
    return {"mark": {"type": mark, "color": colour}, "data": {"values": list(values)}}


def _spec(title: str, body: Spec) -> Spec:
    return {"$schema": SCHEMA, "title": title, "width": 320, "height": 260, **body}


def _points(**columns: Any) -> list[dict[str, float]]:
    return [dict(zip(columns, map(float, row), strict=True)) for row in zip(*columns.values(), strict=True)]


def _positive(scored: Scored, classes: Sequence[Label]) -> Any:
    return np.array([value == classes[1] for value in scored.truth.tolist()], dtype=np.bool_)


def _scores_of(scored: Scored) -> Any:
    if scored.scores is None:
        raise NotEnoughData("the model gives no scores")
    return scored.scores
