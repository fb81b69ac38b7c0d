"""The counts and tests of the arms of an A/B test, kept per row in one worker's slot.

Theory of operation. As in `accounting.py`, for k arms beside the champion. Between two events of a kind, whosever they
are, we count the distinct units of the risk set, of each arm. At an event of arm j the test of j against the champion
gets one increment, with w = the share of j among j's and the champion's units of the interval; at an event of the
champion each test gets one. Then the interval begins anew for all. That is right for each pair: of two arms that fail
alike every order of their units in the interval is equally likely, and an interval that another arm's event ended says
nothing of the pair, because when it ended did not depend on whose the pair's units were. With one arm it is the test of
a rollout, number for number.

Arms are told apart by their place in the table, which a test never changes. Place 0 is the champion.
"""

from collections.abc import Sequence

from flyball.core.arms import CHAMPION, MOST_ARMS, Arm
from flyball.core.routing import WHOLE, ArmCounts, ArmEvidence, TestSums
from flyball.core.service import Guardrails
from flyball.serving.counting.counter_file import BITS, Bitmap, Slot
from flyball.stats.sequential_tests.sequential import increment

_PLACES = MOST_ARMS + 1
_REQUESTS, _UNITS, _ERRORS, _SLOW, _FAILED = range(5)
_STEP, _TOTAL = 0, 5 * _PLACES  # five integers an arm; the total is of the steps before
_SEEN = {"errors": 10 * _PLACES, "slow": 11 * _PLACES}  # units of each arm in the interval
_INTEGERS = 12 * _PLACES
_LOG_E = {"errors": _INTEGERS, "slow": _INTEGERS + _PLACES}  # as floats


class ArmCounters:
    """One worker's part, in the area of its slot that is theirs."""

    def __init__(self, slot: Slot) -> None:
        self._ints, self._floats = slot.arm_ints, slot.arm_floats
        self._seen = slot.seen
        self._kinds = {"errors": (slot.errors_done, slot.errors_seen), "slow": (slot.slow_done, slot.slow_seen)}
        self._places: dict[str, int] = {CHAMPION: 0}
        self._ratios: dict[str, float] | None = None

    def route(self, arms: Sequence[Arm], rails: Guardrails | None) -> None:
        """Go on with these arms. Raises: ValueError: more than there is room for."""
        if len(arms) > MOST_ARMS:
            raise ValueError(f"expected at most {MOST_ARMS} arms, found {len(arms)}")
        self._places = {CHAMPION: 0} | {arm.name: place for place, arm in enumerate(arms, 1)}
        self._ratios = None if rails is None else {"errors": rails.errors.ratio, "slow": rails.slow.ratio}

    def turn_page(self, *, same_test: bool) -> None:
        """Zero the step; carry the test's sums on, or zero them too. The sets of units are `Accounting`'s to empty."""
        ints = self._ints
        for at in range(5 * _PLACES):
            ints[_TOTAL + at] = ints[_TOTAL + at] + ints[_STEP + at] if same_test else 0
            ints[_STEP + at] = 0
        self._begin("errors")
        self._begin("slow")
        if not same_test:
            for at in range(2 * _PLACES):
                self._floats[_INTEGERS + at] = 0.0

    def assigned(self, arm: str, hashed: int) -> None:
        """One row whose arm was chosen."""
        if self._seen.add(hashed // WHOLE % BITS):
            self._ints[_STEP + 5 * self._places[arm] + _UNITS] += 1

    def row(self, arm: str, hashed: int, error: bool, slow: bool, failed: bool) -> None:
        """One row that its assigned arm was asked to answer."""
        ints, place = self._ints, self._places[arm]
        start = _STEP + 5 * place
        ints[start + _REQUESTS] += 1
        ints[start + _FAILED] += failed
        unit = hashed // WHOLE % BITS
        ints[start + _ERRORS] += self._observe("errors", place, unit, error)
        ints[start + _SLOW] += self._observe("slow", place, unit, slow)

    def evidence(self, arms: Sequence[Arm]) -> tuple[ArmEvidence, ...]:
        """Of each arm of this test, the champion first. `total` includes the running step. Whoever adds slots reads
        them without having gone by the table."""
        return tuple(
            ArmEvidence(
                name=name,
                step=(step := self._counts(_STEP + 5 * place)),
                total=self._counts(_TOTAL + 5 * place).plus(step),
                tests=TestSums(
                    errors=self._floats[_LOG_E["errors"] + place], slow=self._floats[_LOG_E["slow"] + place]
                ),
            )
            for place, name in enumerate((CHAMPION, *(arm.name for arm in arms)))
        )

    def _observe(self, kind: str, place: int, unit: int, event: bool) -> bool:
        """One row of a unit; True if it is the unit's first event of this kind in the step."""
        done, seen = self._kinds[kind]
        if unit in done:
            return False
        if self._ratios is not None and seen.add(unit):
            self._ints[_SEEN[kind] + place] += 1
        if not event:
            return False
        done.add(unit)
        if self._ratios is not None:
            self._gain(kind, place, self._ratios[kind])
            self._begin(kind, seen)
        return True

    def _gain(self, kind: str, place: int, ratio: float) -> None:
        """What the event says in each test that it belongs to."""
        units, log_e = _SEEN[kind], _LOG_E[kind]
        champions = self._ints[units]
        for other in (place,) if place else range(1, len(self._places)):
            theirs = self._ints[units + other]
            if champions and theirs:
                self._floats[log_e + other] += increment(bool(place), theirs / (theirs + champions), ratio)

    def _begin(self, kind: str, seen: Bitmap | None = None) -> None:
        for at in range(_SEEN[kind], _SEEN[kind] + _PLACES):
            self._ints[at] = 0
        if seen is not None:
            seen.clear()

    def _counts(self, start: int) -> ArmCounts:
        requests, units, errors, slow, failed = self._ints[start : start + 5].tolist()
        return ArmCounts(requests=requests, units=units, errors=errors, slow=slow, failed=failed)


def added(one: Sequence[ArmEvidence], other: Sequence[ArmEvidence]) -> tuple[ArmEvidence, ...]:
    """The evidence of two workers of one test: addition, arm by arm. One of them may have none.

    >>> seen = ArmEvidence(name="b", total=ArmCounts(units=1))
    >>> added([seen], [seen])[0].total.units, added([], [seen]) == (seen,)
    (2, True)
    """
    theirs = {each.name: each for each in other}
    both = tuple(each.plus(theirs.pop(each.name)) if each.name in theirs else each for each in one)
    return (*both, *theirs.values())
