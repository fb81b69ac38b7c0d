"""When a failed gate stands aside: two people have said so of exactly this release, gate, figure and policy, and not
long ago.

An exception is for a judgement of quality. What checks that a release is what it says it is (its data, its contract,
its signature, the same answers from every form of it) has none: those are hard tests, and a suite or an expression that
reads them is one of them. Neither has privacy, because no rollback takes back what was told, nor a gate that had no
figure, because nobody could say what is let pass.
"""

from collections.abc import Iterable
from typing import Literal

from flyball.core import expression
from flyball.core.clock import moment
from flyball.core.facts.exception import ExceptionConfirmed, ExceptionRequested, gate_evidence
from flyball.core.record import Record
from flyball.core.release import GateResult, Release

INTEGRITY = ("data", "training", "privacy")  # dimensions of a gate that no word of a person replaces
How = Literal["expired", "void", "used"]


class GateException(Record):
    """One that was asked for and has not ended."""

    requested: ExceptionRequested
    confirmed: ExceptionConfirmed | None = None  # None: it waits for a second person
    rollout: str | None = None  # that stands on it


def cannot_be_excepted(gate: GateResult) -> str | None:
    """Why nobody may let this gate pass; None where two people may.

    >>> low = GateResult(name="pr_auc >= 0.4", metric="pr_auc", passed=False, verdict="FAIL", reason="", value=0.39)
    >>> cannot_be_excepted(low)
    >>> leak = GateResult(name="suite privacy", metric="suite:privacy", passed=False, verdict="FAIL", reason="")
    >>> cannot_be_excepted(leak)
    'it is a check of integrity'
    """
    if gate.passed:
        return "it passed"
    reads_tests = expression.suites(gate.name) or expression.verdicts(gate.name)
    if gate.metric.startswith("suite:") or reads_tests or gate.dimension in INTEGRITY:
        return "it is a check of integrity"
    measured = gate.value is not None or gate.reason.startswith("it is false")  # the second: an expression
    return None if measured else f"it has no figure: {gate.reason}"


def obstacle(release: Release) -> str | None:
    """Why no exception at all would let this release on; None where exceptions for its failed gates would."""
    failed = [test.name for test in release.tests if test.hard and test.verdict == "FAIL"]
    if failed:
        return f"hard tests failed ({', '.join(failed)})"
    barred = [f"{gate.name}: {why}" for gate in release.gates if not gate.passed and (why := cannot_be_excepted(gate))]
    return "; ".join(barred) or None


def void_because(exception: GateException, release: Release | None, policy: str) -> tuple[str, ...]:
    """What is another today than when it was asked for; empty where it stands."""
    asked = exception.requested
    gates = {gate.name: gate for gate in release.gates} if release is not None else {}
    found = gates.get(asked.gate)
    same = found is not None and gate_evidence(asked.release, found) == asked.evidence
    given = exception.confirmed
    bound = given is None or (given.release, given.gate, given.evidence, given.policy) == (
        *(asked.release, asked.gate),
        *(asked.evidence, asked.policy),
    )
    compared = (("gate", same), ("policy", asked.policy == policy), ("confirmation", bound))
    return tuple(name for name, holds in compared if not holds)


def ended(
    exception: GateException, *, release: Release | None, policy: str, now: str, rollout: str | None
) -> tuple[How, str] | None:
    """How and why it holds no longer; None where it stands. `rollout`: the one that is open now."""
    changed = void_because(exception, release, policy)
    if changed:
        return "void", f"another {' and another '.join(changed)} than the one it was given for"
    if moment(now) >= moment(exception.requested.expires_at):
        return "expired", f"it ended at {exception.requested.expires_at}"
    if exception.rollout is not None and exception.rollout != rollout:
        return "used", f"its rollout {exception.rollout} has ended"
    return None


def covering(
    release: Release, standing: Iterable[GateException], *, policy: str, now: str | None
) -> tuple[str, ...] | None:
    """The exceptions that let a release on, one for each gate that failed; None where one is missing.

    Now: None asks whether they were given, without asking the time.
    """
    if obstacle(release) is not None:
        return None
    found: list[str] = []
    for gate in release.gates:
        if gate.passed:
            continue
        of_gate = [one for one in standing if (one.requested.release, one.requested.gate) == (release.root, gate.name)]
        live = [one for one in of_gate if _live(one, release, policy, now)]
        if not live:
            return None
        found.append(live[0].requested.exception)
    return tuple(found) or None


def _live(one: GateException, release: Release, policy: str, now: str | None) -> bool:
    in_time = now is None or moment(now) < moment(one.requested.expires_at)
    return one.confirmed is not None and in_time and not void_because(one, release, policy)
