"""The book of realised figures of one service: every window whose labels may still change, and the last ones that are
settled.

A label costs the same whenever it comes: it is found by id, its row's codes are there, and the integers of its window
change. A window is settled when none of its panes is held any more, so that no label can find it: it is told a last
time and its counts are let go.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from msgspec.structs import replace

from flyball.core.contract import DataContract
from flyball.core.realised import LabelState, RealisedWindow
from flyball.core.release import Baseline
from flyball.core.service import Service
from flyball.core.watching import Pane
from flyball.monitor.labels import Arrivals, Event, HeldPane
from flyball.monitor.realised import coding
from flyball.monitor.realised.coding import CodedPane, Owner
from flyball.monitor.realised.counting import add_rows, by_pane, put
from flyball.monitor.realised.examples import examples
from flyball.monitor.realised.forms import Known, known
from flyball.monitor.realised.labelled_rows import LabelledRows
from flyball.monitor.realised.maturity import Cohorts, maturity, points
from flyball.monitor.realised.slices import Slicer, slicer
from flyball.monitor.realised.tally import Floats, Ints
from flyball.monitor.realised.window import WindowTallies
from flyball.stats.product_limit import ProductLimit

SETTLED = 200  # windows whose last word is kept
MOST_TOLD = 3  # windows in one report that may be compared only now
MOST_REVISED = 1  # and that were told before and have changed since
_BATCH = 4096  # rows counted at once, so that sums of codes stay exact


@dataclass(kw_only=True)
class RealisedBook:
    """Give it every pane and every change of a label; ask it when a window is full."""

    service: Service
    contract: DataContract
    baseline_of: Callable[[str], Baseline]  # of a release
    worth: Mapping[str, float] | None = None  # what rows are worth, by the declared `on`, where a table says it
    cohorts: Cohorts = field(default_factory=Cohorts)
    _slicer: Slicer = field(init=False)
    _personal: frozenset[str] = field(init=False)
    _known: dict[str, Known] = field(default_factory=dict)
    _panes: dict[int, CodedPane] = field(default_factory=dict)  # by number in `cohorts`
    _number: dict[int, int] = field(default_factory=dict)  # first row of a held pane -> its number
    _windows: deque[WindowTallies] = field(default_factory=deque)
    _settled: deque[RealisedWindow] = field(default_factory=lambda: deque(maxlen=SETTLED))
    _untold: deque[WindowTallies] = field(default_factory=deque)  # complete, not comparable when last asked
    _revised: dict[int, WindowTallies] = field(default_factory=dict)  # by first row: changed since they were told
    _last_curve: tuple[tuple[float, int], ProductLimit] | None = None
    _first: int = 0  # number of the oldest window that is not settled

    def __post_init__(self) -> None:
        self._slicer = slicer(self.service.monitor.slices, self.contract)
        self._personal = frozenset(column.name for column in self.contract.columns if column.personal)

    def pane(self, held: HeldPane, pane: Pane, *, release: str, index: int) -> None:
        """A pane of predictions more. Args: release: champion. index: of the running window."""
        window = self._running(pane, release, index)
        owners, owner = coding.owners_of(held)
        if not owners:
            return
        number = self.cohorts.add(int(np.count_nonzero(owner >= 0)), pane.end)
        task, of = self.service.experiment.task, [self._of(each) for _, each in owners]
        declared, classes = self.service.monitor.value, {each.form.classes for each in of}
        coded = CodedPane(
            held=held,
            window=self._first + len(self._windows) - 1,
            owners=owners,
            owner=owner,
            arrived=held.frame["at"].to_numpy(),
            answer=coding.answers_of(held.frame, owner, of, task),
            scores=coding.scores_of(held.frame, of[0].form.classes, task) if len(classes) == 1 else None,
            slices=self._slicer.codes(held.frame, self.baseline_of(release)) if self._slicer.declared else (),
            worth=self._worth(held) if declared is not None and declared.column is not None else None,
        )
        self._panes[number] = coded
        self._number[held.first_row] = number
        window.panes.append(number)
        for at, each in enumerate(owners):
            mine = owner == at
            window.rows[each] = window.rows.get(each, 0) + int(np.count_nonzero(mine))
            for codes in coded.slices:
                add_rows(window.slice_rows, each, codes[mine])

    def labels(self, events: Sequence[Event]) -> None:
        """What labels did to rows."""
        for part in by_pane(events):
            number = self._number.get(part[0][0].first_row)
            if number is None:
                continue
            for start in range(0, len(part), _BATCH):
                _, places, values, first, signs = zip(*part[start : start + _BATCH], strict=True)
                if signs.count(1) == len(signs):
                    self._count(number, places, values, first, 1, again=False)
                    continue
                for sign in (-1, 1):
                    mine = [at for at, each in enumerate(signs) if each == sign]
                    columns = ([column[at] for at in mine] for column in (places, values, first))
                    if mine:
                        at, value, first_at = columns
                        self._count(number, at, value, first_at, sign, again=True)

    def complete(self) -> None:
        """The running window is full."""
        if self._windows and not self._windows[-1].complete:
            self._windows[-1].complete = True
            self._untold.append(self._windows[-1])

    def told(self, now: float) -> tuple[RealisedWindow, ...]:
        """The window that was completed last, those whose figures may be compared only now, and newest first those
        that labels have changed since they were told; in the order of their rows."""
        curve = self._curve(now)
        found: list[RealisedWindow] = []
        while self._untold and len(found) < MOST_TOLD:
            each = self._tell(self._untold[0], curve, now)
            if each.maturity.standing == "immature":
                break
            found.append(each)
            self._untold.popleft().was_told = True
        for first in sorted(self._revised, reverse=True)[:MOST_REVISED]:
            found.append(self._tell(self._revised.pop(first), curve, now))
        newest = next((window for window in reversed(self._windows) if window.complete), None)
        if newest is not None and all(each.first_row != newest.first_row for each in found):
            found.append(self._tell(newest, curve, now))
        return tuple(sorted(found, key=lambda each: each.first_row))

    def windows(self, now: float, *, last: int | None = None) -> tuple[RealisedWindow, ...]:
        """Every window in the book as it stands now, oldest first; the newest `last` of them."""
        curve = self._curve(now)
        open_ones = list(self._windows)[-last:] if last else list(self._windows)
        settled = list(self._settled)[-(last - len(open_ones)) :] if last else list(self._settled)
        if last and len(open_ones) >= last:
            settled = []
        return (*settled, *(self._tell(window, curve, now) for window in open_ones))

    def label_state(self, total: Arrivals, waiting: int, now: float) -> LabelState:
        """The stream of labels. Args: total: since the beginning. waiting: labels without a prediction."""
        curve = self._curve(now)
        return LabelState(
            new=total.new,
            duplicate=total.duplicate,
            corrected=total.corrected,
            outdated=total.outdated,
            unmatched=total.unmatched,
            invalid=total.invalid,
            before_prediction=self.cohorts.before_prediction,
            forgotten=total.forgotten,
            waiting=waiting,
            curve=points(curve),
            p50_s=curve.quantile(0.50),
            p90_s=curve.quantile(0.90),
            p99_s=curve.quantile(0.99),
        )

    def forget(self, oldest_row: int, now: float) -> None:
        """Settle the windows whose rows lie before the oldest row that is held."""
        while len(self._windows) > 1 and self._windows[0].last_row < oldest_row:
            window = self._windows.popleft()
            self._settled.append(self._tell(window, self._curve(now), now))
            self._first += 1
            self._revised.pop(window.first_row, None)
            for number in window.panes:
                self._number.pop(self._panes.pop(number).held.first_row, None)
            if self._untold and self._untold[0] is window:
                self._untold.popleft()

    def labelled_rows(self, held: HeldPane) -> LabelledRows | None:
        """A pane row by row; None: it is not in the book any more."""
        pane = self._panes.get(self._number.get(held.first_row, -1))
        return None if pane is None else LabelledRows(pane, self._of, self.service.monitor.value, self._slicer.names)

    def _curve(self, now: float) -> ProductLimit:
        asked = (now, self.cohorts.version)
        if self._last_curve is None or self._last_curve[0] != asked:
            self._last_curve = (asked, self.cohorts.curve(now))
        return self._last_curve[1]

    def _running(self, pane: Pane, release: str, index: int) -> WindowTallies:
        last = self._windows[-1] if self._windows else None
        if last is None or last.complete or (last.release, last.index) != (release, index):
            last = WindowTallies(
                index=index,
                release=release,
                first_row=pane.first_row,
                last_row=pane.last_row,
                start=pane.start,
                end=pane.end,
            )
            self._windows.append(last)
        last.last_row, last.end = max(last.last_row, pane.last_row), max(last.end, pane.end)
        return last

    def _count(
        self,
        number: int,
        places: Sequence[int],
        values: Sequence[Any],
        first_at: Sequence[float],
        sign: int,
        *,
        again: bool,
    ) -> None:
        """Args: sign: 1 puts in, -1 takes out. again: some of these rows had a label before."""
        coded = self._panes[number]
        window = self._windows[coded.window - self._first]
        if window.was_told:
            self._revised[window.first_row] = window
        rows = np.array(places, dtype=np.int64)
        owner = coded.owner[rows]
        for at, each in enumerate(coded.owners):
            mine = np.flatnonzero(owner == at)
            if not mine.size:
                continue
            whole = mine.size == rows.size
            labels = values if whole else [values[one] for one in mine.tolist()]
            delays = np.array(first_at)[mine] - coded.arrived[rows[mine]]
            bins = self.cohorts.arrive(number, delays, sign)
            window.revision += mine.size if sign > 0 else 0
            self._of_owner(window, number, each, rows[mine], labels, bins, sign, again=again)

    def _of_owner(
        self,
        window: WindowTallies,
        number: int,
        owner: Owner,
        rows: Ints,
        labels: Sequence[Any],
        bins: Ints,
        sign: int,
        *,
        again: bool,
    ) -> None:
        coded, of = self._panes[number], self._of(owner[1])
        whole = coding.batch(coded, rows, labels, of, self.service.monitor.value)
        put(window.tallies, owner, bins, whole, of, sign)
        for codes in coded.slices:
            put(window.sliced, owner, codes[rows], whole, of, sign)
        # the label that stands decides, for one batch may put several labels in and take them out again
        standing = [coded.held.labels[at] for at in rows.tolist()] if again else labels
        wrong = coding.losses(coding.batch(coded, rows, standing, of, None) if again else whole)
        failing = window.failing.setdefault(owner, {})
        for at in np.flatnonzero(wrong > 0).tolist():
            failing[number, int(rows[at])] = float(wrong[at])
        if again:
            for at in np.flatnonzero(~(wrong > 0)).tolist():
                failing.pop((number, int(rows[at])), None)

    def _tell(self, window: WindowTallies, curve: ProductLimit, now: float) -> RealisedWindow:
        standing, weights = maturity(
            curve,
            age_s=now - window.end,
            rows=sum(window.rows.values()),
            labelled=window.labelled(),
            label_window_s=self.service.data.label_window_s,
        )
        last = window.last
        stands = (window.revision, standing.standing)
        # weights and reasons change with time, counts do not
        if last is not None and stands[1] in ("waited", "mature") and stands == (last.revision, last.maturity.standing):
            return replace(last, maturity=standing, complete=window.complete)
        window.last = window.told(
            standing,
            weights,
            self._of,
            self._slicer.names,
            lambda owner: examples(
                window.failing.get(owner, {}),
                self._panes,
                most=self.service.monitor.examples,
                task=self.service.experiment.task,
                personal=self._personal,
                label=self.service.data.label,
            ),
        )
        return window.last

    def _of(self, release: str) -> Known:
        if release not in self._known:
            valued = self.service.monitor.value is not None
            self._known[release] = known(self.baseline_of(release), self.service.experiment.task, valued=valued)
        return self._known[release]

    def _worth(self, held: HeldPane) -> Floats | None:
        declared = self.service.monitor.value
        if self.worth is not None and declared is not None and declared.on is not None:
            return coding.joined(held.frame, declared.on, self.worth)
        found = coding.worth_of(held.frame, declared.column) if declared and declared.column else None
        return np.full(held.frame.height, np.nan) if found is None else found
