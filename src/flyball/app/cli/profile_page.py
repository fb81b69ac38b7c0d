"""The profile of a table as one HTML file: no script, no font, no picture from elsewhere.

Bars are inline SVG out of the template; every value goes through jinja's autoescape, for a cell may hold markup. Each
picture stands beside its figures as text, so nothing is said by shape or colour alone.
"""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined

from flyball.contracts.draft.profile import ColumnProfile, Profile
from flyball.contracts.draft.profile_warnings import Remark

MOST_PAIRS = 40
WEAK = 0.1  # pairs below are not shown
WIDTH, HEIGHT = 240, 56  # of a histogram, in its own units


def page(made: Profile, warnings: Sequence[Remark], *, label: str | None = None) -> str:
    """The file's text."""
    template = files("flyball.app.cli").joinpath("profile.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    pairs = [pair for pair in made.pairs if pair.strength >= WEAK]
    return environment.from_string(template).render(
        made=made,
        warnings=warnings,
        label=label,
        columns=[_shown(column, made.rows) for column in made.columns],
        cells=sum(column.missing for column in made.columns) / max(1, made.rows * len(made.columns)),
        pairs=pairs[:MOST_PAIRS],
        hidden_pairs=len(made.pairs) - len(pairs[:MOST_PAIRS]),
        width=WIDTH,
        height=HEIGHT,
    )


def _shown(column: ColumnProfile, rows: int) -> dict[str, Any]:
    largest = max((bar.count for bar in column.bars), default=1)
    step = WIDTH / max(1, len(column.bars))
    total = max(1, rows - column.missing)
    bars = [
        {
            "label": bar.label,
            "count": bar.count,
            "share": bar.count / total,
            "x": round(place * step, 2),
            "width": round(max(1.0, step - 1), 2),
            "height": max(1.0, round(HEIGHT * bar.count / largest, 2)) if bar.count else 0,
        }
        for place, bar in enumerate(column.bars)
    ]
    return {"column": column, "missing": column.missing / max(1, rows), "bars": bars}
