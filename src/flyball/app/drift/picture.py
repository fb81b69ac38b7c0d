"""The comparison as one SVG: a bar a column over the bands of its limits. Needs the `charts` extra."""

import polars as pl

from flyball.app.drift.judged import Report
from flyball.app.drift.page import band
from flyball.app.drift.words_plain import columns_and, shortened
from flyball.core.errors import Unavailable

MOST = 40  # columns in the picture, the worst; its title says how many there are
COLOURS = {"large": "#a3231f", "some": "#8a5a00", "small": "#2c7a4b", "none": "#6b7580"}  # of the page, by band


def picture(report: Report) -> str:
    """SVG text.

    Raises: Unavailable: the extra is not installed.
    """
    try:
        import altair as alt
        import vl_convert
    except ImportError as error:
        raise Unavailable("charts need the extra: pip install 'flyball[charts]'") from error
    limits, features = report.limits, [each for each in report.features if each.deciding.value is not None]
    rows = [
        {
            "place": f"{place:03d}",
            "column": shortened(each.name),
            "value": each.deciding.value,
            "low": each.deciding.ci[0] if each.deciding.ci else None,
            "high": each.deciding.ci[1] if each.deciding.ci else None,
            "band": band(each, limits),
        }
        for place, each in enumerate(features[:MOST])
    ]
    schema = {"place": pl.String, "column": pl.String, "value": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    table = alt.Chart(pl.DataFrame(rows, schema=schema | {"band": pl.String}))
    names = {f"{place:03d}": shortened(each.name) for place, each in enumerate(features[:MOST])}
    y = alt.Y("place:N", title=None, sort=None, axis=alt.Axis(labelExpr=_lookup(names), labelLimit=0))
    colour = alt.Color("band:N", scale=alt.Scale(domain=list(COLOURS), range=list(COLOURS.values())), title=None)
    bars = table.mark_bar().encode(x=alt.X("value:Q", title=limits.measure), y=y, color=colour)
    spans = table.mark_rule(color="#1b1f24").encode(x="low:Q", x2="high:Q", y=y)
    marks = pl.DataFrame({"limit": [float(limit) for limit in dict.fromkeys((limits.warn, limits.act))]})
    rules = alt.Chart(marks).mark_rule(strokeDash=[4, 3], color="#4a5560").encode(x="limit:Q")
    shown = "" if len(features) <= MOST else f", the worst {MOST} of them shown"
    title = f"{len(report.drifted)} of {columns_and(len(features))} drifted{shown}"
    both = alt.layer(bars, spans, rules).properties(width=640, height=alt.Step(22), title=title)
    return str(vl_convert.vegalite_to_svg(both.to_dict()))


def _lookup(names: dict[str, str]) -> str:
    """An expression of Vega that shows a place's column: two columns may have the same shortened name."""
    import msgspec

    return f"({msgspec.json.encode(names).decode()})[datum.value]"
