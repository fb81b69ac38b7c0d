"""Scorecards as one HTML file: it opens without a network, loads nothing and runs nothing.

Every name and value goes through jinja's autoescape. Each bar stands beside its figures as text, so nothing is said by
shape or colour alone.
"""

from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined

from flyball.app.review.words import target_of, value_of, verdict_of
from flyball.control.review.scorecard import Line, Scorecard, verdicts

WIDTH = 240.0  # of a bar, in its own units
TALL = 80.0  # of the days
Days = tuple[tuple[str, int, int], ...]  # day, answered, failed


def page(cards: Sequence[Scorecard], days: Mapping[str, Days]) -> str:
    """The file's text. `days`: of each service, by name."""
    template = files("flyball.app.review").joinpath("page.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    shown = [
        {
            "card": card,
            "counts": {name: count for name, count in verdicts(card.lines).items() if count},
            "lines": [_shown(line) for line in (*card.lines, *_drilled(card))],
            "days": _days(days.get(card.service, ())),
        }
        for card in cards
    ]
    return environment.from_string(template).render(cards=shown, width=WIDTH, tall=TALL)


def _drilled(card: Scorecard) -> tuple[Line, ...]:
    return tuple(line for line in card.drills if line.value is not None)


def _shown(line: Line) -> dict[str, Any]:
    return {
        "line": line,
        "value": value_of(line),
        "target": target_of(line),
        "verdict": verdict_of(line),
        "kind": line.met.replace(" ", "-"),
        "bar": bar(line),
    }


def bar(line: Line) -> dict[str, float] | None:
    """Value, target and interval on one axis: shares from 0 to 1, others from 0 to the larger of value and target.

    None: there is no value to draw.
    """
    if line.value is None:
        return None
    top = 1.0 if line.unit == "share" else 1.1 * max(line.value, line.target or 0.0) or 1.0
    placed = {"value": line.value, "target": line.target, "low": line.low, "high": line.high}
    return {name: round(min(1.0, at / top) * WIDTH, 1) for name, at in placed.items() if at is not None}


def _days(days: Days) -> list[dict[str, Any]]:
    """One bar a day: how many rows were answered, and the share of those that were not."""
    most = max([good + bad for _, good, bad in days], default=0)
    step = WIDTH * 4 / max(1, len(days))
    return [
        {
            "day": day,
            "good": good,
            "bad": bad,
            "x": round(place * step, 1),
            "width": round(max(1.0, step - 2), 1),
            "height": round((good + bad) / most * TALL, 1),
            "failed": round(bad / most * TALL, 1),
        }
        for place, (day, good, bad) in enumerate(days)
        if most
    ]
