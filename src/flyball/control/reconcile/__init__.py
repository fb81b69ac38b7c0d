"""The verb of `control`: keep each service where its facts and its policy say it should be."""

from flyball.control.reconcile.loop import Learner, Reconciler, Seen, Sensor
from flyball.control.reconcile.sensing import TelemetrySensor

__all__ = ["Learner", "Reconciler", "Seen", "Sensor", "TelemetrySensor"]
