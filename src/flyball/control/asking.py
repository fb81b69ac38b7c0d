"""What asks for a retraining beside the windows: a message, newly labelled rows, the calendar. Pure.

Each asks for a state and not for runs: however many messages came, or moments passed, since the last training was
ordered, one training answers them all. What came while it ran asks once more.
"""

from collections.abc import Iterator

from msgspec.structs import replace

from flyball.control.decision import Learning, Situation, elapsed_s
from flyball.control.state.service_state import Asked
from flyball.core.clock import moment
from flyball.core.events import Reason
from flyball.core.watching import Diagnosis
from flyball.decide.schedule import due
from flyball.decide.triggers import dead_s, resting


def what_asks(situation: Situation) -> Learning:
    """What the windows ask for. Where they ask for nothing, or have to wait, the first of the others that need not.

    A service that has never had a champion is trained by none of them.
    """
    learning = situation.learning
    if not situation.state.appointed_at or (learning.fired is not None and not learning.waiting_for):
        return learning
    others = [*_by_message(situation), *_by_rows(situation), *_by_calendar(situation)]
    wanted = [learning] if learning.fired is not None else []
    return next((one for one in others if not one.waiting_for), next(iter([*wanted, *others]), learning))


def _by_message(situation: Situation) -> Iterator[Learning]:
    """Of the triggers that the policy listens to. A commit is what a tired loop waits for: somebody has acted."""
    for trigger in situation.service.retrain.triggers:
        asked = situation.state.asked.get(trigger)
        if asked is not None:
            tired = () if trigger == "commit" else _tired(situation)
            yield _asking(situation, trigger, f"{trigger}: {_told(asked)}", tired)


def _told(asked: Asked) -> str:
    received = asked.received
    more = f", the newest of {asked.messages} messages" if asked.messages > 1 else ""
    return f"{received.source} {received.reference}, said by {received.by} ({received.proof}){more}"


def _by_rows(situation: Situation) -> Iterator[Learning]:
    retrain, rows = situation.service.retrain, situation.learning.fresh_rows
    wanted = retrain.new_data_rows
    if "new_data" in retrain.triggers and wanted is not None and rows >= wanted:
        why = f"new_data: {rows} rows got their label since the last training, {wanted} ask for one"
        yield _asking(situation, "new_data", why, _tired(situation))


def _by_calendar(situation: Situation) -> Iterator[Learning]:
    """It counts from the last training, ticket or champion, so it asks once however many moments have passed."""
    state, schedule = situation.state, situation.service.retrain.schedule
    if schedule is None:
        return
    since = max(state.appointed_at, state.retrained_at, state.ticketed_at)
    moment_due = due(schedule, moment(since), moment(situation.now))
    if moment_due is not None:
        why = f"schedule: {schedule} was due at {moment_due:%Y-%m-%d %H:%M} UTC"
        yield _asking(situation, "schedule", why, ())


def _asking(situation: Situation, fired: Reason, why: str, tired: tuple[str, ...]) -> Learning:
    learning = situation.learning
    diagnosis = learning.diagnosis or Diagnosis(kind="unknown", reason="no window has been seen", remedy="none")
    broken = ("the supply to be repaired, or to settle as the new normal",) if diagnosis.remedy == "repair" else ()
    waiting = (*broken, *_too_soon(situation), *tired)
    return replace(learning, fired=fired, why=why, diagnosis=diagnosis, waiting_for=waiting, evidence=())


def _too_soon(situation: Situation) -> tuple[str, ...]:
    last, dead = situation.state.retrained_at, dead_s(situation.service)
    gone = elapsed_s(last, situation.now) if last else dead
    return () if gone >= dead else (f"the cool-down to end in {dead - gone:.0f} s",)


def _tired(situation: Situation) -> tuple[str, ...]:
    return resting(situation.service, situation.state.without_gain)
