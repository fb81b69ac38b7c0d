"""A planner that raises, which is a fault of ours: what it would have said is missing, and all else goes on. Pure.

Each concern of a plan is asked by itself. Where one raises, people are told, what takes a risk away is still asked, and
nothing new is begun: whoever stands behind it builds on an answer that is not there. The ledger's newest decision about
`planner/NAME` says whether it fails, so a controller that begins anew knows it too. It has the type and the place of
the error and not its message, which may hold a client's row and another figure each time: that is in the log, whole.
"""

import traceback
from collections.abc import Callable, Collection, Iterator

from flyball.control.decision import Decision
from flyball.control.state.service_state import ServiceState
from flyball.core.errors import FlyballError
from flyball.core.record import Record

FAILED, ANSWERS = "failed", "answers"
ACTION = "planner/"  # how the action of the decision begins; behind it the planner's name


class Failure(Record):
    """One planner that raised."""

    planner: str
    error: str  # type and place: `KeyError in choosing.py:69 (choose)`
    trace: str  # for the log


class PlannerFailed(FlyballError):
    """A planner raised. All that the others said was carried out, and it is on the ledger."""

    hint = "a fault of Flyball: runbook plan-refused"


class Asking:
    """Asks one concern after the other, and keeps what those that raise leave behind."""

    def __init__(self) -> None:
        self.failures: list[Failure] = []
        self.answered: list[str] = []

    def __call__(self, planner: str, concern: Callable[[], Decision | None]) -> Decision | None:
        """What it answers; None: nothing, or it raised.

        >>> asking = Asking()
        >>> asking("healing", lambda: [].pop()), [failure.planner for failure in asking.failures]
        (None, ['healing'])
        """
        try:
            answer = concern()
        except Exception as error:  # whatever it is: it is told, and the other concerns are asked
            self.failures.append(_failure(planner, error))
            return None
        self.answered.append(planner)
        return answer


def told(failures: Collection[Failure], answered: Collection[str], state: ServiceState) -> Iterator[Decision]:
    """Which planners fail, and which answer that failed before. Written where it is another answer than last time."""
    for failure in failures:
        why = f"{failure.error}; nothing new is begun meanwhile"
        yield Decision(action=ACTION + failure.planner, what=FAILED, why=why)
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


def raised(service: str, failures: Collection[Failure]) -> PlannerFailed:
    """For whoever keeps the service, with the traces."""
    names = ", ".join(f"{failure.planner} ({failure.error})" for failure in failures)
    traces = "\n".join(failure.trace for failure in failures)
    return PlannerFailed(f"planners of {service} failed: {names}\n{traces}")


def place_of(error: Exception) -> str:
    """Type and place of an error, without its message.

    >>> place_of(KeyError("amount"))
    'KeyError'
    """
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return type(error).__name__
    last = frames[-1]
    return f"{type(error).__name__} in {last.filename.rpartition('/')[2]}:{last.lineno} ({last.name})"


def _failure(planner: str, error: Exception) -> Failure:
    return Failure(planner=planner, error=place_of(error), trace="".join(traceback.format_exception(error)))
