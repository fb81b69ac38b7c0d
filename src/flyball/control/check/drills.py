"""What a plan may say of drills: only that one is over whose time is up. Asked of code that did not write the plan."""

from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import moment


def wrong_about_drills(fact: e.AnyFact, state: ServiceState, now: str) -> list[str]:
    """In words; empty where it may be written. `now`: empty: nobody says, and no drill's time is up."""
    match fact:
        case e.DrillBegun():
            return ["a plan begins a drill, which only a person does"]
        case e.DrillEnded():
            runs = state.healing.drill
            if runs is None or runs.drill != fact.drill:
                return [f"drill {fact.drill} does not run"]
            if not now or moment(now) < moment(runs.until):
                return [f"drill {fact.drill} is its driver's to end until {runs.until}"]
            return [] if fact.outcome == "aborted" else ["a drill that nobody watched is said to have an outcome"]
        case _:
            return []
