"""What the policy forbids at this moment. A rule that cannot be asked forbids: what it reads has to be there."""

from collections.abc import Mapping
from typing import Any

from flyball.core import expression
from flyball.core.policy_facts import sample
from flyball.core.service import Policy


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
    for index, rule in enumerate(policy.rules):
        if rule.action != action:
            continue
        told = expression.judged(rule.when, facts, sample(rule.when))
        if told.reason == "it is false":
            continue
        unclear = "" if told.passed else f"; {told.reason}"
        return f"{rule.reason} (policy.rules[{index}]: {rule.when}{unclear})"
    return None
