"""What counts say of drift: each feature and answer of a state beside its reference, or beside earlier counts.

The rules are those of a window (`monitor.drift`): an effect above a limit that chance does not explain, and too few
rows say nothing. Beside earlier counts a feature has no allowance for season, because the season is what it is beside.
"""

from collections.abc import Mapping
from typing import Literal

from flyball.core.record import Record
from flyball.core.service import Psi
from flyball.core.watching import PaneGroup
from flyball.monitor import drift
from flyball.monitor.state.frame import Role
from flyball.monitor.state.state import State
from flyball.stats.two_sample.compare import Measure, Reading, compare

Side = Literal["input", "answer"]
_SIDES: Mapping[Role, Side] = {"feature": "input", "prediction": "answer"}


class CountsRead(Record):
    """One feature, or one side of the answer."""

    name: str
    of: Side
    verdict: Literal["OK", "DRIFT", "INSUFFICIENT"]
    psi: float | None  # nats; None: there is no honest number
    level: Literal["warn", "act"] | None  # None: no drift
    reason: str


def beside_reference(state: State, limits: Psi) -> tuple[CountsRead, ...]:
    """Against what the release saw in training, largest PSI first; features may go as far as the reference itself."""
    found = {role: {name: _counts(state, role, name) for name in _names(state, role)} for role in _SIDES}
    group = PaneGroup(
        arm="", release="", rows=state.rows, features=found["feature"], prediction=found["prediction"]
    )  # fmt: skip
    features, answers = drift.measures(group, state.frame.baseline, limits)
    allowed = drift.usual(group, state.frame.baseline, limits)
    read = [_read(name, "input", one, limits, allowed.get(name, 0.0)) for name, one in features.items()]
    read += [_read(name, "answer", one, limits, allowed.get(name, 0.0)) for name, one in answers.items()]
    return _by_size(read)


def beside_earlier(state: State, earlier: State, limits: Psi) -> tuple[CountsRead, ...]:
    """Against counts on the same frame, largest PSI first."""
    read = []
    for role, side in _SIDES.items():
        for name in _names(state, role):
            before, now = _counts(earlier, role, name), _counts(state, role, name)
            found = compare(before, now, limit=limits.warn, alpha=drift.ALPHA, null="zero")
            read.append(_read(name, side, found, limits, 0.0))
    return _by_size(read)


def _read(name: str, of: Side, found: Measure, limits: Psi, allowed: float) -> CountsRead:
    beyond = found.plain if found.plain is not None and found.verdict is Reading.DRIFT else 0.0
    level: Literal["warn", "act"] | None = None
    if beyond > limits.warn + allowed:
        level = "act" if beyond > limits.act + allowed else "warn"
    known = found.verdict in (Reading.OK, Reading.DRIFT)
    verdict: Literal["OK", "DRIFT", "INSUFFICIENT"] = "DRIFT" if level else "OK" if known else "INSUFFICIENT"
    return CountsRead(name=name, of=of, verdict=verdict, psi=found.plain, level=level, reason=found.reason)


def _by_size(read: list[CountsRead]) -> tuple[CountsRead, ...]:
    return tuple(sorted(read, key=lambda each: (-(each.psi if each.psi is not None else -1.0), each.name)))


def _names(state: State, role: Role) -> list[str]:
    return [name for of, name in state.frame.parts if of == role]


def _counts(state: State, role: Role, name: str) -> tuple[int, ...]:
    return tuple(state.psi_bins(role, name).tolist())
