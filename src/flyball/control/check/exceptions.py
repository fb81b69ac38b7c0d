"""Does every failed gate of a release have an exception that holds? Asked by the check of plans.

It shares no function with the planner: the rule is written here once more, from the facts.
"""

from collections.abc import Sequence

from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment
from flyball.core.facts.exception import gate_evidence
from flyball.core.release import GateResult


def failed_without_exception(root: str, named: Sequence[str], state: ServiceState, now: str) -> list[str]:
    """What speaks against trying a release. `named`: the exceptions that its rollout names."""
    release = state.releases.get(root)
    if release is None:
        return [f"{root} has not passed its gates"]
    if release.passed:
        return []
    gates = [gate for gate in release.gates if not gate.passed]
    if not gates or not named:
        return [f"{root} has not passed its gates"]
    found = [
        f"{root} failed the hard test {test.name}, which has no exception"
        for test in release.tests
        if test.hard and test.verdict == "FAIL"
    ]
    for gate in gates:
        reasons = [_not_by(name, root, gate, state, now) for name in named]
        if all(reasons):
            found.append(f"{root} has not passed its gates: {gate.name}: {'; '.join(filter(None, reasons))}")
    return found


def _not_by(name: str, root: str, gate: GateResult, state: ServiceState, now: str) -> str:
    """Why this exception does not let this gate pass; empty where it does."""
    one = state.exceptions.standing.get(name)
    if one is None:
        return f"no exception {name} stands"
    asked, given = one.requested, one.confirmed
    if (asked.release, asked.gate) != (root, gate.name):
        return f"exception {name} is for another gate or release"
    if given is None or given.by == asked.by:
        return f"exception {name} has not two people"
    if not _same(asked, given) or asked.evidence != gate_evidence(asked.release, gate) or asked.policy != state.policy:
        return f"exception {name} is of another judgement or policy"
    if not now or moment(now) >= moment(asked.expires_at):
        return f"exception {name} is over"
    return ""


def _same(asked: e.ExceptionRequested, given: e.ExceptionConfirmed) -> bool:
    return (asked.exception, asked.release, asked.gate, asked.evidence, asked.policy) == (
        *(given.exception, given.release, given.gate),
        *(given.evidence, given.policy),
    )
