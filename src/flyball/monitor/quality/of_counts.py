"""Signs of a broken supply, which must be told from drift before anybody retrains on rubbish.

The world drifts; it does not switch a dead column on, freeze a living one, change its unit, mix columns up or lose a
tenth of its values from one day to the next. Each rule names what it saw and the limit it passed. Three of them need
care not to fire on honest data:
- a feature that follows the calendar is constant within a window by nature, so `now_constant` asks that it varied in
  each of the last windows of this release;
- a rare value that the baseline happened to miss is no switch, so `was_constant` asks for a share of the window;
- two columns that look alike may take each other's shape by drift, so `columns_mixed` asks for two at once, and for
  columns of many values: three codes have hardly a shape to be known by.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from flyball.core.release import Baseline, Reference
from flyball.core.service import Psi, Quality
from flyball.core.watching import PaneGroup, QualityFinding
from flyball.monitor.drift import psi_of
from flyball.monitor.extents import Extent
from flyball.stats.binning.fences import is_fence
from flyball.stats.two_sample.divergences import psi

ENOUGH_ROWS = 100  # below this a share says little
SWITCHED_ON = 0.05  # share of a window away from a baseline's only value
VARIED_WINDOWS = 3  # in a row, before a constant window is strange
COLLAPSED = 0.01  # of the baseline's range: as good as constant
FAR = 10.0  # ranges of the baseline beyond its end
MIXED_COLUMNS = 2  # at once
TOLD_RULES = 3  # of those that rows break, in words
SHAPE_BINS = 6  # that hold rows of a baseline, from which a column is known by its shape

Columns = Mapping[str, npt.NDArray[np.float64]]


def findings(
    group: PaneGroup,
    baseline: Baseline,
    extents: Mapping[str, Extent],
    varied: Mapping[str, int],
    limits: Quality,
) -> tuple[QualityFinding, ...]:
    """What is wrong with the supply of this window, from its counts.

    Args:
        group: counts of the window, on the baseline's bins.
        extents: of its numeric features.
        varied: windows in a row, before this one, in which the feature took several values.
    """
    found = [_violations(group, limits)]
    for name, counts in group.features.items():
        if sum(counts) < ENOUGH_ROWS:
            continue
        reference, reach = baseline.features[name], extents.get(name, Extent())
        found += [
            _missing(name, counts, reference, limits),
            _was_constant(name, counts, reference),
            _now_constant(name, counts, reference, reach, varied.get(name, 0)),
            _unknown_values(name, counts, reference, limits),
            _far_outside(name, counts, reference, reach),
        ]
    return tuple(finding for finding in found if finding is not None)


def varies(counts: tuple[int, ...], reference: Reference, reach: Extent) -> bool:
    """Whether the feature took several values in a window."""
    if reference.kind == "numeric" and reach.n:
        return reach.high - reach.low > COLLAPSED * _range(reference)
    return sum(1 for rows in counts[:-1] if rows) > 1


def mixed_columns(columns: Columns, group: PaneGroup, baseline: Baseline, limits: Psi) -> tuple[QualityFinding, ...]:
    """Columns that left their own baseline and fit that of another one: a mapping has slipped.

    Args: columns: the window's numeric features, shape [rows] each.
    """
    numeric = [
        name
        for name in columns
        if baseline.features[name].kind == "numeric" and _held(baseline.features[name]) >= SHAPE_BINS
    ]
    strange = [name for name in numeric if psi_of(baseline.features[name].counts, group.features[name]) > limits.act]
    found = []
    for name in strange if len(strange) >= MIXED_COLUMNS else ():
        fits = {other: _fit(columns[name], baseline.features[other]) for other in numeric if other != name}
        best = min(fits, key=lambda other: fits[other], default=None)
        if best is not None and fits[best] < limits.warn:
            found.append(
                QualityFinding(
                    kind="columns_mixed",
                    feature=name,
                    value=fits[best],
                    limit=limits.warn,
                    detail=f"{name} left its own baseline and looks like {best} (PSI {fits[best]:.3g})",
                )
            )
    return tuple(found) if len(found) >= MIXED_COLUMNS else ()


def _fit(values: npt.NDArray[np.float64], reference: Reference) -> float:
    at = np.searchsorted(np.asarray(reference.edges), values, side="right")
    at[np.isnan(values)] = len(reference.edges) + 1
    return psi(reference.counts, np.bincount(at, minlength=len(reference.edges) + 2), smoothing=0.5)


def _violations(group: PaneGroup, limits: Quality) -> QualityFinding | None:
    share = group.violations / group.rows if group.rows else 0.0
    if group.rows < ENOUGH_ROWS or share <= limits.max_violations:
        return None
    return QualityFinding(
        kind="violations",
        value=share,
        limit=limits.max_violations,
        detail=f"{group.violations} of {group.rows} rows break the data contract" + _mostly(group.broken),
        rules={rule: rows / group.rows for rule, rows in group.broken.items()},
    )


def _mostly(broken: Mapping[str, int]) -> str:
    """The rules that most of them broke, in words."""
    most = sorted(broken.items(), key=lambda pair: (-pair[1], pair[0]))[:TOLD_RULES]
    return f" ({', '.join(f'{rule}: {rows}' for rule, rows in most)})" if most else ""


def _missing(name: str, counts: tuple[int, ...], reference: Reference, limits: Quality) -> QualityFinding | None:
    now, before = counts[-1] / sum(counts), _share_missing(reference)
    if now - before <= limits.max_missing:
        return None
    return QualityFinding(
        kind="missing",
        feature=name,
        value=now,
        limit=before + limits.max_missing,
        detail=f"{now:.1%} of {name} is missing, {before:.1%} in the baseline",
    )


def _was_constant(name: str, counts: tuple[int, ...], reference: Reference) -> QualityFinding | None:
    only = _only_value(reference)
    present = sum(counts[:-1])
    if sum(reference.counts) and not sum(reference.counts[:-1]):
        elsewhere, had, other = present / sum(counts), "no value", "one"
    elif only is not None and present:
        elsewhere, had, other = 1 - counts[only] / present, "one value", "another"
    else:
        return None
    if elsewhere <= SWITCHED_ON:
        return None
    return QualityFinding(
        kind="was_constant",
        feature=name,
        value=elsewhere,
        limit=SWITCHED_ON,
        detail=f"{name} had {had} in the baseline, now {elsewhere:.1%} of the rows have {other}",
    )


def _now_constant(
    name: str, counts: tuple[int, ...], reference: Reference, reach: Extent, varied: int
) -> QualityFinding | None:
    usual = _only_value(reference) is not None  # a baseline of one value: back to it is no news
    if usual or varied < VARIED_WINDOWS or not sum(counts[:-1]) or varies(counts, reference, reach):
        return None
    return QualityFinding(
        kind="now_constant",
        feature=name,
        value=1.0,
        limit=1 - COLLAPSED,
        detail=f"{name} varied in each of the last {varied} windows and has one value now",
    )


def _unknown_values(name: str, counts: tuple[int, ...], reference: Reference, limits: Quality) -> QualityFinding | None:
    if reference.kind != "category" or not sum(reference.counts):
        return None
    now, before = counts[-2] / sum(counts), reference.counts[-2] / sum(reference.counts)
    if now - before <= limits.max_unseen:
        return None
    return QualityFinding(
        kind="unknown_values",
        feature=name,
        value=now,
        limit=before + limits.max_unseen,
        detail=f"{now:.1%} of {name} has a value that the baseline hardly knows",
    )


def _far_outside(name: str, counts: tuple[int, ...], reference: Reference, reach: Extent) -> QualityFinding | None:
    width = _range(reference)
    if reference.kind != "numeric" or width <= 0 or not reach.n:
        return None
    ranges = max(reach.mean - reference.edges[-1], reference.edges[0] - reach.mean) / width
    if ranges <= FAR or max(counts[0], counts[-2]) < 0.99 * sum(counts[:-1]):
        return None
    return QualityFinding(
        kind="far_outside",
        feature=name,
        value=ranges,
        limit=FAR,
        detail=f"{name} lies {ranges:.3g} ranges of the baseline beyond its end: another unit?",
    )


def _held(reference: Reference) -> int:
    """Bins that hold values of the baseline."""
    return sum(1 for rows in reference.counts[:-1] if rows)


def _only_value(reference: Reference) -> int | None:
    """The bin of the only value that the baseline holds, or None where it holds several or no values."""
    used = [at for at, rows in enumerate(reference.counts[:-1]) if rows]
    if len(used) != 1:
        return None
    if reference.kind == "numeric" and not reference.edges:
        return None  # all that it holds is infinite
    ends = reference.edges[:1] + reference.edges[-1:]
    if reference.kind == "numeric" and len(reference.edges) > 1 and not is_fence(*ends):
        return None  # one bin of mass, yet of several values
    return used[0]


def _range(reference: Reference) -> float:
    return reference.edges[-1] - reference.edges[0] if len(reference.edges) > 1 else 0.0


def _share_missing(reference: Reference) -> float:
    total = sum(reference.counts)
    return reference.counts[-1] / total if total else 0.0
