"""The check of a plan, asked so that it always answers: one that raises has let nothing pass. Pure."""

import traceback

from flyball.control.check.rules import broken_rules
from flyball.control.decision import Situation
from flyball.control.failure import place_of
from flyball.control.plan import Plan
from flyball.control.state.service_state import ServiceState
from flyball.core.record import Record
from flyball.core.service import Service


class Checked(Record):
    """What the check says of a plan."""

    broken: tuple[str, ...] = ()  # rules that it would break, in words; empty: it may be carried out
    trace: str = ""  # of a check that raised, for the log


def checked(made: Plan, of: Situation, state: ServiceState, service: Service) -> Checked:
    """Of: what the plan was made from. State: the facts as they are."""
    seen = of.outlook
    try:
        return Checked(broken=broken_rules(made, state, service, now=of.now, power=seen.power, verdict=seen.verdict))
    except Exception as error:  # whatever it is: nothing is done, and people are told
        return Checked(broken=(f"it could not be checked: {place_of(error)}",), trace=traceback.format_exc())
