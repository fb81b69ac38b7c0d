"""Which runbook an alert of an objective links to, and where that is: no alert leaves without one that exists."""

from collections.abc import Collection
from importlib import resources

from flyball.core.declared.objectives import Sli
from flyball.core.errors import BadInput, Fault

BY_SLI: dict[Sli, str] = {
    "availability": "error-budget-spent",
    "latency": "latency-spike",
    "inputs": "pipeline-break",
    "freshness": "pipeline-break",
    "quality": "data-drift",
    "query": "error-budget-spent",
}
SPENT = "error-budget-spent"
SILENT = "dead-dependency"  # of an objective that nobody measures


def checked(base: str | None, wanted: Collection[str], known: Collection[str]) -> str:
    """The address below which the runbooks are.

    Args: wanted: names that alerts link to. known: names of the runbooks that there are.

    Raises: BadInput: no address is given, it is none, or a runbook does not exist.
    """
    faults = []
    if not base:
        fix = "declare alerts.runbooks_url, or give --runbooks-url"
        faults.append(
            Fault(
                where="slo",
                path="runbooks_url",
                expected="where the runbooks are published",
                found="none",
                fix=fix,
            )
        )
    elif not base.startswith(("https://", "http://")):
        faults.append(
            Fault(
                where="slo",
                path="runbooks_url",
                expected="an http(s) address",
                found=base,
            )
        )
    for name in sorted(set(wanted) - set(known)):
        found = f"{name}, which is none of {', '.join(sorted(known))}"
        faults.append(
            Fault(
                where="runbooks",
                path=name,
                expected="a runbook that exists",
                found=found,
            )
        )
    if faults or not base:
        raise BadInput("Alerts need runbooks to link to.", tuple(faults))
    return base


def known_runbooks() -> frozenset[str]:
    """Names of the runbooks in the package."""
    folder = resources.files("flyball.app.runbooks")
    return frozenset(each.name.removesuffix(".md") for each in folder.iterdir() if each.name.endswith(".md"))
