"""CEL conditions over the evidence: compiled where they are declared, true or refused where they are judged.

CEL has no loops but its macros (`all`, `exists`, `map`, `filter`), so its time is bounded by the text: at most
MAX_LENGTH characters and MAX_MACROS macros, a quarter of a second over a thousand measures. What a condition reads has
to be there: a missing key, a missing variable or a type that does not fit is missing evidence, never `false` or zero.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from flyball.core.measures import suite_of_test
from flyball.core.record import Record

VARIABLES = ("champion", "cost", "grade", "latency", "metrics", "rows", "suites", "tests")
FUNCTIONS = frozenset(
    {"bool", "contains", "double", "endsWith", "has", "int", "max", "min", "size", "startsWith", "string", "uint"}
)
MAX_LENGTH = 1000
MAX_MACROS = 2
_MACRO = re.compile(r"\.\s*(?:all|exists|exists_one|map|filter)\s*\(\s*(\w+)\s*,")
_READ = re.compile(r"""\b(?:metrics|champion)\s*(?:\.\s*(\w+)\b(?!\s*\()|\[\s*(?:"([^"]+)"|'([^']+)')\s*\])""")
_LATENCY = re.compile(r"""\blatency\s*(?:\.\s*(\w+)\b(?!\s*\()|\[\s*(?:"([^"]+)"|'([^']+)')\s*\])""")
_TEST = re.compile(r"""\btests\s*(?:\.\s*(\w+)\b(?!\s*\()|\[\s*(?:"([^"]+)"|'([^']+)')\s*\])""")
_SUITE = re.compile(r"""\bsuites\s*(?:\.\s*(\w+)\b(?!\s*\()|\[\s*(?:"([^"]+)"|'([^']+)')\s*\])""")


class Told(Record):
    """What an expression said."""

    passed: bool
    reason: str
    missing: bool = False  # what it reads is not there


def fault(text: str, sample: Mapping[str, Any] | None = None) -> str | None:
    """What is wrong with the text of a condition, in words; None where it can be judged.

    Sample: facts of another kind than the evidence of a release, each with a value of its type.

    >>> fault("metrics.roc_auc.value > 0.8")
    >>> fault("metrics.roc_auc.value >").startswith("Syntax error")
    True
    >>> fault("metrics.roc_auc > 0.8")
    'it compares what has no order: a metric has value, low, high and n, as in metrics.roc_auc.low'
    >>> fault("metrix.roc_auc.value > 0.8")
    'there is no variable metrix: expected champion, cost, grade, latency, metrics, rows, suites or tests'
    """
    if len(text) > MAX_LENGTH:
        return f"it has {len(text)} characters: expected at most {MAX_LENGTH}, so that its time is bounded"
    macros = _MACRO.findall(text)
    if len(macros) > MAX_MACROS:
        return f"it has {len(macros)} macros: expected at most {MAX_MACROS}, so that its time is bounded"
    try:
        program = _program(text)
    except ValueError as error:
        return _first_line(str(error))
    names = VARIABLES if sample is None else tuple(sorted(sample))
    bound = {*names, *macros}
    unknown = sorted(name for name in program.variables() if name not in bound and not name.startswith("@"))
    if unknown:
        return f"there is no variable {unknown[0]}: expected {', '.join(names[:-1])} or {names[-1]}"
    called = sorted(name for name in program.functions() if name.isidentifier() and name not in FUNCTIONS)
    called = [name for name in called if not name.startswith("_")]
    if called:
        return f"there is no function {called[0]}: expected one of {', '.join(sorted(FUNCTIONS))}"
    if not any(name in names for name in program.variables()):
        return f"it reads no evidence, so that it always says the same: expected one of {', '.join(names)}"
    return _tried(text, _evidence(text) if sample is None else sample)


def _tried(text: str, sample: Mapping[str, Any]) -> str | None:
    """What goes wrong when the condition is asked about evidence that has every name in it; None where nothing does."""
    try:
        answer = _program(text).execute(dict(sample))
    except TypeError as error:
        if "overload" not in str(error):
            return None  # evidence of another form may suit it
        named = [name for name in sample["metrics"] if not name.startswith("latency_")]
        if not named and "tests" not in sample:
            return "it compares values of different types"
        metric = min(named, default="roc_auc")
        return f"it compares what has no order: a metric has value, low, high and n, as in metrics.{metric}.low"
    except (RuntimeError, KeyError, ValueError, ArithmeticError, IndexError):
        return None  # what is computed from names that the text does not hold shows itself with the evidence
    return None if isinstance(answer, bool) else f"it gives {type(answer).__name__}: expected true or false"


def _evidence(text: str) -> dict[str, Any]:
    """Evidence of a release that has every name in it that the text reads."""
    figures = {"value": 0.5, "low": 0.4, "high": 0.6, "n": 100}
    named = dict.fromkeys(reads(text), figures)
    told = dict.fromkeys((*verdicts(text), *suites(text)), "PASS")
    sample: dict[str, Any] = {
        "metrics": named,
        "champion": named,
        "tests": told,
        "suites": told,
        "cost": 1.0,
        "grade": "A",
    }
    sample |= {"rows": {"trained": 100, "holdout": 100, "shared": 100}}
    sample |= {"latency": {name.removeprefix("latency_"): 1.0 for name in named if name.startswith("latency_")}}
    return sample


def reads(text: str) -> frozenset[str]:
    """Metrics and measures that the text names; what it looks up by a computed name is not seen.

    >>> sorted(reads('metrics.roc_auc.value > 0.8 && metrics["slice.worst.roc_auc"].low > champion.pr_auc.value'))
    ['pr_auc', 'roc_auc', 'slice.worst.roc_auc']
    >>> sorted(reads("latency.p99_ms < 20.0 && cost < 3.0"))
    ['latency_p99_ms']
    """
    return _names(_READ, text) | {f"latency_{name}" for name in _names(_LATENCY, text)}


def suites(text: str) -> frozenset[str]:
    """Suites whose verdict, or the verdict of one of whose tests, the text names.

    >>> sorted(suites('suites.privacy == "PASS" && tests["deterministic"] == "PASS"'))
    ['privacy', 'training']
    """
    of_tests = {found for name in verdicts(text) if (found := suite_of_test(name)) is not None}
    return _names(_SUITE, text) | of_tests


def verdicts(text: str) -> frozenset[str]:
    """Tests whose verdict the text names.

    >>> sorted(verdicts('tests["target leak"] == "PASS" && tests.finite == "PASS"'))
    ['finite', 'target leak']
    """
    return _names(_TEST, text)


def judged(text: str, variables: Mapping[str, Any]) -> Told:
    """Whether the condition holds of the evidence of a release; anything but true is no.

    >>> judged("metrics.mae.value < 3.0", {"metrics": {"mae": {"value": 2.0}}}).passed
    True
    >>> judged("metrics.rmse.value < 3.0", {"metrics": {}}).reason
    'missing evidence: rmse'
    """
    return answered(text, variables, fault(text))


def answered(text: str, variables: Mapping[str, Any], wrong: str | None) -> Told:
    """The same of a condition that was looked at before. Wrong: what `fault` said of it."""
    if wrong is not None:
        return Told(passed=False, reason=f"the expression cannot be judged: {wrong}")
    try:
        answer = _program(text).execute(dict(variables))
    except KeyError as error:
        return Told(passed=False, missing=True, reason=f"missing evidence: {error.args[0] if error.args else error}")
    except (RuntimeError, TypeError, ValueError, ArithmeticError, IndexError) as error:
        absent = [name for name in VARIABLES if name not in variables and re.search(rf"\b{name}\b", text)]
        if absent:
            return Told(passed=False, missing=True, reason=f"missing evidence: {', '.join(absent)}")
        return Told(passed=False, reason=f"the expression has no value: {_first_line(str(error))}")
    if answer is True:
        return Told(passed=True, reason="it is true")
    if answer is False:
        return Told(passed=False, reason="it is false")
    return Told(passed=False, reason=f"expected true or false, found {type(answer).__name__}")


@lru_cache(maxsize=256)
def _program(text: str) -> Any:
    import cel  # 0.2 s, and only who declares an expression pays

    return cel.compile(text)


def _names(pattern: re.Pattern[str], text: str) -> frozenset[str]:
    return frozenset(next(filter(None, found)) for found in pattern.findall(text))


def _first_line(message: str) -> str:
    message = message.split("ERROR: <input>:")[-1] if "ERROR: <input>:" in message else message
    place, _, rest = message.splitlines()[0].partition(": ")
    return f"{rest} (at {place})" if re.fullmatch(r"\d+:\d+", place) else message.splitlines()[0]
