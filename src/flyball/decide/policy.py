"""What the policy forbids at this moment, whom it asks beside, and what it lets go without anybody.

A rule that cannot be asked binds where it forbids or asks for more: what it reads has to be there. Where it would allow
more, it does not hold.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from flyball.core.policy_facts import asked
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


def agreement(policy: Policy, facts: Mapping[str, Any]) -> str | None:
    """Why an approver has to agree to a training, with the rule that says so; None where no rule asks for one.

    >>> from flyball.core.service import Rule
    >>> told = Rule(action="retrain", when='trigger != "schedule"', effect="needs", reason="look at it first")
    >>> agreement(Policy(rules=(told,)), {"trigger": "drift"})
    'look at it first (policy.rules[0]: trigger != "schedule")'
    """
    return next((why for rule, why in _binding(policy, "retrain", facts) if rule.effect == "needs"), None)


def alone(policy: Policy, facts: Mapping[str, Any]) -> str | None:
    """The rule by which a promotion asks nobody; None where none is plainly true, or a rule forbids it or needs people.

    >>> from flyball.core.service import Rule
    >>> routine = Rule(action="promote", when='reason == "schedule"', effect="alone", reason="routine")
    >>> alone(Policy(rules=(routine,)), {"reason": "schedule"})
    'routine (policy.rules[0]: reason == "schedule")'
    >>> alone(Policy(rules=(routine,)), {})  # it cannot be asked
    >>> late = Rule(action="promote", when="hour >= 18", effect="never", reason="nobody is here")
    >>> alone(Policy(rules=(routine, late)), {"reason": "schedule", "hour": 20})
    """
    if any(rule.effect != "alone" for rule, _ in _binding(policy, "promote", facts)):
        return None
    for index, rule in enumerate(policy.rules):
        mine = (rule.action, rule.effect) == ("promote", "alone")
        if mine and asked(rule.when, rule.action, facts).passed:
            return f"{rule.reason} (policy.rules[{index}]: {rule.when})"
    return None


def _binding(policy: Policy, action: str, facts: Mapping[str, Any]) -> Iterator[tuple[Rule, str]]:
    """Rules that are true now or cannot be asked, each with its reason in words."""
    for index, rule in enumerate(policy.rules):
        if rule.action != action:
            continue
        told = asked(rule.when, action, facts)
        if told.reason != "it is false":
            unclear = "" if told.passed else f"; {told.reason}"
            yield rule, f"{rule.reason} (policy.rules[{index}]: {rule.when}{unclear})"
