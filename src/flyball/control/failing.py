"""A planner that raises, which is a fault of ours: what it would have said is missing, and all else goes on. Pure.

Each concern of a plan is asked by itself. Where one raises, people are told, what takes a risk away is still asked, and
nothing new is begun: whoever stands behind it builds on an answer that is not there. The ledger's newest decision about
`planner/NAME` says whether it fails, so a controller that begins anew knows it too. It has the type and the place of
the error and not its message, which may hold a client's row and another figure each time: that is in the log, whole.
The parts of the look that a plan rests on (`reconcile/looking.py`) are told of in the same way.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeVar

from flyball.control.decision import Decision
from flyball.control.failure import JUDGE, MONITOR, Failure, failure
from flyball.control.state.service_state import ServiceState
from flyball.core.errors import FlyballError

Answer = TypeVar("Answer")
FAILED, ANSWERS = "failed", "answers"
ACTION = "planner/"  # how the action of the decision begins; behind it the planner's name


class PlannerFailed(FlyballError):
    """A planner raised. All that the others said was carried out, and it is on the ledger."""

    hint = "a fault of Flyball: runbook plan-refused"


class Asking:
    """Asks one concern after the other, and keeps what those that raise leave behind."""

    def __init__(self, failures: Sequence[Failure] = (), answered: Sequence[str] = ()) -> None:
        """Args: of those who were asked before."""
        self.failures: list[Failure] = list(failures)
        self.answered: list[str] = list(answered)

    def __call__(self, planner: str, concern: Callable[[], Answer]) -> Answer | None:
        """What it answers; None: nothing, or it raised.

        >>> asking = Asking()
        >>> asking("healing", lambda: [].pop()), [each.planner for each in asking.failures]
        (None, ['healing'])
        """
        try:
            answer = concern()
        except Exception as error:  # whatever it is: it is told, and the other concerns are asked
            self.failures.append(failure(planner, error))
            return None
        self.answered.append(planner)
        return answer


def told(failures: Collection[Failure], answered: Collection[str], state: ServiceState) -> Iterator[Decision]:
    """Which planners fail, and which answer that failed before. Written where it is another answer than last time."""
    for each in failures:
        why = f"{each.error}; nothing new is begun meanwhile"
        yield Decision(action=ACTION + each.planner, what=FAILED, why=why)
    for planner in failing(state):
        if planner in answered:
            yield Decision(action=ACTION + planner, what=ANSWERS, why="it raises no more")


def failing(state: ServiceState) -> dict[str, str]:
    """Planners that raised when they were asked last, and what; by the names of their concerns."""
    found = {}
    for action, said in state.decisions.items():
        what, _, why = said.why.partition(": ")
        if action.startswith(ACTION) and what == FAILED:
            found[action.removeprefix(ACTION)] = why
    return found


def called(planner: str) -> str:
    """In words.

    >>> called("healing"), called("monitor")
    ('the planner of healing', 'the monitor')
    """
    return f"the {planner}" if planner in (MONITOR, JUDGE) else f"the planner of {planner}"


def raised(service: str, failures: Collection[Failure]) -> PlannerFailed:
    """For whoever keeps the service, with the traces."""
    names = ", ".join(f"{each.planner} ({each.error})" for each in failures)
    traces = "\n".join(each.trace for each in failures)
    return PlannerFailed(f"planners of {service} failed: {names}\n{traces}")
