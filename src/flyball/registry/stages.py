"""The stages of a release, as a table: what may follow what. Anything that is not in the table changes nothing.

```
(new) -registered-> built -qualified-> qualified -opened-> candidate -appointed-> champion -succeeded-> retired
                    built -refused->   refused             candidate -withdrawn-> withdrawn
```
Gates that are changed are judged again, so that qualified and refused may follow each other. A candidate that was
withdrawn (rolled back, rejected, expired) may be offered again; a retired champion may come back. A refused release is
offered only by exceptions (`decide/exceptions.py`).
"""

from typing import Literal

Stage = Literal["built", "qualified", "refused", "candidate", "champion", "retired", "withdrawn"]
Event = Literal["registered", "qualified", "refused", "opened", "withdrawn", "appointed", "succeeded"]

TABLE: dict[tuple[Stage | None, Event], Stage] = {
    (None, "registered"): "built",
    ("built", "qualified"): "qualified",
    ("built", "refused"): "refused",
    ("refused", "qualified"): "qualified",  # the gates were changed and judged again
    ("qualified", "refused"): "refused",
    ("qualified", "opened"): "candidate",
    ("withdrawn", "opened"): "candidate",
    ("refused", "opened"): "candidate",  # by an exception of two people for each gate that failed
    ("retired", "opened"): "candidate",
    ("candidate", "withdrawn"): "withdrawn",
    ("candidate", "appointed"): "champion",
    ("qualified", "appointed"): "champion",  # the first release: there is no champion to roll out against
    ("retired", "appointed"): "champion",  # rollback to the previous one
    ("withdrawn", "appointed"): "champion",  # a champion that was rolled back and is wanted again
    ("champion", "succeeded"): "retired",
    ("champion", "withdrawn"): "withdrawn",  # rolled back after its promotion
}


def after(stage: Stage | None, event: Event) -> Stage | None:
    """The next stage; the same one where the table has no such arrow.

    >>> after(None, "registered"), after("refused", "appointed"), after("champion", "succeeded")
    ('built', 'refused', 'retired')
    """
    return TABLE.get((stage, event), stage)


def allowed(stage: Stage | None, event: Event) -> bool:
    return (stage, event) in TABLE
