"""What changed in a column, and what that means, in sentences that need no statistics."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from flyball.app.drift.comparable import Column
from flyball.app.drift.course import Course
from flyball.app.drift.course_words import change_told, risk_told
from flyball.app.drift.judged import Feature, Limits, Report
from flyball.app.drift.pair import New
from flyball.app.drift.words_plain import columns_and, plain, shortened
from flyball.monitor.compat.pair import Beside
from flyball.stats.binning.bins import MISSING, OTHER
from flyball.stats.two_sample.compare import Reading
from flyball.stats.two_sample.divergences import shares

MOVED = 0.01  # p below which a column has moved, by however little
ONE_SIDED = 0.8  # share of the shift that goes one way, from which on values "are larger"

Shares = npt.NDArray[np.float64]


def summary(report: Report, went: Course) -> tuple[str, ...]:
    """The whole comparison, one sentence each."""
    features = report.features
    named = report.drifted
    found = {verdict: sum(1 for each in features if each.verdict is verdict) for verdict in Reading}
    judged = len(features) - found[Reading.INVALID]
    first = f"{len(named)} of {columns_and(judged)} drifted" + (f": {_list(named)}." if named else ".")
    told = [first, *change_told(went), *risk_told(went)]
    if found[Reading.INSUFFICIENT]:
        told.append(f"Of {found[Reading.INSUFFICIENT]} there are too few rows to say so or to deny it.")
    if found[Reading.INVALID]:
        told.append(f"{found[Reading.INVALID]} could not be compared; each says why.")
    if broken := sum(1 for each in features if each.quality):
        told.append(f"The supply of {columns_and(broken)} looks broken, which is no drift: look there first.")
    if named:
        told.append(
            "Expect at most 1 false name in 20. (Method: e-BH over "
            f"{columns_and(report.compared)}, whatever they have to do with each other.)"
        )
        labels = "" if went.unit else ", then let labels say whether the model is worse"
        told.append(f"Drift is no loss yet: ask where it comes from{labels}.")
    return tuple(told)


def changed(feature: Feature) -> str:
    """What is different in this column."""
    column = feature.column
    if feature.on_rows:
        return f"Rows as wholes, on a sample of each table: {feature.deciding.reason}."
    if feature.verdict is Reading.INVALID or column.reference is None or column.current is None:
        return f"Not compared: {feature.deciding.reason}."
    if not column.reference.sum() or not column.current.sum():
        return "One side has no rows."
    p, q = shares(column.reference, column.current)
    if int(np.count_nonzero((column.reference + column.current) > 0)) < 2:
        return "All rows of both sides have the same value."
    deciding = feature.deciding
    if feature.verdict is Reading.OK and deciding.p is not None and deciding.p > MOVED:
        return " ".join(["No difference that chance does not explain.", *_more(column, mean=False)])
    more = list(_more(column))
    told = f"{_direction(feature, p, q)}{_moves(column.labels, p, q)}"
    stored = [each for each in more if each.startswith("Stored as")]
    return " ".join([*stored, told, *(each for each in more if each not in stored)])


def meaning(feature: Feature, limits: Limits) -> str:
    """What to make of it."""
    deciding, column = feature.deciding, feature.column
    if feature.verdict is Reading.INVALID:
        return "It says nothing about drift, in either direction."
    if feature.verdict is Reading.INSUFFICIENT:
        if deciding.ci and deciding.p is not None and deciding.p < MOVED and (deciding.value or 0.0) > limits.warn:
            low, high = deciding.ci
            return f"It has moved, by {low:.2g} to {high:.2g}; whether beyond {limits.warn:g} takes more rows to tell."
        least = f" A {deciding.measure} of {deciding.mde:.2g} would be seen." if deciding.mde else ""
        return f"Not enough rows to tell a change from chance: this is no all-clear.{least}"
    if feature.verdict is Reading.OK:
        if deciding.reason.startswith("constant"):
            return "It is constant."
        if feature.on_rows:
            return "The sample shows no such difference of rows."
        return f"Not above {limits.of(deciding.measure):g} over all rows: {deciding.reason}."
    if feature.on_rows:
        area = feature.measures["domain_classifier"].value
        told = (
            ""
            if area is None
            else f" A classifier tells the tables apart with a ROC area of {area:.2f} (0.5: not at all)."
        )
        return f"The rows lie elsewhere, whatever the single columns say.{told}"
    assert column.reference is not None
    assert column.current is not None
    p, q = shares(column.reference, column.current)
    most = int(np.argmax(q - p))
    largest = column.labels[most]
    if largest == MISSING:
        return "Values have gone missing. The world rarely does that: look at the supply before the model."
    if largest == OTHER:
        return "Values that the reference hardly knows have come in: new categories, or another spelling."
    if not column.reference[most]:
        return "Values that the reference never had have come in: another unit, code or meaning, or a broken supply."
    if _froze(column):
        return "It has one value now. A living column that freezes is rather a broken supply than drift."
    band = "a large change" if (deciding.value or 0.0) > limits.act else "a change worth a look"
    return f"{deciding.measure} {deciding.value:.2g} is {band}; a model that leans on this column sees other rows now."


def _froze(column: Column) -> bool:
    """Whether all rows have one value now, and not only one bin; in the reference they did not."""
    assert column.reference is not None
    assert column.current is not None
    now = column.pair.current if column.pair is not None else None
    alike = now is None or column.kind == "category" or now.low == now.high
    return alike and bool(np.count_nonzero(column.current) == 1 and np.count_nonzero(column.reference) > 1)


def broken(feature: Feature) -> str:
    """What of its supply looks broken; empty where nothing does."""
    return " ".join(f"Supply ({each.kind}): {each.detail}." for each in feature.quality)


def limit(answer: Beside) -> str:
    """Where another tool's number becomes drift."""
    if answer.limit is None:
        return "no limit"
    if isinstance(answer.limit, tuple):
        return f"outside {answer.limit[0]:.2g}..{answer.limit[1]:.2g}"
    return f"{'below' if answer.is_p else 'from'} {answer.limit:g}"


