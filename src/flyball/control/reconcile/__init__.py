"""The verb of `control`: keep each service where its facts and its policy say it should be."""

from flyball.control.reconcile.foretelling import Foretelling
from flyball.control.reconcile.looking import Sensor
from flyball.control.reconcile.loop import Learner, Reconciler
from flyball.control.reconcile.outlook import Seen
from flyball.control.reconcile.sensing import TelemetrySensor
from flyball.control.reconcile.vitals import HealthWatch

__all__ = ["Foretelling", "HealthWatch", "Learner", "Reconciler", "Seen", "Sensor", "TelemetrySensor"]
