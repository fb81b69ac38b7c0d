"""What exactly is approved: a bundle of evidence frozen at one moment, and when an approval of it is void.

An approval names three digests: the model, the evidence, the policy. If any of them is another one today, the approval
says nothing about today. Later evidence is not in the bundle; it can only stop the rollout.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from flyball.core.codec import digest
from flyball.core.events import ApprovalGiven, ApprovalRequested
from flyball.core.ids import Digest
from flyball.core.release import Release
from flyball.core.routing import StepCounts, Verdict
from flyball.core.service import Role


def bundle(
    release: Release,
    verdicts: Mapping[int, Verdict],
    counts: StepCounts | None,
    *,
    labels: str = "",
    exceptions: Sequence[Mapping[str, Any]] = (),
) -> tuple[dict[str, Any], Digest]:
    """The report that the approver reads, and its digest.

    Args:
        verdicts: closing verdict of each step passed. counts: of the running step, for people.
        labels: what the labelled shadow pairs say, in words.
        exceptions: failed gates that people let pass; without any the report does not speak of them.
    """
    report = {
        "release": release.root,
        "experiment": release.experiment,
        "reason": release.reason,
        "trained_rows": release.trained_rows,
        "holdout_rows": release.holdout_rows,
        "compared_with": release.compared_with,
        "metrics": msgspec.to_builtins(release.metrics),
        "gates": msgspec.to_builtins(release.gates),
        "steps": {str(index): msgspec.to_builtins(verdict) for index, verdict in sorted(verdicts.items())},
        "shadow": _shadow(counts),
        "labels": labels,
    }
    if exceptions:
        report["exceptions"] = [dict(each) for each in exceptions]
    return report, digest("flyball/evidence/v1", report)


def valid(given: ApprovalGiven, asked: ApprovalRequested) -> bool:
    """Whether the approval is of exactly what is asked for now."""
    return not void_because(given, asked)


def void_because(given: ApprovalGiven, asked: ApprovalRequested) -> tuple[str, ...]:
    """What has changed since the approval was given; empty where it stands."""
    compared = (
        ("rollout", given.rollout, asked.rollout),
        ("model", given.model, asked.model),
        ("evidence", given.evidence, asked.evidence),
        ("policy", given.policy, asked.policy),
    )
    return tuple(name for name, then, now in compared if then != now)


def objections(
    person: str,
    role: str,
    people: Mapping[str, tuple[Role, ...]],
    *,
    proposed_by: str | None = None,
    said: Sequence[str] = (),
) -> tuple[str, ...]:
    """Why this person may not approve; empty where they may.

    Who started the training by hand does not approve its result alone: wherever somebody else could, they have to say
    so first (`said`: who has). Without declared people anyone who can reach the home may: a laptop needs no roles.

    >>> objections("eve", "approver", {"ada": ("approver",)})
    ('eve is not among the people of the service (ada)',)
    >>> both: dict[str, tuple[Role, ...]] = {"ada": ("approver",), "eve": ("approver",)}
    >>> objections("ada", "approver", both, proposed_by="ada")
    ('ada had this release trained: somebody else has to approve it (eve)',)
    """
    if not people:
        return ()
    if person not in people:
        return (f"{person} is not among the people of the service ({', '.join(sorted(people))})",)
    found = []
    if role not in people[person]:
        found.append(f"{person} has no role {role} (has: {', '.join(people[person])})")
    others = sorted(name for name, has in people.items() if role in has and name not in (person, *said))
    if proposed_by == person and others:
        found.append(f"{person} had this release trained: somebody else has to approve it ({', '.join(others)})")
    return tuple(found)


def _shadow(counts: StepCounts | None) -> dict[str, Any] | None:
    if counts is None:
        return None
    return {
        "pairs": counts.pairs,
        "disagreements": counts.disagreements,
        "errors": counts.rollout_candidate.errors,
        "slow": counts.rollout_candidate.slow,
        "log_e_errors": counts.rollout_tests.errors,
        "log_e_slow": counts.rollout_tests.slow,
        "received": counts.received,
        "dropped": counts.dropped,
    }
