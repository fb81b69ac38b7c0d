"""A service's windows over time: what each measured, as a page with a picture of PSI and risk."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from flyball.app.monitor.standing import WindowStanding, drifted, window_standing
from flyball.app.monitor.words import told
from flyball.core.errors import Unavailable
from flyball.core.ids import short
from flyball.core.record import Record
from flyball.core.seen_windows import SeenWindow

MOST_LINES = 8  # features in the picture, those with the largest PSI anywhere in the span
WIDTH, HEIGHT = 900, 340  # of the picture, CSS pixels
RISK = "worse than promised by"
BY = {"labels": [1, 0], "estimated": [5, 4]}  # dashes of the line
COLOURS = ("#2a5d8f", "#b5651d", "#2c7a4b", "#8e44ad", "#8a5a00", "#a3231f", "#0b7285", "#5c5f66")


class History(Record):
    """The answer of `flyball monitor history`."""

    service: str
    windows: tuple[WindowStanding, ...]  # oldest first


def history(service: str, seen: Sequence[SeenWindow]) -> History:
    """The same windows with their verdicts."""
    return History(service=service, windows=tuple(map(window_standing, seen)))


def cells(each: WindowStanding) -> tuple[str, ...]:
    """One window in the columns of the page's table."""
    report, names = each.report, drifted(each.features)
    largest = f"{each.features[0].name} {each.features[0].psi:.3f}" if each.features else "-"
    others = sorted({s["signal"] for s in report["signals"] if s["signal"] != "psi"})
    return (
        str(report["index"]),
        short(report["release"]),
        f"{each.end[:19]}Z",
        str(report["rows"]),
        largest,
        ", ".join(names) or "-",
        told(report["metric"]),
        told(report["loss"]),
        ", ".join(others) or "-",
    )


def page(found: History, limits: tuple[float, float]) -> str:
    """One self-contained HTML file: the picture, and every window as a table below it.

    Args: limits: PSI at which the service warns and acts.

    Raises: Unavailable: the extra `charts` is not installed.
    """
    from jinja2 import Environment, StrictUndefined

    template = files("flyball.app.monitor").joinpath("history.html.jinja").read_text(encoding="utf-8")
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.from_string(template).render(
        found=found,
        limits=limits,
        picture=picture(found, limits),
        rows=[cells(each) for each in found.windows],
        act=[any(one.level == "act" for one in each.features) for each in found.windows],
    )


def picture(found: History, limits: tuple[float, float]) -> str:
    """SVG text: PSI of the features that moved most on the left axis, what the labels say on the right one.

    Raises: Unavailable: the extra `charts` is not installed.
    """
    try:
        import altair as alt
        import polars as pl
        import vl_convert
    except ImportError as error:
        raise Unavailable("charts need the extra charts", hint="pip install 'flyball[charts]'") from error
    names = _most_moved(found)
    psi = [
        {"at": each.end, "feature": one.name, "psi": one.psi}
        for each in found.windows
        for one in each.features
        if one.name in names
    ]
    clock = alt.Axis(format="%d %b %H:%M", labelOverlap=True)
    x = alt.X("at:T", title="UTC", scale=alt.Scale(type="utc"), axis=clock)
    lines = (
        alt.Chart(pl.DataFrame(psi, schema={"at": pl.String, "feature": pl.String, "psi": pl.Float64}))
        .mark_line(point=len(found.windows) < 60)
        .encode(
            x=x,
            y=alt.Y("psi:Q", title="PSI against the release's baseline"),
            color=alt.Color("feature:N", title=None, sort=names, scale=alt.Scale(domain=names, range=list(COLOURS))),
        )
    )
    bands = (
        alt.Chart(pl.DataFrame({"limit": sorted(set(limits))}))
        .mark_rule(strokeDash=[4, 3], color="#4a5560")
        .encode(y=alt.Y("limit:Q"))
    )
    left = alt.layer(bands, lines)
    risk = _risk(found)
    shown: Any = left
    if risk:
        dash = alt.StrokeDash("by:N", title=None, scale=alt.Scale(domain=list(BY), range=list(BY.values())))
        frame = pl.DataFrame(risk)
        band = (
            alt.Chart(frame).mark_area(opacity=0.15, color="#1b1f24").encode(x=x, y="low:Q", y2="high:Q", detail="by:N")
        )
        line = (
            alt.Chart(frame)
            .mark_line(color="#1b1f24", strokeWidth=2.5)
            .encode(x=x, y=alt.Y("value:Q", title=f"{RISK} (unit of the metric)"), strokeDash=dash)
        )
        shown = alt.layer(left, alt.layer(band, line)).resolve_scale(y="independent")
    svg = vl_convert.vegalite_to_svg(shown.properties(width=WIDTH, height=HEIGHT).to_dict())
    return str(svg)


def _most_moved(found: History) -> list[str]:
    largest: dict[str, float] = {}
    for each in found.windows:
        for one in each.features:
            largest[one.name] = max(one.psi, largest.get(one.name, 0.0))
    return sorted(largest, key=lambda name: (-largest[name], name))[:MOST_LINES]


def _risk(found: History) -> list[dict[str, Any]]:
    """How much worse than promised: where labels gave it, and as it is estimated without them."""
    told_ = [(each.end, "labels", each.report["loss"]) for each in found.windows]
    told_ += [(each.end, "estimated", (each.report["estimated"] or {}).get("loss")) for each in found.windows]
    return [
        {"at": at, "by": by, "value": loss["value"], "low": loss["low"], "high": loss["high"]}
        for at, by, loss in told_
        if loss is not None
    ]
