"""The failing rows themselves: a bounded sample that does not depend on the order in which labels came.

Of wrong classes those whose hashed id is smallest are shown: a sample of all of them, the same one whenever it is
drawn. Of a regression those that were most wrong. Personal columns are left out, and named.
"""

from collections.abc import Collection, Mapping
from hashlib import blake2b
from typing import Any

from flyball.core.realised import Example
from flyball.core.service import Task
from flyball.monitor.labels import HeldPane
from flyball.monitor.realised.coding import CodedPane
from flyball.monitor.realised.window import Row

_PREFIX = "x."


def examples(
    failing: Mapping[Row, float],
    panes: Mapping[int, CodedPane],
    *,
    most: int,
    task: Task,
    personal: Collection[str],
    label: str,
) -> tuple[Example, ...]:
    """At most so many of these rows. Args: failing: how wrong each is. personal: columns. label: column."""
    if not most:
        return ()
    ids = {row: panes[row[0]].held.ids[row[1]] for row in failing}
    if task == "regression":
        chosen = sorted(failing, key=lambda row: (-failing[row], ids[row]))[:most]
    else:
        chosen = sorted(failing, key=lambda row: blake2b(ids[row].encode(), digest_size=8).digest())[:most]
    return tuple(
        _example(panes[pane].held, at, failing[pane, at] if task == "regression" else None, personal, label)
        for pane, at in chosen
    )


def _example(held: HeldPane, at: int, loss: float | None, personal: Collection[str], label: str) -> Example:
    row: dict[str, Any] = held.frame.row(at, named=True)
    shown = {name.removeprefix(_PREFIX): value for name, value in row.items() if name.startswith(_PREFIX)}
    hidden = label in personal
    scores = row.get("scores")
    score = row.get("score") if not scores else scores.get(str(row["prediction"]))
    return Example(
        id=held.ids[at],
        row=held.first_row + at,
        at=row["at"],
        truth=None if hidden else held.labels[at],
        prediction=None if hidden else row["prediction"],
        score=score,
        loss=loss,
        features={name: value for name, value in shown.items() if name not in personal and value is not None},
        left_out=tuple(sorted(name for name in {*shown, label} if name in personal)),
    )
