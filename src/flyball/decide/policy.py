"""What the policy forbids at this moment, and whom it asks beside. A rule that cannot be asked binds: what it reads has
to be there."""

from collections.abc import Iterator, Mapping
from typing import Any

from flyball.core import expression
from flyball.core.policy_facts import sample
from flyball.core.record import Record
from flyball.core.service import Policy, Rule


def forbidden(policy: Policy, action: str, facts: Mapping[str, Any]) -> str | None:
    """Why the action does not happen now, with the rule that says so; None where no rule forbids it.

    >>> from flyball.core.service import Rule
    >>> late = Rule(action="promote", when="weekday == 5 && hour >= 15", effect="never", reason="nobody is here")
    >>> forbidden(Policy(rules=(late,)), "promote", {"weekday": 5, "hour": 16})
    'nobody is here (policy.rules[0]: weekday == 5 && hour >= 15)'
    >>> forbidden(Policy(rules=(late,)), "promote", {"weekday": 4, "hour": 16})
    >>> forbidden(Policy(rules=(late,)), "promote", {"hour": 16}) is None  # it cannot be asked
    False
    """
    return next((why for rule, why in _binding(policy, action, facts) if rule.effect == "never"), None)


class Needed(Record):
    """Whose word a rollout needs, by the approval step and by every rule that binds."""

    quorum: int  # different people, of the step's role
    why: tuple[str, ...] = ()  # the rules that ask for more than the step


def needed(policy: Policy, facts: Mapping[str, Any], *, quorum: int) -> Needed:
    """The strictest of the approval step and the rules: the largest number of people.

    >>> from flyball.core.service import Rule
    >>> twice = Rule(action="promote", when='gates["fairness"] != "PASS"', effect="needs", reason="not shown", quorum=2)
    >>> needed(Policy(rules=(twice,)), {"gates": {"fairness": "INCONCLUSIVE"}}, quorum=1).quorum
    2
    """
    found = [(rule, why) for rule, why in _binding(policy, "promote", facts) if rule.effect == "needs"]
    return Needed(
        quorum=max([quorum, *(rule.quorum or 1 for rule, _ in found)]),
        why=tuple(why for _, why in found),
    )


def _binding(policy: Policy, action: str, facts: Mapping[str, Any]) -> Iterator[tuple[Rule, str]]:
    """Rules that are true now or cannot be asked, each with its reason in words."""
    for index, rule in enumerate(policy.rules):
        if rule.action != action:
            continue
        told = expression.judged(rule.when, facts, sample(rule.when))
        if told.reason != "it is false":
            unclear = "" if told.passed else f"; {told.reason}"
            yield rule, f"{rule.reason} (policy.rules[{index}]: {rule.when}{unclear})"
