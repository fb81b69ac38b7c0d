"""Process: a replay. The real gateway core, monitor, planner and pipeline over a recorded stream, clock simulated."""

from flyball.app.wiring.replay.run import Options, replay

__all__ = ["Options", "replay"]
