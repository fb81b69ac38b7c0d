"""The curve of a replay as SVG, with what the governor did marked on it. Needs the `charts` extra."""

from typing import Any

import polars as pl

from flyball.app.replay.report import Report
from flyball.core.errors import Unavailable

REGIMES = {"governed": "#1b6ca8", "scheduled": "#8a8a8a", "frozen": "#d1603d"}
MARKS = {"training": "#1b6ca8", "promoted": "#2c8c4a", "rolled back": "#c0392b", "quality incident": "#8e44ad"}


def chart(report: Report) -> str:
    """SVG text: one line a regime, one rule an event.

    Raises: Unavailable: the extra is not installed.
    """
    try:
        import altair as alt
        import vl_convert
    except ImportError as error:
        raise Unavailable("charts need the extra: pip install 'flyball[charts]'") from error
    lines = [
        {"row": point.row, "regime": regime, "value": getattr(point, regime)}
        for point in report.curve
        for regime in REGIMES
        if getattr(point, regime) is not None
    ]
    curve = (
        alt.Chart(pl.DataFrame(lines))
        .mark_line(interpolate="monotone")
        .encode(
            x=alt.X("row:Q", title="row of the stream"),
            y=alt.Y("value:Q", title=report.metric, scale=alt.Scale(zero=False)),
            color=alt.Color(
                "regime:N", scale=alt.Scale(domain=list(REGIMES), range=list(REGIMES.values())), title=None
            ),
        )
    )
    rules = (
        alt.Chart(pl.DataFrame(_events(report), schema={"row": pl.Int64, "event": pl.String}))
        .mark_rule(strokeDash=[3, 3], opacity=0.8)
        .encode(
            x="row:Q",
            stroke=alt.Stroke("event:N", scale=alt.Scale(domain=list(MARKS), range=list(MARKS.values())), title=None),
        )
    )
    both = (
        alt.layer(rules, curve)
        .properties(width=860, height=320, title=f"{report.service}: {report.metric} ({report.better} is better)")
        .resolve_scale(color="independent", stroke="independent")
    )
    return str(vl_convert.vegalite_to_svg(both.to_dict()))


def _events(report: Report) -> list[dict[str, Any]]:
    found = [{"row": line.row, "event": "training"} for line in report.trainings if line.reason != "first"]
    names = {"promoted": "promoted", "rolled_back": "rolled back"}
    found += [{"row": r.row, "event": names[r.outcome]} for r in report.rollouts if r.outcome in names]
    return found + [{"row": incident.row, "event": "quality incident"} for incident in report.incidents]
