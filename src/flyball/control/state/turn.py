"""The number that names of what the loop begins are made of: facts that only care for a service are not counted in it.

The name of a rollout is its salt, and so decides who meets the candidate. It must not depend on how often somebody was
told that the service is not well.
"""

from flyball.core import events as e

CARE = (
    *(e.HealthChanged, e.BudgetSpent, e.BudgetRestored, e.BudgetBurning, e.BudgetCalm, e.ForensicsKept),
    *(e.AccessRefused, e.AccessCalm),
    *(e.AlertRaised, e.AlertHeld, e.AlertAcked, e.AlertEscalated, e.AlertResolved),
    *(e.AlertsSilenced, e.SilenceEnded, e.AlertsTested),
    *(e.RemedyBegun, e.RemedyVerified, e.RemedyEnded),
    *(e.DrillBegun, e.DrillCandidate, e.DrillWithdrawn, e.DrillEnded),
    *(e.DigestWritten, e.BackfillDone, e.BackupMade, e.RunbookStepDone),
)


def cares(fact: e.AnyFact, incident: e.IncidentOpened | None) -> bool:
    """Whether a fact moves nothing that existed before. Args: incident: of the data's quality, which does."""
    match fact:
        case e.IncidentOpened(kind=kind):
            return kind != "data_quality"
        case e.IncidentClosed(incident=name):
            return incident is None or incident.incident != name
        case _:
            return isinstance(fact, CARE)
