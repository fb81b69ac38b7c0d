"""The comparison as one HTML file: it opens without a network, and its size is bounded by the number of columns.

Every name and value goes through jinja's autoescape, for a column's name or a cell may hold markup; beside that the
page carries a content security policy that runs its own script, known by its hash, and loads nothing. Each picture
stands beside its figures as text, so nothing is said by shape or colour alone.
"""

import base64
import hashlib
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined

from flyball.app.drift import words
from flyball.app.drift.course import Course
from flyball.app.drift.judged import Feature, Limits, Report
from flyball.app.drift.words_plain import plain, shortened
from flyball.stats.two_sample.compare import Reading
from flyball.stats.two_sample.divergences import shares
from flyball.stats.two_sample.measure import probability

MOST_BARS = 24  # of a feature; the bins that changed least share one row below them
LEAST_SCALE = 0.05  # change of a share that fills a bar where no column has a larger one
WIDTH, HEIGHT = 384, 96  # of a feature's bars, in their own units
WIDE, TALL = 960, 160  # of the course
ROOM = 0.08  # of an axis, that a mark needs

SCRIPT = """
const box = document.getElementById("find"), kinds = [...document.querySelectorAll("input[name=kind]")];
const all = [...document.querySelectorAll("article")], count = document.getElementById("shown");
function show() {
  const text = box.value.toLowerCase(), wanted = new Set(kinds.filter(k => k.checked).map(k => k.value));
  let shown = 0;
  for (const each of all) {
    const fits = each.dataset.name.toLowerCase().includes(text) && wanted.has(each.dataset.verdict);
    each.hidden = !fits; shown += fits;
  }
  count.textContent = shown + " of " + all.length + " columns shown";
}
box.addEventListener("input", show); kinds.forEach(k => k.addEventListener("change", show)); show();
"""


def page(report: Report, went: Course, *, reference: str, current: str) -> str:
    """The file's text.

    Args:
        went: how it went along the rows of the current table.
        reference, current: names of the tables.
    """
    scale = max([LEAST_SCALE, *(_largest(feature) for feature in report.features)])
    template = files("flyball.app.drift").joinpath("page.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    verdicts = {v.value: sum(1 for each in report.features if each.verdict is v) for v in Reading}
    return environment.from_string(template).render(
        report=report,
        limits=report.limits,
        sides=(reference, current),
        summary=words.summary(report, went),
        verdicts={verdict: count for verdict, count in verdicts.items() if count},
        features=[_shown(feature, report.limits, scale) for feature in report.features],
        went=went,
        scale=scale,
        plain=plain,
        axes=axes(went),
        apart=apart,
        shortened=shortened,
        probability=probability,
        script=SCRIPT,
        digest=base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode(),
        width=WIDTH,
        height=HEIGHT,
    )


def axes(went: Course) -> dict[str, Any]:
    """Both lines of the course as points of one picture, each scaled to the largest value of its own axis."""
    step = WIDE / max(1, len(went.windows))
    found: dict[str, Any] = {"width": WIDE, "height": TALL}
    risks = [each.risk for each in went.windows]
    for name, values, floor in (
        ("psi", [each.psi for each in went.windows], 0.25),
        ("risk", [*risks, went.reference_risk], 0.0),
    ):
        top = 1.1 * max([value for value in values if value is not None], default=0.0)
        top = max(top, floor) or 1.0
        points = [
            f"{(place + 0.5) * step:.1f},{TALL * (1 - value / top):.1f}"
            for place, value in enumerate(values[: len(went.windows)])
            if value is not None
        ]
        found[name] = {"top": top, "points": points}
    return found


def apart(values: Sequence[float], top: float) -> list[float]:
    """The values whose marks fit on an axis from 0 to `top` beside those of its ends and of one another.

    >>> apart([0.25, 0.1], 0.5), apart([0.25, 0.1], 7.3)
    ([0.25, 0.1], [])
    """
    found: list[float] = []
    for value in values:
        if all(abs(value - other) >= ROOM * top for other in (0.0, top, *found)):
            found.append(value)
    return found


def band(feature: Feature, limits: Limits) -> str:
    """The colour of a feature: by its limits where it has a value that counts.

    Returns: `none`, `small`, `some` or `large`.
    """
    value = feature.deciding.value
    if feature.verdict in (Reading.INVALID, Reading.INSUFFICIENT) or value is None:
        return "none"
    if feature.on_rows:
        return "large" if feature.verdict is Reading.DRIFT else "small"
    return "large" if value > limits.act else "some" if value > limits.warn else "small"


def _shown(feature: Feature, limits: Limits, scale: float) -> dict[str, Any]:
    return {
        "name": shortened(feature.name),
        "full": feature.name[:200],
        "feature": feature,
        "band": band(feature, limits),
        "changed": words.changed(feature),
        "broken": words.broken(feature),
        "meaning": words.meaning(feature, limits),
        "bars": _bars(feature, scale),
        "types": " → ".join(dict.fromkeys(dtype for dtype in feature.column.types if dtype)),
    }


def _shares(feature: Feature) -> tuple[words.Shares, words.Shares] | None:
    column = feature.column
    if column.reference is None or column.current is None or not column.reference.sum() or not column.current.sum():
        return None
    return shares(column.reference, column.current)


def _largest(feature: Feature) -> float:
    """Change of the share of a bin."""
    both = _shares(feature)
    return 0.0 if both is None else float(np.max(np.abs(both[1] - both[0])))


def _bars(feature: Feature, scale: float) -> list[dict[str, Any]]:
    """One a bin: up where its share grew, down where it fell; a change of `scale` is as high as there is room."""
    column, both = feature.column, _shares(feature)
    if both is None:
        return []
    p, q = both
    kept = np.sort(np.argsort(-np.abs(q - p), kind="stable")[:MOST_BARS])
    step = WIDTH / kept.size
    return [
        {
            "label": shortened(column.labels[at]),
            "before": float(p[at]),
            "after": float(q[at]),
            "up": bool(q[at] > p[at]),
            "x": round(place * step + 1, 1),
            "width": round(step - 2, 1),
            "height": round(float(abs(q[at] - p[at])) / scale * (HEIGHT / 2 - 2), 1),
        }
        for place, at in enumerate(kept.tolist())
    ]
