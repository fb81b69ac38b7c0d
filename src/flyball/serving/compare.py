"""When two answers to one row say the same: the comparators of `serving.shadow.compare`.

Numbers that are compared are the prediction of a regression and the score of a binary task.
"""

from flyball.core.declared.serving import Compare
from flyball.core.prediction import Answer

REGRESSION_TOLERANCE = 0.01  # without a declaration two regressions agree within this share of the larger of the two


def agree(declared: Compare | None, one: Answer, other: Answer) -> bool:
    """Whether they agree. None: classes have to be equal, numbers within 1 % of the larger.

    >>> near, far = Answer(prediction=9.99), Answer(prediction=11.0)
    >>> [agree(None, Answer(prediction=10.0), other) for other in (near, far)]
    [True, False]
    >>> agree(Compare(kind="absolute", tolerance=1.5), near, far)
    True
    """
    if one.withheld or other.withheld:  # one of their own filters kept the row from the model
        return one.withheld and other.withheld
    match declared.kind if declared else None:
        case "absolute":
            return _apart(one, other) <= _tolerance(declared)
        case "relative":
            return _apart(one, other) <= _tolerance(declared) * _larger(one, other)
        case "ranking":
            return _ranking(one, declared) == _ranking(other, declared)
        case "distribution":
            return distance(one, other) <= _tolerance(declared)
        case None if isinstance(one.prediction, float) and isinstance(other.prediction, float):
            return _apart(one, other) <= REGRESSION_TOLERANCE * _larger(one, other)
        case _:
            return one.prediction == other.prediction


def distance(one: Answer, other: Answer) -> float:
    """Total variation distance of the classes' probabilities, 0 to 1; of a binary task the difference of the scores.

    >>> distance(Answer(prediction="a", scores={"a": 0.6, "b": 0.4}), Answer(prediction="b", scores={"b": 1.0}))
    0.6
    """
    if one.scores is None or other.scores is None:
        return abs((one.score or 0.0) - (other.score or 0.0))
    classes = one.scores.keys() | other.scores.keys()
    return sum(abs(one.scores.get(name, 0.0) - other.scores.get(name, 0.0)) for name in classes) / 2


def _ranking(answer: Answer, declared: Compare | None) -> list[str]:
    """The likeliest classes; equal probabilities in the order of the names."""
    scores = answer.scores or {}
    return sorted(scores, key=lambda name: (-scores[name], name))[: declared.top if declared else None]


def _tolerance(declared: Compare | None) -> float:
    return declared.tolerance if declared else 0.0


def _apart(one: Answer, other: Answer) -> float:
    return abs(_number(one) - _number(other))


def _larger(one: Answer, other: Answer) -> float:
    return max(abs(_number(one)), abs(_number(other)))


def _number(answer: Answer) -> float:
    return answer.score if answer.score is not None else float(answer.prediction)
