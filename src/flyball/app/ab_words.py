"""The arms of an A/B test and their weights, as a person writes them on the command line."""

import re
from collections.abc import Sequence

from flyball.contracts.durations import seconds
from flyball.core.arms import MOST_ARMS, WORDS_OF_OUR_OWN
from flyball.core.errors import BadInput, Fault
from flyball.core.record import Record
from flyball.core.routing import WHOLE

_ARM = re.compile(r"(?P<name>[a-z][a-z0-9_-]{0,30})=(?P<release>[^:]*(?::[^:]*)?):(?P<weight>[^:]+)")
_WEIGHT = re.compile(r"(?P<name>[a-z][a-z0-9_-]{0,30})=(?P<weight>[^:=]+)")


class Wanted(Record):
    """One arm as a person writes it: `b=sha256:4e86…:12.5%`."""

    name: str
    release: str  # root, 8 or more of its first hex digits, or `champion`
    weight: int  # of 10,000


def arms_of(texts: Sequence[str]) -> tuple[Wanted, ...]:
    """Raises: BadInput: all that is wrong with them.

    >>> arms_of(["b=4e86aa01:12.5%", "aa=champion:0.1"])
    (Wanted(name='b', release='4e86aa01', weight=1250), Wanted(name='aa', release='champion', weight=1000))
    """
    faults: list[Fault] = []
    found: list[Wanted] = []
    for text in texts:
        match = _ARM.fullmatch(text)
        weight = weight_of(match["weight"]) if match else None
        if match is None or weight is None or weight == 0:
            expected = (
                "NAME=RELEASE:WEIGHT, a weight above 0 in steps of 0.01 %, such as b=4e86aa01:12.5% or b=4e86aa01:0.125"
            )
            faults.append(fault("--arm", expected, text))
        else:
            found.append(Wanted(name=match["name"], release=match["release"], weight=weight))
    names = [each.name for each in found]
    if not 1 <= len(texts) <= MOST_ARMS:
        faults.append(fault("--arm", f"1 to {MOST_ARMS} arms beside the champion", str(len(texts))))
    if len(set(names)) < len(names):
        faults.append(fault("--arm", "a name of its own for each arm", ", ".join(names)))
    if taken := sorted(WORDS_OF_OUR_OWN & set(names)):
        faults.append(
            fault(
                "--arm", f"a name that means nothing else, not {', '.join(sorted(WORDS_OF_OUR_OWN))}", ", ".join(taken)
            )
        )
    if sum(each.weight for each in found) >= WHOLE:
        total = f"{sum(each.weight for each in found) / 100:g} %"
        faults.append(
            fault("--arm", "weights that leave the champion 0.01 % or more: arms are compared with it", total)
        )
    _refuse(faults)
    return tuple(found)


def weights_of(texts: Sequence[str]) -> dict[str, int]:
    """Weights by arm, of 10,000; 0 leaves an arm without units. Raises: BadInput.

    >>> weights_of(["b=20%", "c=0"])
    {'b': 2000, 'c': 0}
    """
    faults, found = [], {}
    for text in texts:
        match = _WEIGHT.fullmatch(text)
        weight = weight_of(match["weight"]) if match else None
        if match is None or weight is None or match["name"] in found:
            faults.append(
                fault("ARM=WEIGHT", "each arm once, with a weight in steps of 0.01 %, such as b=12.5% or b=0.125", text)
            )
        else:
            found[match["name"]] = weight
    if not texts:
        faults.append(fault("ARM=WEIGHT", "at least one", "none"))
    _refuse(faults)
    return found


def weight_of(text: str) -> int | None:
    """A share of units as people write it, of 10,000; None: it is none, or finer than 0.01 %.

    >>> weight_of("12.5%"), weight_of("0.125"), weight_of("0.01%"), weight_of("0.001%"), weight_of("101%")
    (1250, 1250, 1, None, None)
    """
    number = text.strip().removesuffix("%").strip()
    try:
        buckets = float(number) * (100.0 if text.strip().endswith("%") else WHOLE)
    except ValueError:
        return None
    if not 0.0 <= buckets <= WHOLE or abs(buckets - round(buckets)) > 1e-6:
        return None
    return round(buckets)


def length_of(text: str | None) -> float | None:
    """How long the test may take, seconds. Raises: BadInput.

    >>> length_of("14d"), length_of(None)
    (1209600.0, None)
    """
    found = None if text is None else seconds(text)
    if text is not None and not found:
        _refuse([fault("--for", "a duration such as 12h or 14d", text)])
    return found


def fault(path: str, expected: str, found: str) -> Fault:
    """Of the command line."""
    return Fault(where="command line", path=path, expected=expected, found=found)


def _refuse(faults: Sequence[Fault]) -> None:
    if faults:
        raise BadInput("The arms are faulty.", tuple(faults))
