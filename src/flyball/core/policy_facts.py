"""What a rule of the policy may read, each fact with its type: checked when the file is read."""

import re
from typing import Any

from flyball.core import expression

FIGURES = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 100}
_GATE = re.compile(r"""\bgates\s*\[\s*(?:"([^"]+)"|'([^']+)')\s*\]""")


def sample(text: str) -> dict[str, Any]:
    """Each fact with a value of its type; of gates and metrics those that the text names."""
    gates = [next(filter(None, found)) for found in _GATE.findall(text)]
    return {
        "hour": 12,  # of the day, UTC, 0 to 23
        "weekday": 5,  # 1 is Monday, 7 Sunday, UTC
        "incident": False,  # a quality incident is open
        "by_exception": False,  # the release failed a gate that two people let pass
        "reason": "drift",  # why it was trained
        "trained_rows": 1000,
        "holdout_rows": 1000,
        "weight": 0.1,  # share of the units that the candidate answers now
        "champion_age_h": 1.5,  # since it was appointed, hours
        "metrics": dict.fromkeys(expression.reads(text), FIGURES),  # of the release
        "gates": dict.fromkeys(gates, "PASS"),  # verdict of each: PASS, FAIL, INCONCLUSIVE
    }


VERDICTS = ("PASS", "FAIL", "INCONCLUSIVE")
_COMPARED = re.compile(r"""\bgates\s*\[[^\]]*\]\s*[!=]=\s*(?:"([^"]*)"|'([^']*)')""")
_NUMBER_AND_TEXT = re.compile(r"""\b(hour|weekday|trained_rows|holdout_rows|weight|champion_age_h)\s*[!=]=\s*["']""")
CHANGING = ("hour", "weekday", "incident", "weight", "champion_age_h")  # the rest is of the release, and stays


def fault(text: str, *, lasting: bool = False) -> str | None:
    """What is wrong with the condition of a rule; None where it can be asked. Args: lasting: of a rule that is asked
    once, for the approval, and so may read only what stays.

    >>> fault("weekday == 5 && hour >= 15")
    >>> fault("weekend")
    'there is no variable weekend: expected by_exception, champion_age_h, gates, holdout_rows, hour, incident, \
metrics, reason, trained_rows, weekday or weight'
    >>> fault("hour + 1")
    'it gives int: expected true or false'
    """
    known = {name: value for name, value in sample(text).items() if not (lasting and name in CHANGING)}
    wrong = expression.fault(text, known)
    if wrong is None and (number := _NUMBER_AND_TEXT.search(text)):
        wrong = f"it compares the number {number[1]} with a text, which is never equal"
    said = next((name for found in _COMPARED.findall(text) if (name := found[0] or found[1]) not in VERDICTS), None)
    if wrong is None and said is not None:
        wrong = f"a gate says {', '.join(VERDICTS[:-1])} or {VERDICTS[-1]}, never {said!r}"
    if wrong is None and (told := expression.judged(text, known, known)).missing:
        wrong = f"it reads what no fact has ({told.reason}): a metric has {', '.join(FIGURES)}"
    return wrong


def gates_of(text: str) -> frozenset[str]:
    """Gates that the text names.

    >>> sorted(gates_of('gates["fairness"] == "PASS" && hour > 6'))
    ['fairness']
    """
    return frozenset(next(filter(None, found)) for found in _GATE.findall(text))
