"""Policies of healing that make no sense: a cause that nothing shows, a remedy twice, a bound of another remedy."""

from collections.abc import Iterator, Sequence
from typing import get_args

from flyball.contracts.declaration.task_metrics import Finding
from flyball.contracts.schema_faults import nearest
from flyball.contracts.yaml_text import Path
from flyball.core import policy_facts
from flyball.core.health import Severity, SignKind, gravest_of
from flyball.core.service import Healing, HealingPolicy

CAUSES = (*sorted(kind for part in get_args(SignKind) for kind in get_args(part) or (part,)), "upstream", "failed")
RANK = get_args(Severity)  # mildest first
RESOURCES = ("memory", "machine", "disk")
OF_COLUMNS = ("drift", "freshness")  # `healing_fit` knows which columns come; every other kind is one cause


def of_healing(healing: Healing) -> Iterator[Finding]:
    """Each policy is about something that can happen, and each remedy of it is one."""
    for index, policy in enumerate(healing.policies):
        at: Path = ("healing", "policies", index)
        yield from _cause(at, policy.cause)
        if RANK.index(policy.least) > RANK.index(gravest := gravest_of(policy.cause)):
            expected = f"at most {gravest}, for {policy.cause} is never graver"
            yield (*at, "least"), expected, policy.least, f"least: {gravest}"
        if policy.when is not None and (wrong := policy_facts.fault(policy.when, action="heal")) is not None:
            yield (*at, "when"), "a CEL condition over the facts of the policy", wrong, ""
        if (hidden := _hidden_by(index, healing.policies)) is not None:
            told = f"the same is always done by policies[{hidden}] ({healing.policies[hidden].cause})"
            fix = "put it first, or remove one of the two"
            yield (*at, "cause"), "a cause that no policy before it takes", told, fix
        yield from _remedies(at, policy)
    if healing.most_hold_s < healing.hold_s:
        yield ("healing", "most_hold_s"), f"at least hold_s, {healing.hold_s:g}", f"{healing.most_hold_s:g}", ""


def _cause(at: Path, cause: str) -> Iterator[Finding]:
    """A sign has this key."""
    kind, parted, feature = cause.partition("/")
    if kind not in CAUSES:
        fix = nearest(cause, CAUSES)
        yield (*at, "cause"), f"one of {', '.join(CAUSES)}, or one with its feature", cause, fix
    elif kind == "resources" and parted and feature not in RESOURCES:
        expected = f"resources, or one of {', '.join(f'{kind}/{name}' for name in RESOURCES)}"
        yield (*at, "cause"), expected, cause, nearest(feature, RESOURCES)
    elif parted and (not feature or kind not in (*OF_COLUMNS, "resources")):
        fix = f"{kind}, whatever shows it" if kind not in OF_COLUMNS else f"{kind}, or {kind}/COLUMN"
        yield (*at, "cause"), "a cause that something shows", cause, fix


def _hidden_by(index: int, policies: Sequence[HealingPolicy]) -> int | None:
    """The first policy before it that takes whatever it would take: the first that fits holds."""
    mine = policies[index]
    for number, before in enumerate(policies[:index]):
        about = before.cause in (mine.cause, mine.cause.split("/")[0])
        about |= before.cause == "failed" and mine.least == "failed"  # a sign as grave as that makes the service so
        if about and before.when in (None, mine.when) and RANK.index(before.least) <= RANK.index(mine.least):
            return number
    return None


def _remedies(at: Path, policy: HealingPolicy) -> Iterator[Finding]:
    if not policy.remedies:
        yield (*at, "remedies"), "at least one remedy", "none", "remove the policy, or page"
    kinds = [one.kind for one in policy.remedies]
    for number, one in enumerate(policy.remedies):
        here: Path = (*at, "remedies", number)
        if one.kind in kinds[:number]:
            yield (*here, "kind"), "each remedy once", one.kind, "what did not help is not tried again in the same bout"
        if one.kind == "shed" and one.share == 0:
            yield (*here, "share"), "more than 0", "0", "a shed of nobody helps nobody"
        if one.kind == "page" and number < len(kinds) - 1:
            yield (*here, "kind"), "page as the last remedy", f"before {kinds[number + 1]}", "a page waits for a person"
