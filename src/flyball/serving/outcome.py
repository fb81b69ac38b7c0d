"""Error event, slow event, failed answer: what the words mean, in one place.

They hold for every task and every arm, so that arms can be compared. All are charged to the *assigned* arm, whoever
answered in the end (intention to treat). A row that the contract did not accept, and one that was shed, is neither.
"""

import math

from flyball.core.prediction import Answer, Failure, Outcome

INVALID = Failure(reason="invalid", message="the arm's answer is not finite")


def error_event(own: Answer | Failure | None) -> bool:
    """The assigned arm gave no valid answer of its own by the deadline. None: it gave nothing at all.

    >>> error_event(None), error_event(Failure(reason="dead")), error_event(Answer(prediction=1))
    (True, True, False)
    """
    return not isinstance(own, Answer)


def cut_short(own: Answer | Failure | None) -> bool:
    """No answer in the time that there was. Where that was less than the service's deadline, because the client would
    not wait so long, it is no error event: nobody knows whether the arm would have been in time.

    >>> cut_short(Failure(reason="deadline")), cut_short(Failure(reason="dead"))
    (True, False)
    """
    return isinstance(own, Failure) and own.reason == "deadline"


def own_service_ms(service_ms: float, rows: int, *, joined: bool) -> float:
    """A row's own service time in ms, of an arm's call that answered `rows` rows in `service_ms`.

    The rows of one client's request wait for one another because the client asked so: each took the whole call. Rows
    that came alone and were `joined` by us share it: waiting for such neighbours is queueing, and charging the call to
    each would make one pause of the machine as many slow events as we had joined rows.

    >>> own_service_ms(300.0, 100, joined=False), own_service_ms(300.0, 100, joined=True)
    (300.0, 3.0)
    """
    return service_ms / rows if joined and rows else service_ms


def slow_event(own: Answer | Failure | None, own_ms: float, objective_ms: float) -> bool:
    """An answer of its own whose own service time, queue excluded, lies above `objectives.latency_p99_ms`.

    An arm that never answered is an error event, not a slow one: nobody knows its time.

    >>> slow_event(Answer(prediction=1), 51.0, 50.0), slow_event(None, 2000.0, 50.0)
    (True, False)
    """
    return isinstance(own, Answer) and own_ms > objective_ms


def failed_answer(outcome: Outcome) -> bool:
    """The client got no answer, or a status of 500 or above. Sheds are counted apart."""
    return outcome == "failed"


def valid(answer: Answer | Failure) -> Answer | Failure:
    """The answer, or why it is none: a number that is not finite must not reach a client as a prediction.

    >>> valid(Answer(prediction=1, score=float("nan"))).reason
    'invalid'
    """
    if isinstance(answer, Failure):
        return answer
    prediction = answer.prediction
    if isinstance(prediction, float) and not math.isfinite(prediction):
        return INVALID
    if answer.score is not None and not math.isfinite(answer.score):
        return INVALID
    if answer.scores is not None and not all(map(math.isfinite, answer.scores.values())):
        return INVALID
    return answer
