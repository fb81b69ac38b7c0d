"""Whether a sick release is asked at all: a circuit breaker, as a state machine without a clock.

    closed ----(in the last ten seconds at least `min_calls`, and `share` of them failed)----> open
    open ------(its pause is over: one call is let through)--------------------------------> half open
    half open -(three probes in a row succeed)---------------------------------------------> closed
    half open -(a probe fails: the pause doubles, up to a minute)--------------------------> open

While it is open nobody waits for the release and it gets no work; rows go to its stand-ins at once, charged to it as
before. What counts as a failed call is the caller's to say (`failed_call`): a process that is not there fails by itself
at once, and a full queue is no sickness.
"""

from collections.abc import Sequence
from typing import Literal

from flyball.core.declared.serving import Breaking
from flyball.core.prediction import Answer, ArmReply, Failure

State = Literal["closed", "open", "half_open"]
STATES: tuple[State, ...] = ("closed", "open", "half_open")
NUMBERS = 12  # of a breaker that is kept as numbers; the place of some of them:
STATE, OPENED, WINDOW, CALLS = 0, 1, 7, 8
CLOSED = 0.0
WINDOW_S = 10.0
PROBES = 3  # successes in a row that close it
MOST_PAUSE_S = 60.0
OPEN = Failure(reason="open", message="the release has failed too often: its circuit is open for a while")


def failed_call(reply: ArmReply | Failure, *, alive: bool, patient: bool) -> bool | None:
    """Did the call fail? None: it says nothing about the release's health.

    `alive`: it has answered others since this was asked, so a late answer is a queue. `patient`: the caller gave it
    as much time as the service declares for an answer; a client's short deadline makes nobody sick.

    >>> failed_call(Failure(reason="deadline"), alive=False, patient=True)
    True
    >>> failed_call(Failure(reason="deadline"), alive=True, patient=True)
    >>> failed_call(Failure(reason="dead"), alive=False, patient=True)
    """
    if isinstance(reply, ArmReply):
        # rows that came together are one call: were one answer enough, a release that fails most rows were never sick
        answered = sum(isinstance(answer, Answer) for answer in reply.answers)
        return 2 * answered < len(reply.answers)
    match reply.reason:
        case "exception" | "invalid":
            return True
        case "deadline":
            return True if patient and not alive else None
        case _:
            return None


def window_of(now: float) -> int:
    """Calls are counted by halves of `WINDOW_S`."""
    return int(now // (WINDOW_S / 2))


class Breaker:
    """Of one release. Times are monotonic seconds, handed in, and never go back."""

    def __init__(self, declared: Breaking, *, probe_s: float) -> None:
        """`probe_s`: a probe of which nothing was heard for so long is lost, and another may go."""
        self._share, self._least, self._first_pause_s = declared.share, declared.min_calls, declared.open_s
        self._probe_s = probe_s
        self.state: State = "closed"
        self.opened = 0  # times; a call that began before the last of them has nothing to say any more
        self._pause_s, self._until = declared.open_s, 0.0
        self._probed: float | None = None  # when the probe under way began
        self._succeeded = 0
        self._window, self._now, self._before = 0, (0, 0), (0, 0)  # (calls, failures) of this window and the last

    def allows(self, now: float) -> bool:
        """May the release be asked now? A yes while it is not closed is the probe: its outcome has to be told."""
        if self.state == "closed":
            return True
        if self.state == "open":
            if now < self._until:
                return False
            self.state, self._succeeded, self._probed = "half_open", 0, None
        if self._probed is not None and now - self._probed < self._probe_s:
            return False
        self._probed = now
        return True

    def told(self, failed: bool, now: float) -> None:
        """The outcome of a call."""
        match self.state:
            case "closed":
                self._count(failed, now)
                calls, failures = (a + b for a, b in zip(self._now, self._before, strict=True))
                if failed and calls >= self._least and failures >= self._share * calls:
                    self._open(now, self._first_pause_s)
            case "half_open":
                self._probed = None
                self._succeeded = 0 if failed else self._succeeded + 1
                if failed:
                    self._open(now, min(MOST_PAUSE_S, 2.0 * self._pause_s))
                elif self._succeeded >= PROBES:
                    self.state, self._now, self._before = "closed", (0, 0), (0, 0)
            case "open":
                return  # asked before it opened

    def released(self) -> None:
        """The probe ended without saying anything: another may go."""
        self._probed = None

    def numbers(self) -> tuple[float, ...]:
        """All that it knows, as `NUMBERS` numbers; a breaker that knows nothing is all zero."""
        return (
            STATES.index(self.state),
            self.opened,
            self._pause_s,
            self._until,
            0.0 if self._probed is None else 1.0,
            self._probed or 0.0,
            self._succeeded,
            self._window,
            *self._now,
            *self._before,
        )

    def know(self, numbers: Sequence[float]) -> None:
        """Go on where another left off."""
        state, opened, self._pause_s, self._until, probing, probed, succeeded, window, *counts = numbers
        self.state, self.opened, self._succeeded = STATES[int(state)], int(opened), int(succeeded)
        self._probed, self._window = (probed if probing else None), int(window)
        self._now, self._before = (int(counts[0]), int(counts[1])), (int(counts[2]), int(counts[3]))

    def _open(self, now: float, pause_s: float) -> None:
        self.state, self._pause_s, self._until = "open", pause_s, now + pause_s
        self.opened += 1

    def _count(self, failed: bool, now: float) -> None:
        window = window_of(now)
        if window != self._window:
            self._before = self._now if window == self._window + 1 else (0, 0)
            self._window, self._now = window, (0, 0)
        self._now = (self._now[0] + 1, self._now[1] + failed)
