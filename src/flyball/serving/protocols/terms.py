"""What a request says about itself beside its rows: how long it can wait, how much it matters, whether it is a probe.

They travel as headers (or the metadata of another protocol), because every route has them and no body does.
"""

import re
from collections.abc import Callable, Collection
from typing import Literal

from flyball.core.errors import BadInput, Fault
from flyball.core.prediction import ArmName
from flyball.core.record import Record

DEADLINE, PRIORITY, PROBE = "x-request-deadline-ms", "x-flyball-priority", "x-flyball-probe"
OVERRIDE = "x-flyball-arm"
Priority = Literal["live", "low"]
_ARM = re.compile(r"[a-z][a-z0-9_-]{0,30}")
_MOST_MS = 86_400_000.0


class Terms(Record):
    """Of one request."""

    deadline_ms: float | None = None  # time that the client has left, ms from arrival; None: the service's own
    priority: Priority | None = None  # None: what the service declares
    probe: bool = False  # synthetic: answered and logged, in no analysis
    arm: ArmName | None = None  # a tester's choice, where the service allows it: in no analysis either
    headers: dict[str, str] = {}  # those that the rules of its service look at, by lower-case name


PLAIN = Terms()


def terms_of(header: Callable[[str], str | None], cohort: Collection[str] = ()) -> Terms:
    """Read them. `header`: the value under a lower-case name, or None. `cohort`: names that routing rules look at.

    Raises: BadInput: a value cannot be read; all of them are named.

    >>> terms_of({"x-request-deadline-ms": "250", "x-flyball-probe": "1"}.get)
    Terms(deadline_ms=250.0, priority=None, probe=True, arm=None, headers={})
    >>> terms_of({}.get) is PLAIN
    True
    """
    late, rank, probe, arm = header(DEADLINE), header(PRIORITY), header(PROBE), header(OVERRIDE)
    looked_at = {name: value for name in cohort if (value := header(name)) is not None}
    if late is None and rank is None and probe is None and arm is None and not looked_at:
        return PLAIN
    faults: list[Fault] = []
    left = _milliseconds(late)
    if late is not None and left is None:
        faults.append(_fault(DEADLINE, "milliseconds from now, 0 to 86400000", late))
    if rank not in (None, "live", "low"):
        faults.append(_fault(PRIORITY, "live or low", rank))
    if arm is not None and _ARM.fullmatch(arm) is None:
        faults.append(_fault(OVERRIDE, "champion, candidate or the name of an arm", arm))
    if probe not in (None, "0", "1"):
        faults.append(_fault(PROBE, "0 or 1", probe))
    if faults:
        raise BadInput(
            "; ".join(f"header {f.path}: expected {f.expected}, found {f.found}" for f in faults), tuple(faults)
        )
    priority: Priority | None = "live" if rank == "live" else "low" if rank == "low" else None
    return Terms(deadline_ms=left, priority=priority, probe=probe == "1", arm=arm, headers=looked_at)


def _milliseconds(text: str | None) -> float | None:
    """`float` reads more than milliseconds: nothing that is not finite, negative or longer than a day."""
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if 0.0 <= value <= _MOST_MS else None


def _fault(name: str, expected: str, found: str | None) -> Fault:
    return Fault(where="headers", path=name, expected=expected, found=repr((found or "")[:40]))
