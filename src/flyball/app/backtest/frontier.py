"""The frontier as SVG: false alarms against detection delay, one point a policy. Needs the `charts` extra."""

from collections.abc import Sequence
from typing import Any

import polars as pl

from flyball.app.backtest.report import Backtest, PolicyLine
from flyball.core.errors import Unavailable

WIDTH, HEIGHT = 760, 420  # CSS pixels


def frontier(found: Backtest) -> str:
    """SVG text. A point on the frontier is one that no other policy beats in both; a line joins them.

    Raises: Unavailable: the extra is not installed, or no policy has both figures.
    """
    try:
        import altair as alt
        import vl_convert
    except ImportError as error:
        raise Unavailable("charts need the extra: pip install 'flyball[charts]'") from error
    points = plotted(found.policies)
    if not points:
        raise Unavailable(
            "no policy has both false alarms and a delay, so there is no frontier to draw",
            hint="name the rows at which the data changed: --changes ROW",
        )
    frame = pl.DataFrame(points)
    x = alt.X("false:Q", title="false alarms per 1,000 windows")
    y = alt.Y("delay:Q", title="mean detection delay, rows", scale=alt.Scale(zero=False))
    best = frame.filter("best").unique(["false", "delay"], keep="first", maintain_order=True).sort("false")
    line = alt.Chart(best).mark_line(color="#1b6ca8", strokeDash=[4, 3]).encode(x=x, y=y)
    dots = (
        alt.Chart(frame)
        .mark_circle(size=90, opacity=0.9)
        .encode(
            x=x,
            y=y,
            color=alt.Color(
                "kind:N",
                scale=alt.Scale(domain=["recorded", "policy", "sweep"], range=["#c0392b", "#1b6ca8", "#8a8a8a"]),
                title=None,
            ),
        )
    )
    names = (
        alt.Chart(_labels(frame)).mark_text(align="left", dx=8, dy=-6, fontSize=10).encode(x=x, y=y, text="policy:N")
    )
    truth = f"{found.service}: policies on rows {found.first_row} to {found.last_row}, truth: {found.truth.by}"
    chart = alt.layer(line, dots, names).properties(width=WIDTH, height=HEIGHT, title=truth)
    return str(vl_convert.vegalite_to_svg(chart.to_dict()))


def plotted(policies: Sequence[PolicyLine]) -> list[dict[str, Any]]:
    """Policies with both figures; `best`: none has fewer false alarms without a longer delay."""
    known = [
        (each, each.false_per_1000_windows, each.judged.delay_rows)
        for each in policies
        if each.false_per_1000_windows is not None and each.judged.delay_rows is not None
    ]
    return [
        {
            "policy": each.policy,
            "kind": "sweep" if each.value is not None else "policy" if each.changed else "recorded",
            "false": false,
            "delay": delay,
            "best": not any(f <= false and d <= delay and (f, d) != (false, delay) for _, f, d in known),
        }
        for each, false, delay in known
    ]


def _labels(frame: pl.DataFrame) -> pl.DataFrame:
    """Points that fall together share one label."""
    return frame.group_by("false", "delay", maintain_order=True).agg(pl.col("policy").str.join(", "))
