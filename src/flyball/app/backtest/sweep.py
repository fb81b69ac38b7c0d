"""The grammar of `--sweep`: one setting with several values, `monitor.psi.act=0.1..0.4:7` or `=0.1,0.2,0.4`."""

import re
from collections.abc import Sequence

from flyball.core.errors import BadInput, Fault
from flyball.core.record import Record

MOST_VALUES = 100
_NUMBER = r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"({_NUMBER})\.\.({_NUMBER}):(\d+)")
_SETTING = re.compile(r"[a-z_]+(?:\.[a-z_0-9]+)+")
EXPECTED = "SETTING=FROM..TO:COUNT or SETTING=VALUE,VALUE,..., such as monitor.psi.act=0.1..0.4:7"


class Sweep(Record):
    """A setting, and the values that it is given one after the other."""

    path: str  # `monitor.psi.act`
    values: tuple[float, ...]


def sweeps(texts: Sequence[str]) -> tuple[Sweep, ...]:
    """Raises: BadInput with the faults of all of them.

    >>> sweeps(["monitor.psi.act=0.1..0.4:4"])[0].values
    (0.1, 0.2, 0.3, 0.4)
    >>> sweeps(["retrain.rest_after=1,2,5"])[0].values
    (1, 2, 5)
    """
    read = [_read(text) for text in texts]
    faults = tuple(each for each in read if isinstance(each, Fault))
    if faults:
        raise BadInput("The sweep is faulty.", faults)
    return tuple(each for each in read if isinstance(each, Sweep))


def _read(text: str) -> Sweep | Fault:
    path, sign, right = text.partition("=")
    faulty = Fault(where="command line", path="--sweep", expected=EXPECTED, found=text)
    if not sign or not _SETTING.fullmatch(path):
        return faulty
    if found := _RANGE.fullmatch(right):
        count = int(found[3])
        if not 2 <= count <= MOST_VALUES:
            return Fault(where="command line", path="--sweep", expected=f"2 to {MOST_VALUES} values", found=text)
        low, high = float(found[1]), float(found[2])
        step = (high - low) / (count - 1)
        return Sweep(path=path, values=tuple(_plain(round(low + step * at, 12)) for at in range(count)))
    values = right.split(",")
    if len(values) > MOST_VALUES or not all(re.fullmatch(_NUMBER, value) for value in values):
        return faulty
    return Sweep(path=path, values=tuple(_plain(float(value)) for value in values))


def _plain(value: float) -> float:
    """A whole number as such: a count of windows is no 3.0."""
    return int(value) if value.is_integer() else value
