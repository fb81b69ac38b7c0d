"""What a rule of the policy may read, each fact with its type: checked when the file is read."""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, get_args

from flyball.core import expression
from flyball.core.fact import Reason

FIGURES = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 100}
_GATE = re.compile(r"""\bgates\s*\[\s*(?:"([^"]+)"|'([^']+)')\s*\]""")


NOW: dict[str, Any] = {  # changes while a release is tried
    "hour": 12,  # of the day, UTC, 0 to 23
    "weekday": 5,  # 1 is Monday, 7 Sunday, UTC
    "incident": False,  # a quality incident is open
    "drift": False,  # a drift signal stands at its act limit
    "risk": False,  # a risk signal stands at its act limit
    "weight": 0.1,  # share of the units that the candidate answers now
    "champion_age_h": 1.5,  # since it was appointed, hours
    "rollouts_this_week": 1,  # opened in the last seven days
    "rolled_back_this_week": 1,  # candidates and champions that were taken back in them
    "retrains_this_week": 1,  # trainings ordered in them, by the loop or by people
}
OF_RELEASE: dict[str, Any] = {  # stays as it is
    "by_exception": False,  # the release failed a gate that two people let pass
    "by_person": False,  # a person had it trained
    "failed_rollouts": 0,  # of this release: ended without a promotion, or it was undone later
    "reason": "drift",  # why it was trained
    "trained_rows": 1000,
    "holdout_rows": 1000,
}
_OF_ROLLOUT: dict[str, Any] = {
    "underpowered": False,  # a step of it cannot answer in its time, which somebody accepts; not there: nobody can tell
}
OF_ACTION: dict[str, dict[str, Any]] = {
    "canary": _OF_ROLLOUT,
    "promote": _OF_ROLLOUT,
    "retrain": {"trigger": "drift"},  # what asks for the training
    "heal": {
        "health": "UNHEALTHY",  # of the service
        "severity": "critical",  # of the sign: warning, critical, failed
        "incidents_today": 1,  # of this cause, in the last 24 hours
        "remedies_today": 1,  # against this cause, in the last 24 hours
    },
    "exception": {"gate": "fairness"},  # that is to be let pass: its name, without one its condition
}
NUMBERS = tuple(name for name, value in (NOW | OF_RELEASE).items() if type(value) in (int, float))
REASONS: tuple[str, ...] = get_args(Reason)
VERDICTS = ("PASS", "FAIL", "INCONCLUSIVE")
_COMPARED = re.compile(r"""\bgates\s*\[[^\]]*\]\s*[!=]=\s*(?:"([^"]*)"|'([^']*)')""")
_WHY = re.compile(r"""\b(reason|trigger)\s*[!=]=\s*(?:"([^"]*)"|'([^']*)')""")
TRUTHS = tuple(name for name, value in (NOW | OF_RELEASE | _OF_ROLLOUT).items() if type(value) is bool)
BOUNDS = {"hour": (0, 23), "weekday": (1, 7), "weight": (0, 1)}
_TRUTH_AND_TEXT = re.compile(rf"""\b({"|".join(TRUTHS)})\s*[!=]=\s*["']""")
_LITERAL = re.compile(rf"""\b({"|".join(BOUNDS)})\s*(?:[!=]=|[<>]=?)\s*(-?\d+(?:\.\d+)?)""")
_NUMBER_AND_TEXT = re.compile(rf"""\b({"|".join(NUMBERS)})\s*[!=]=\s*["']""")


def sample(text: str, action: str = "promote") -> dict[str, Any]:
    """Each fact that a rule about the action may read, with a value of its type; of gates and metrics those that the
    text names."""
    gates = [next(filter(None, found)) for found in _GATE.findall(text)]
    figures = {"metrics": dict.fromkeys(expression.reads(text), FIGURES), "gates": dict.fromkeys(gates, "PASS")}
    return NOW | OF_RELEASE | OF_ACTION.get(action, {}) | figures


def asked(text: str, action: str, facts: Mapping[str, Any]) -> expression.Told:
    """What the condition of a rule about the action says of the facts. Only a plain no is `it is false`.

    >>> asked("hour >= 15", "promote", {"hour": 16}).passed, asked("hour >= 15", "promote", {"hour": 9}).reason
    (True, 'it is false')
    >>> told = asked("hour >= 15", "promote", {})  # nobody knows the time
    >>> told.passed, told.reason == "it is false"
    (False, False)
    """
    return expression.answered(text, facts, _unfit(text, action))


@lru_cache(maxsize=1024)
def _unfit(text: str, action: str) -> str | None:
    """A rule that waits is asked some times a second, and its text stays as it is."""
    return expression.fault(text, sample(text, action))


def fault(text: str, *, action: str = "promote", lasting: bool = False) -> str | None:
    """What is wrong with the condition of a rule; None where it can be asked. Args: lasting: of a rule that is asked
    once, with the approval, and so may read only what stays.

    >>> fault("weekday == 5 && hour >= 15")
    >>> fault("weekend")[:44]
    'there is no variable weekend: expected by_ex'
    >>> fault("hour + 1")
    'it gives int: expected true or false'
    >>> fault('trigger == "schedul"', action="retrain")[:37]
    'trigger is one of first, drift, risk,'
    >>> fault("hour > 30"), fault('drift == "yes"')[:44]
    ('hour is 0 to 23, never 30', 'it compares drift, which is true or false, w')
    """
    known = {name: value for name, value in sample(text, action).items() if not (lasting and name in NOW)}
    wrong = expression.fault(text, known)
    if wrong is None and (number := _NUMBER_AND_TEXT.search(text)):
        wrong = f"it compares the number {number[1]} with a text, which is never equal"
    if wrong is None and (truth := _TRUTH_AND_TEXT.search(text)):
        wrong = f"it compares {truth[1]}, which is true or false, with a text, which is never equal"
    wrong = wrong or _beyond(text) or _word(text)
    if wrong is None and (told := expression.answered(text, known, None)).missing:
        wrong = f"it reads what no fact has ({told.reason}): a metric has {', '.join(FIGURES)}"
    return wrong


def _beyond(text: str) -> str | None:
    """A number that a fact never reaches: the rule would bind always or never."""
    for name, said in _LITERAL.findall(text):
        low, high = BOUNDS[name]
        if not low <= float(said) <= high:
            return f"{name} is {low} to {high}, never {said}"
    return None


def _word(text: str) -> str | None:
    """A text that a fact is compared with and never is."""
    for one, other in _COMPARED.findall(text):
        if (said := one or other) not in VERDICTS:
            return f"a gate says {', '.join(VERDICTS[:-1])} or {VERDICTS[-1]}, never {said!r}"
    for name, one, other in _WHY.findall(text):
        if (said := one or other) not in REASONS:
            return f"{name} is one of {', '.join(REASONS)}, never {said!r}"
    return None


def gates_of(text: str) -> frozenset[str]:
    """Gates that the text names.

    >>> sorted(gates_of('gates["fairness"] == "PASS" && hour > 6'))
    ['fairness']
    """
    return frozenset(next(filter(None, found)) for found in _GATE.findall(text))
