"""The tallies of one window, by arm and slice, and how it is told once its labels are in."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from flyball.core.realised import Example, Figure, Maturity, RealisedGroup, RealisedWindow
from flyball.monitor.realised.coding import Owner
from flyball.monitor.realised.figures import METRICS, figures, per_class, unknown_labels
from flyball.monitor.realised.forms import Known
from flyball.monitor.realised.tally import Form, Tally
from flyball.monitor.realised.views import View, view

CONFIDENCE = 0.95
Row = tuple[int, int]  # pane of the book, and place in it


@dataclass(kw_only=True, eq=False)
class WindowTallies:
    """All that is known of one window so far."""

    index: int
    release: str
    first_row: int
    last_row: int
    start: float
    end: float
    complete: bool = False
    was_told: bool = False  # with figures
    last: RealisedWindow | None = None  # as it was told last
    revision: int = 0
    rows: dict[Owner, int] = field(default_factory=dict)
    slice_rows: dict[tuple[Owner, int], int] = field(default_factory=dict)
    tallies: dict[tuple[Owner, int], Tally] = field(default_factory=dict)  # by delay bin of the label
    sliced: dict[tuple[Owner, int], Tally] = field(default_factory=dict)  # by number of the slice
    failing: dict[Owner, dict[Row, float]] = field(default_factory=dict)  # how wrong, of those that are wrong
    panes: list[int] = field(default_factory=list)  # of the book

    def labelled(self) -> dict[int, int]:
        """Labelled rows by delay bin, all arms together."""
        found: dict[int, int] = {}
        for (_, at), tally in sorted(self.tallies.items(), key=lambda each: each[0][1]):
            found[at] = found.get(at, 0) + tally.labelled
        return found

    def told(
        self,
        maturity: Maturity,
        weights: Mapping[int, float],
        known: Callable[[str], Known],
        names: Sequence[str],
        examples: Callable[[Owner], tuple[Example, ...]],
    ) -> RealisedWindow:
        """As a record. Args: weights: of a label of each delay bin. names: of the slices, by number."""
        groups: list[RealisedGroup] = []
        slices = sorted(self.slice_rows)
        waiting = f"labels are still coming: {maturity.reason}"
        for owner in sorted(self.rows):
            form = known(owner[1]).form
            if maturity.standing == "immature":
                labelled = sum(tally.labelled for (whose, _), tally in self.tallies.items() if whose == owner)
                groups.append(_waiting(form, owner, "", (self.rows[owner], labelled), CONFIDENCE, waiting))
                continue
            parts = [
                (weights.get(at, 1.0), tally)
                for (whose, at), tally in sorted(self.tallies.items(), key=lambda each: each[0])
                if whose == owner
            ]
            of = view([part for part in parts if part[0] > 0], form)
            groups.append(_group(of, owner, "", self.rows[owner], CONFIDENCE, examples(owner)))
        if maturity.standing == "adjusted":
            waiting = "slices are not weighted by delay: they are told when the window is mature"
        confidence = 1 - (1 - CONFIDENCE) / max(1, len(slices))
        for owner, number in slices:
            form = known(owner[1]).form
            tally, rows = self.sliced.get((owner, number)) or Tally(form=form), self.slice_rows[owner, number]
            if maturity.standing in ("immature", "adjusted"):
                groups.append(_waiting(form, owner, names[number], (rows, tally.labelled), confidence, waiting))
            else:
                groups.append(_group(view([(1.0, tally)], form), owner, names[number], rows, confidence, ()))
        return RealisedWindow(
            index=self.index,
            release=self.release,
            first_row=self.first_row,
            last_row=self.last_row,
            start=self.start,
            end=self.end,
            maturity=maturity,
            complete=self.complete,
            revision=self.revision,
            groups=tuple(groups),
            slices=len(slices),
            comparisons=sum(each.verdict == "OK" for group in groups for each in group.figures),
        )


def _waiting(
    form: Form, owner: Owner, name: str, counts: tuple[int, int], confidence: float, reason: str
) -> RealisedGroup:
    """No figure, and why. Args: counts: rows, and those of them that have a label."""
    names = (*METRICS[form.task], *(("value",) if any(each == "value" for each, _ in form.sums) else ()))
    told = tuple(Figure(metric=each, verdict="INSUFFICIENT", n=counts[1], reason=reason) for each in names)
    arm, release = owner
    return RealisedGroup(
        arm=arm, release=release, rows=counts[0], labelled=counts[1], slice=name, confidence=confidence, figures=told
    )


def _group(
    of: View, owner: Owner, name: str, rows: int, confidence: float, examples: tuple[Example, ...]
) -> RealisedGroup:
    arm, release = owner
    unknown = unknown_labels(of)
    classes = of.form.classes
    cells = of.cells if unknown or (of.form.k and of.cells[:, -1].any()) else of.cells[:-1, :-1]
    return RealisedGroup(
        arm=arm,
        release=release,
        rows=rows,
        labelled=of.labelled,
        slice=name,
        unusable=of.unusable,
        unknown=unknown,
        confidence=confidence,
        figures=figures(of, confidence=confidence),
        classes=(*classes, *(("other",) if cells.shape[0] > of.form.k else ())) if classes else (),
        confusion=tuple(tuple(math.floor(each + 0.5) for each in row) for row in cells.tolist()),
        per_class=per_class(of, confidence=confidence),
        examples=examples,
    )
