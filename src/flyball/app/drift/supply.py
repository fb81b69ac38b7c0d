"""Signs of a broken supply between two tables: what the world does not do by itself, read off the counts.

The monitor's rules where counts and ranges are enough for them. What needs the rows, or windows that tell what is
usual (another unit, repeated rows), is the monitor's alone. A freeze is told against the reference's many values.
"""

from typing import Literal

from flyball.app.drift.comparable import Column
from flyball.core.release import Baseline, Reference
from flyball.core.service import Quality
from flyball.core.watching import PaneGroup, QualityFinding
from flyball.monitor.extents import Extent
from flyball.monitor.quality import findings, type_changed
from flyball.monitor.quality.rows import ENOUGH_ROWS, FENCE
from flyball.stats.binning.fences import strangers

LIMITS = Quality()


def supply(column: Column) -> tuple[QualityFinding, ...]:
    """What is wrong with the supply of a column that both tables have."""
    pair = column.pair
    if pair is None or pair.kind == "unsupported" or column.kind == "time":
        return ()
    before, now = pair.reference, pair.current
    rows = sum(now.counts)
    if min(sum(before.counts), rows) < ENOUGH_ROWS:
        return ()
    kind: Literal["numeric", "category"] = "numeric" if pair.kind == "numeric" else "category"
    reference = Reference(kind=kind, edges=pair.edges, values=pair.values, counts=before.counts)
    group = PaneGroup(arm="current", release="reference", rows=rows, features={pair.name: now.counts})
    baseline = Baseline(rows=sum(before.counts), features={pair.name: reference}, prediction={})
    reach = Extent(n=now.n, low=now.low or 0.0, high=now.high or 0.0, total=(now.mean or 0.0) * now.n)
    known = before.unparsed / sum(before.counts)
    found = [
        *findings(group, baseline, {pair.name: reach}, {}, LIMITS),
        type_changed(pair.name, now.unparsed, rows, limit=known + LIMITS.max_type_changes),
        _froze(column),
        _between(column),
        _infinite(column) or _out_of_range(column),
    ]
    return tuple(finding for finding in found if finding is not None)


def _froze(column: Column) -> QualityFinding | None:
    """Several values in the reference, one now."""
    assert column.pair is not None
    before, now = column.pair.reference, column.pair.current
    if column.pair.kind == "numeric":
        alive = before.n > 0 and before.low != before.high
        frozen = now.n > 0 and now.low == now.high and now.n == sum(now.counts[:-1])
    else:
        alive = sum(1 for rows in before.counts[:-1] if rows) > 1
        frozen = sum(1 for rows in now.counts[:-2] if rows) == 1 and not now.counts[-2]
    if not alive or not frozen:
        return None
    detail = f"{column.name} has several values in the reference and one now"
    return QualityFinding(kind="now_constant", feature=column.name, value=1.0, limit=1.0, detail=detail)


def _between(column: Column) -> QualityFinding | None:
    """A number of few values has others now, between those."""
    assert column.pair is not None
    share = strangers(column.pair.reference.counts, column.pair.current.counts) if column.kind == "number" else None
    if share is None or share <= LIMITS.max_unseen:
        return None
    detail = f"{share:.1%} of {column.name} lies between the few values that the reference has"
    return QualityFinding(
        kind="unknown_values", feature=column.name, value=share, limit=LIMITS.max_unseen, detail=detail
    )


def _infinite(column: Column) -> QualityFinding | None:
    """Infinite values, where the reference had none: as far outside of its range as can be."""
    assert column.pair is not None
    before, now = column.pair.reference, column.pair.current
    share = (now.neg_inf + now.pos_inf) / max(1, sum(now.counts[:-1]))
    if before.neg_inf + before.pos_inf or share <= LIMITS.max_out_of_range:
        return None
    return QualityFinding(
        kind="out_of_range",
        feature=column.name,
        value=share,
        limit=LIMITS.max_out_of_range,
        detail=f"{share:.1%} of {column.name} is infinite, and nothing was in the reference",
    )


def _out_of_range(column: Column) -> QualityFinding | None:
    """More than chance lies outside of all that the reference had, and some of it far outside."""
    assert column.pair is not None
    before, now = column.pair.reference, column.pair.current
    if before.low is None or before.high is None or now.low is None or now.high is None or before.low == before.high:
        return None
    present = sum(now.counts[:-1])
    share = (now.counts[0] + now.counts[-2]) / present
    ranges = max(now.high - before.high, before.low - now.low) / (before.high - before.low)
    if share <= LIMITS.max_out_of_range or ranges <= FENCE:
        return None
    return QualityFinding(
        kind="out_of_range",
        feature=column.name,
        value=share,
        limit=LIMITS.max_out_of_range,
        detail=f"{share:.1%} of {column.name} lies outside of its range in the reference, by up to {ranges:.3g} ranges",
    )
