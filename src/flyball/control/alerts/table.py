"""The table of causes: what an alert of each is called, from when on it pages, and which runbook helps.

A page is for what clients feel, or what no machine could heal; everything else is work for the morning.
"""

from typing import Literal

from flyball.control.state.alert_causes import family
from flyball.core.declared.objectives import Sli
from flyball.core.health import Severity, SignKind
from flyball.core.record import Record

Weight = Severity | Literal["never"]
WEIGHTS: tuple[Severity, ...] = ("warning", "critical", "failed")


class Row(Record):
    """What an alert of one family of causes is."""

    name: str  # CamelCase
    says: str  # the summary, where the source has no words of its own
    runbook: str
    pages_from: Weight  # the least severity that pages somebody

    def pages(self, severity: Severity) -> bool:
        return self.pages_from != "never" and WEIGHTS.index(severity) >= WEIGHTS.index(self.pages_from)


def _row(name: str, says: str, runbook: str, pages_from: Weight = "failed") -> Row:
    return Row(name=name, says=says, runbook=runbook, pages_from=pages_from)


TABLE: dict[str, Row] = {  # by the family of the cause, or by a cause that is graver than its family
    "availability": _row("ServiceUnavailable", "requests get no answer", "dead-dependency", "critical"),
    "errors": _row("ErrorsHigh", "too many answers are errors", "bad-rollout", "critical"),
    "latency": _row("LatencyHigh", "answers take too long", "latency-spike", "critical"),
    "fallback": _row("FallbackAnswers", "the fallback answers in place of the model", "dead-dependency"),
    "resources": _row("ResourcesShort", "the service runs short of resources", "resource-exhaustion"),
    "freshness": _row("DataStale", "the data are older than promised", "pipeline-break"),
    "data_quality": _row("DataBroken", "the supply of data is broken", "pipeline-break"),
    "drift": _row("DriftDetected", "the inputs are others than those learned from", "data-drift"),
    "labels": _row("LabelsMissing", "labels no longer arrive", "stale-labels"),
    "quality": _row("QualityDropped", "answers are less right than they were", "training-serving-skew"),
    "trend": _row("QualityFalling", "answers become less right from week to week", "data-drift"),
    "access": _row("AccessRefused", "a client's credentials are refused", "permission-failure", "never"),
    "training": _row("TrainingFailed", "a training gave no release", "permission-failure", "never"),
    "capture": _row("RecordsLost", "records of answers are lost", "permission-failure", "never"),
    "command": _row("OrderGivenUp", "an order could not be carried out", "permission-failure", "never"),
    "command/route": _row("GatewayLost", "the gateway takes no orders", "dead-dependency", "warning"),
    "check": _row("PlanRefused", "the loop's own check refuses what it would do", "plan-refused", "warning"),
    "planner": _row("PlannerFailed", "a part of the loop fails where it decides", "plan-refused", "warning"),
    "rollback": _row("ReleaseTakenBack", "a release was taken back by itself", "release-taken-back", "never"),
    "budget": _row("ErrorBudgetSpent", "an error budget is spent", "error-budget-spent", "critical"),
    "upstream": _row("UpstreamBroken", "what the service is fed from is broken", "pipeline-break", "never"),
    "repair": _row("RepairOwed", "rows that were kept out wait for their repair", "pipeline-break", "never"),
    "retrain": _row("RetrainWanted", "a retraining is wanted", "data-drift", "never"),
    "overdue": _row("RoutineOverdue", "a routine is overdue", "overdue-routine", "never"),
    "pages": _row("TooManyPages", "somebody is paged too often", "noisy-alerts", "never"),
    "incident": _row("IncidentOpen", "an incident is open", "pipeline-break", "never"),
}


BURNING = "ErrorBudgetBurn"  # a budget that goes too fast, as the rule of Prometheus is called
FAILED_RUNBOOK = "service-failed"  # whatever failed it: the order of an emergency comes first


def runbooks() -> frozenset[str]:
    """Names of all that an alert may link."""
    return frozenset({FAILED_RUNBOOK, *(row.runbook for row in TABLE.values())})


def row_of(cause: str) -> Row:
    """Of the cause's family. One that nobody has heard of is an incident, which is a ticket until a machine gives up.

    >>> row_of("drift/amount").name, row_of("nothing known").name
    ('DriftDetected', 'IncidentOpen')
    """
    return TABLE.get(cause) or TABLE.get(family(cause), TABLE["incident"])


# What explains what: a known cause on the left makes those on the right its symptoms. Families, and no circle in it.
EXPLAINS: dict[str, tuple[str, ...]] = {
    "upstream": ("freshness", "data_quality", "drift", "labels", "quality", "trend", "fallback", "retrain", "budget"),
    "data_quality": ("drift", "quality", "trend", "retrain", "budget"),
    "freshness": ("drift", "quality", "trend", "budget"),
    "retrain": ("drift", "quality", "trend", "budget"),
    "availability": ("errors", "latency", "fallback", "budget"),
    "errors": ("fallback", "budget"),
    "latency": ("budget",),
    "quality": ("budget",),
    "trend": ("budget",),
    "capture": ("labels",),
}


# Signs of what an indicator counts: a budget is a symptom of those, and of what explains them, and of no others.
OF_SLI: dict[Sli, tuple[SignKind, ...]] = {
    "availability": ("availability", "errors"),
    "latency": ("latency",),
    "inputs": ("data_quality",),
    "freshness": ("freshness",),
    "quality": ("quality", "trend"),
    "query": (),  # nobody here knows what it counts
}


def explained_by(cause: str, sli: Sli | None = None) -> tuple[str, ...]:
    """Families whose cause may explain this one. Sli: of a budget, what it is of; None: nobody knows.

    >>> explained_by("drift/amount")
    ('upstream', 'data_quality', 'freshness', 'retrain')
    >>> explained_by("budget/quick", "latency")
    ('availability', 'latency')
    """
    found = tuple(known for known, symptoms in EXPLAINS.items() if family(cause) in symptoms)
    if family(cause) != "budget":
        return found
    signs: tuple[str, ...] = OF_SLI[sli] if sli is not None else ()
    return tuple(known for known in found if known in signs or any(known in explained_by(sign) for sign in signs))
