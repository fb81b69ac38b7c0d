"""What a drill made: no figure of the service counts it. The one place in which a review tells it from the rest.

By the ledger alone: an incident and a remedy say whose they are. Those of earlier versions do not: there an incident is
a drill's where its kind says so, or where broken data were found while a drill ran whose fault explains that, and a
remedy where its incident is, or its cause is explained. What follows (an end, steps of runbooks) is the drill's too,
also after the drill. So is a rollout of a drill's candidate, and on the drill's own service one that was opened while a
bad candidate was drilled, to its end. What begins after a drill
is real: better one too many than one that nobody counts. People who were told, and what people did, count whatever it
was for: a page at night is one.
"""

from flyball.control.explained import explains_kind
from flyball.control.state.alert_causes import family
from flyball.core import events as e
from flyball.core.declared.drills import CANDIDATE
from flyball.core.facts.drill import DrillBegun
from flyball.core.ledger import Entry


class OfDrills:
    """Of one service; takes its facts in order."""

    def __init__(self) -> None:
        self._drill: DrillBegun | None = None
        self._incidents: set[str] = set()
        self._rollouts: set[str] = set()

    def take(self, entry: Entry) -> bool:
        """Whether a drill made what this fact tells."""
        match entry.fact:
            case e.DrillBegun() as begun:
                self._drill = begun
                return False
            case e.DrillEnded(drill=name) if self._drill is not None and self._drill.drill == name:
                self._drill = None
                return False
            case e.IncidentOpened(incident=name, drill=str() as drill):
                return self._kept(self._incidents, name, bool(drill))
            case e.IncidentOpened(incident=name, kind=kind, cause=cause):  # of an earlier version
                of_data = kind == "data_quality" and self._explains(cause or kind, entry.at)
                return self._kept(self._incidents, name, kind == "drill" or of_data)
            case e.IncidentClosed(incident=name):
                return name in self._incidents
            case e.RemedyBegun(drill=str() as drill):
                return bool(drill)
            case e.RemedyBegun(incident=incident, cause=cause):
                return incident in self._incidents if incident else self._explains(cause, entry.at)
            case e.RunbookStepDone(incident=incident):
                return incident in self._incidents
            case e.RolloutOpened(rollout=name, drill=drill):
                runs = self._drill
                its_own = runs is not None and runs.own and runs.fault == CANDIDATE
                return self._kept(self._rollouts, name, bool(drill) or its_own)
            case e.StepStarted(rollout=name) | e.RolledBack(rollout=name) | e.RolloutClosed(rollout=name):
                return name in self._rollouts
            case _:
                return False

    def _explains(self, cause: str, at: str) -> bool:
        return explains_kind(self._drill, family(cause), at)

    def _kept(self, where: set[str], name: str, of_drill: bool) -> bool:
        if of_drill:
            where.add(name)
        return of_drill
