"""Traffic lights: gates and tests folded into one light a dimension, so that fairness, privacy, cost and latency stand
beside quality on a page.

red: a gate or a hard test failed. amber: something is undecided, or a finding that stops nothing. green: something was
judged and all of it passed. grey: nobody asked; the words are `not provided`, never a green by silence.
"""

from collections.abc import Iterable
from typing import Literal, get_args

from flyball.core.record import Record
from flyball.core.release import GateResult, TestResult
from flyball.core.service import Dimension

NOT_PROVIDED = "not provided"
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)


class Light(Record):
    """One dimension of a release."""

    colour: Literal["green", "amber", "red", "grey"]
    reason: str  # the worst thing found, or how much passed
    judged: int = 0  # gates and tests behind it


def lights(gates: Iterable[GateResult], tests: Iterable[TestResult]) -> dict[Dimension, Light]:
    """One light for every dimension, in the order of the vocabulary.

    >>> told = TestResult(suite="privacy", name="samples", dimension="privacy", verdict="PASS", reason="nothing found")
    >>> found = lights((), (told,))
    >>> found["privacy"].colour, found["fairness"].reason
    ('green', 'not provided')
    """
    said: dict[Dimension, list[tuple[int, str]]] = {name: [] for name in DIMENSIONS}
    for gate in gates:
        said[gate.dimension].append((_of_gate(gate), f"{gate.name}: {gate.reason}"))
    for test in tests:
        said[test.dimension].append((_of_test(test), f"{test.name}: {test.reason}"))
    return {name: _light(found) for name, found in said.items()}


def lines(found: dict[Dimension, Light]) -> list[str]:
    """For a terminal: one line a dimension.

    >>> lines({"cost": Light(colour="grey", reason="not provided")})
    ['cost: grey, not provided']
    """
    return [f"{name}: {light.colour}, {light.reason}" for name, light in found.items()]


def _of_gate(gate: GateResult) -> int:
    if gate.verdict == "FAIL" or (not gate.passed and gate.verdict == "PASS"):
        return 2
    return 1 if gate.verdict == "INCONCLUSIVE" else 0


def _of_test(test: TestResult) -> int:
    if test.verdict == "PASS":
        return 0
    return 2 if test.hard and test.verdict == "FAIL" else 1


def _light(found: list[tuple[int, str]]) -> Light:
    if not found:
        return Light(colour="grey", reason=NOT_PROVIDED)
    worst = max(level for level, _ in found)
    if worst == 0:
        return Light(colour="green", reason=f"{len(found)} passed", judged=len(found))
    reasons = [words for level, words in found if level == worst]
    more = f" (and {len(reasons) - 1} more)" if len(reasons) > 1 else ""
    return Light(colour="red" if worst == 2 else "amber", reason=reasons[0] + more, judged=len(found))
