"""What a part of the loop leaves behind that raised: its name, type and place of the error, and the trace. Pure."""

import traceback
from types import TracebackType
from typing import NoReturn

from flyball.core.errors import FlyballError
from flyball.core.record import Record

MONITOR = "monitor"  # what it has seen of the service
JUDGE = "judge"  # of the step that runs, and of what a rollout could see


class Failure(Record):
    """One planner that raised, or a part of the look: the monitor, the judge."""

    planner: str
    error: str  # type and place: `KeyError in choosing.py:69 (choose)`
    trace: str  # for the log


class HalfCounted(FlyballError):
    """What the monitor needed for a pane was away when it had counted some of it: no trying again makes that good."""


class Again:
    """An error that stands: raised as it was the first time, so that it is told once."""

    def __init__(self, error: Exception) -> None:
        self._error, self._trace = error, error.__traceback__

    def throw(self) -> NoReturn:
        trace: TracebackType | None = self._trace  # each raise would add its own frames to what the one before left
        raise self._error.with_traceback(trace)


def failure(planner: str, error: Exception) -> Failure:
    return Failure(planner=planner, error=place_of(error), trace="".join(traceback.format_exception(error)))


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