def _more(column: Column, *, mean: bool = True) -> Iterator[str]:
    """What bins do not show."""
    if column.pair is None:
        return
    before, now = column.pair.reference, column.pair.current
    if before.dtype != now.dtype:
        yield f"Stored as {before.dtype} before, {now.dtype} now."
    if mean and column.kind == "number" and before.mean is not None and now.mean is not None:
        yield f"The mean went from {plain(before.mean)} to {plain(now.mean)}."
    if column.new is not None:
        yield _new(column.new, sum(now.counts), persons=column.persons)
    infinite = before.neg_inf + before.pos_inf, now.neg_inf + now.pos_inf
    if any(infinite):
        yield f"Infinite values: {infinite[0]:,} before, {infinite[1]:,} now."
    if before.unparsed or now.unparsed:
        yield f"No number, and counted as missing: {before.unparsed:,} values before, {now.unparsed:,} now."


def _new(new: New, rows: int, *, persons: bool) -> str:
    """Which categories the reference never had."""
    count = f"{'more than ' if new.more else ''}{new.count:,}"
    verb = "is" if new.count == 1 else "are"
    what = f"{count} new {'value' if new.count == 1 else 'values'} in {new.rows / rows:.1%} of the rows"
    if persons:
        return f"There {verb} {what}, not named as the column seems to speak of persons."
    names = [f"“{shortened(value)}” {found / rows:.1%}" for value, found in new.named]
    rest = f" and {new.count - len(names):,} more" if new.count > len(names) else ""
    return f"There {verb} {what}: {', '.join(names)}{rest}."


def _direction(feature: Feature, p: Shares, q: Shares) -> str:
    if feature.column.kind == "category":
        return ""
    p, q = p[:-1], q[:-1]
    if not p.sum() or not q.sum():
        return ""
    gaps = (np.cumsum(p / p.sum()) - np.cumsum(q / q.sum()))[:-1]
    size = np.abs(gaps).sum()
    if size and abs(gaps.sum()) >= ONE_SIDED * size:
        way = ("larger", "later") if gaps.sum() > 0 else ("smaller", "earlier")
        return f"Values are {way[feature.column.kind == 'time']}: "
    return "Values are spread in another way: "


def _moves(labels: tuple[str, ...], p: Shares, q: Shares) -> str:
    up, down = int(np.argmax(q - p)), int(np.argmin(q - p))
    if up == down:
        return "the shares of all bins are the same."
    return ", ".join(f"{_named(labels[at])} {p[at]:.1%} → {q[at]:.1%}" for at in (up, down)) + "."


def _named(label: str) -> str:
    return shortened(label) if label in (MISSING, OTHER) else f"“{shortened(label)}”"


def _list(names: tuple[str, ...]) -> str:
    shown = ", ".join(shortened(name) for name in names[:12])
    return shown if len(names) <= 12 else f"{shown} and {len(names) - 12} more"
