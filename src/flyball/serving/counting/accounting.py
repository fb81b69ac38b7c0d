"""The counts and tests of the running step and rollout, kept per row in one worker's slot.

Theory of operation. Each row that an arm was asked to answer is counted for its assigned arm when it is finished, its
unit, once a step, already when it is assigned. For each guardrail there
is a risk set: units that have had no event of that kind in this step. Between two events we count the distinct units of
the risk set that were seen, and how many of them the candidate's (m and k, the erring unit among them); at an event
w = k/m, and `stats.sequential.increment` says what the event adds to the log e-value. The same increment goes to the
step's test (fresh in each step: may it advance?) and to the rollout's (never restarted: must it go back?). Then the
interval begins anew. It also begins anew with each step, so an interval never mixes two weights.

A shadow meets every mirrored row together with the champion. If the two err alike, an event that only one of them had
is as likely the one's as the other's: w = 1/2. So in a step without weight the shadow's errors and slow answers feed
the same two tests, one pair a unit. (With weight they do not: the champion's event would be counted twice.)

An arm's `errors` and `slow` count units, once a step; the prediction log has every event. Pinned rows, quarantined and
rejected ones, and rows whose step ended while they were on their way, move nothing here. The arms of an A/B test have
counts and tests of their own (`arms.py`); steps, sets of units and the log's counters are shared with them.
"""

from hashlib import blake2b

from msgspec import UNSET

from flyball.core.routing import WHOLE, ArmCounts, Routing, StepCounts, TestSums
from flyball.serving.counting.arms import ArmCounters, added
from flyball.serving.counting.counter_file import BITS, FLOAT, INT, Slot
from flyball.serving.counting.interval import Interval

_CHAMPION = INT["champion_requests"]
_CANDIDATE = INT["candidate_requests"]
_SHADOW = INT["shadow_requests"]
_BEFORE = INT["before_requests"]
_REQUESTS, _UNITS, _ERRORS, _SLOW, _FAILED = range(5)


class Accounting:
    """One worker's view of one service; all times are handed in."""

    def __init__(self, slot: Slot) -> None:
        self._slot = slot
        self._error_ratio: float | None = None
        self._slow_ratio: float | None = None
        self._pairs_tested = False
        ints, floats = slot.ints, slot.floats
        self._ints, self._floats = ints, floats
        self._pane = INT["even_pane"]
        self._errors = Interval(slot, "errors", slot.errors_done, slot.errors_seen)
        self._slows = Interval(slot, "slow", slot.slow_done, slot.slow_seen)
        self.arms = ArmCounters(slot)

    @property
    def slot(self) -> Slot:
        return self._slot

    @property
    def step_key(self) -> int:
        """Names the running step; a batch carries it, so that late rows are not counted in the next step."""
        return self._slot.count("step_key")

    def route(self, routing: Routing) -> None:
        """Go on with this routing: the same step keeps its counts (also after a restart), another begins at zero."""
        rails = routing.guardrails
        tested = rails is not None and routing.candidate is not None
        self._error_ratio = rails.errors.ratio if rails and tested else None
        self._slow_ratio = rails.slow.ratio if rails and tested else None
        self._pairs_tested = routing.weight == 0
        self.arms.route(routing.arms, rails)
        self._ints[INT["epoch"]] = routing.epoch
        rollout = rollout_key(routing)
        step = step_key(routing)
        if self.step_key == step:
            return
        self._ints[INT["step_key"]] = 0  # whoever adds slots must not read one between two pages
        self._turn_page(same_rollout=self._slot.count("rollout_key") == rollout)
        self._ints[INT["rollout_key"]] = rollout
        self._ints[INT["step_key"]] = step  # last: a kill before this line begins the step again

    def assigned(self, is_candidate: bool, hashed: int) -> None:
        """One row whose arm was chosen. Units are counted here and not with the answer: the rows of a slower arm are
        longer on their way, and the sample-ratio test would take that for a broken split."""
        if self._slot.seen.add(hashed // WHOLE % BITS):
            self._ints[(_CANDIDATE if is_candidate else _CHAMPION) + _UNITS] += 1

    def row(self, is_candidate: bool, hashed: int, error: bool, slow: bool, failed: bool, at: float) -> None:
        """One row that its assigned arm was asked to answer; `hashed` from `assign.unit_hash`."""
        ints = self._ints
        arm = _CANDIDATE if is_candidate else _CHAMPION
        place = hashed // WHOLE % BITS
        ints[arm] += 1
        if failed:
            ints[arm + _FAILED] += 1
        if is_candidate and not self._floats[FLOAT["first_candidate_at"]]:
            self._floats[FLOAT["first_candidate_at"]] = at
        if self._errors.observe(is_candidate, place, error, self._error_ratio):
            ints[arm + _ERRORS] += 1
        if self._slows.observe(is_candidate, place, slow, self._slow_ratio):
            ints[arm + _SLOW] += 1

    def row_of_arm(self, arm: str, hashed: int, error: bool, slow: bool, failed: bool, at: float) -> None:
        """The same while an A/B test runs."""
        if arm != "champion" and not self._floats[FLOAT["first_candidate_at"]]:
            self._floats[FLOAT["first_candidate_at"]] = at
        self.arms.row(arm, hashed, error, slow, failed)

    def given(self, hashed: int, error: bool, slow: bool) -> None:
        """One row that a rule of the service, not the weight, gave to the candidate: its events count against it, in
        no test, and it is no exposure (so a rate from these counts is never too low)."""
        place = hashed // WHOLE % BITS
        if self._errors.observe(True, place, error, None):
            self._ints[_CANDIDATE + _ERRORS] += 1
        if self._slows.observe(True, place, slow, None):
            self._ints[_CANDIDATE + _SLOW] += 1

    def mirrored(
        self,
        hashed: int,
        *,
        error: bool,
        slow: bool,
        champion_error: bool,
        champion_slow: bool,
        disagrees: bool | None,
    ) -> None:
        """One row that the shadow was shown too. `disagrees`: None where they are no pair (one gave no answer)."""
        ints = self._ints
        place = hashed // WHOLE % BITS
        ints[_SHADOW] += 1
        if disagrees is not None:
            ints[INT["pairs"]] += 1
            ints[INT["disagreements"]] += disagrees
        tested = self._pairs_tested
        if self._errors.pair(place, error, champion_error, self._error_ratio if tested else None):
            ints[_SHADOW + _ERRORS] += 1
        if self._slows.pair(place, slow, champion_slow, self._slow_ratio if tested else None):
            ints[_SHADOW + _SLOW] += 1

    def received(self, rows: int) -> None:
        """Records that were offered to the log, into the open pane. Killed between the two lines: `settle`."""
        self._ints[self._pane + 1] += rows
        self._ints[INT["received"]] += rows

    def dropped(self, rows: int) -> None:
        """... that it had no room for, or lost."""
        self._ints[self._pane + 2] += rows
        self._ints[INT["dropped"]] += rows

    def written(self, rows: int) -> None:
        """... that are on disk. Called by the writer alone, so that no two threads share a counter."""
        self._ints[INT["written"]] += rows

    def open_pane(self, index: int) -> None:
        """What is offered from now on belongs to this pane; the one before keeps its counts until the next but one.

        While its numbers are laid down the pane is not known, so a kill leaves the one before as the newest.
        """
        ints, name, other = self._ints, _parity(index), _parity(index + 1)
        self._pane = INT[f"{name}_pane"]
        ints[self._pane] = 0
        ints[INT[f"{name}_received_before"]] = ints[INT["received"]]
        ints[INT[f"{name}_dropped_before"]] = ints[INT["dropped"]] - ints[INT[f"{other}_dropped"]]
        ints[self._pane + 1], ints[self._pane + 2] = 0, 0
        ints[self._pane] = index + 1

    def pane(self, index: int) -> tuple[int, int] | None:
        """Received and dropped rows of a pane; None: this slot no longer knows."""
        start = INT[f"{_parity(index)}_pane"]
        if self._ints[start] != index + 1:
            return None
        return self._ints[start + 1], self._ints[start + 2]

    def panes(self) -> list[int]:
        """Indices of the panes this slot knows: the open one and the one before."""
        return [self._ints[INT[f"{name}_pane"]] - 1 for name in ("even", "odd") if self._ints[INT[f"{name}_pane"]]]

    def lost(self, index: int, rows: int) -> None:
        """Records of a pane that the disk refused."""
        if self.pane(index) is not None:
            self._ints[INT[f"{_parity(index)}_dropped"]] += rows
        elif known := self.panes():  # an older one: it counts to what was before the newest
            self._ints[INT[f"{_parity(max(known))}_dropped_before"]] += rows
        self._ints[INT["dropped"]] += rows

    def settle(self) -> None:
        """After a restart, once what was lost is counted: the sums are those of the panes, the rest is in the log."""
        ints = self._ints
        if known := self.panes():
            newest = _parity(max(known))
            received = ints[INT[f"{newest}_received_before"]] + ints[INT[f"{newest}_received"]]
            dropped = ints[INT[f"{newest}_dropped_before"]] + ints[INT["even_dropped"]] + ints[INT["odd_dropped"]]
            # never below what was told before: a pane of which half was laid down knows less
            ints[INT["received"]] = max(ints[INT["received"]], received)
            ints[INT["dropped"]] = max(ints[INT["dropped"]], dropped)
        ints[INT["written"]] = ints[INT["received"]] - ints[INT["dropped"]]

    def counts(self, routing: Routing) -> StepCounts:
        """What this worker has seen of the running step. `rollout_candidate` includes the running step."""
        slot = self._slot
        received = slot.count("received") - slot.count("received_before")
        dropped = slot.count("dropped") - slot.count("dropped_before")
        # what was on its way into the log when the step began belongs to the step before
        on_its_way = slot.count("received") - slot.count("dropped") - slot.count("written")
        candidate = self._arm(_CANDIDATE)
        return StepCounts(
            service=routing.service,
            epoch=routing.epoch,
            rollout=routing.rollout,
            step=routing.step,
            champion=self._arm(_CHAMPION),
            candidate=candidate,
            shadow=self._arm(_SHADOW),
            pairs=slot.count("pairs"),
            disagreements=slot.count("disagreements"),
            step_tests=TestSums(errors=slot.real("step_errors"), slow=slot.real("step_slow")),
            rollout_tests=TestSums(errors=slot.real("rollout_errors"), slow=slot.real("rollout_slow")),
            rollout_candidate=self._arm(_BEFORE).plus(candidate),
            received=received,
            written=max(0, received - dropped - on_its_way),
            dropped=dropped,
            arms_=self.arms.evidence(routing.arms) if routing.arms else UNSET,
        )

    def first_candidate_at(self) -> float | None:
        """When the candidate of this rollout answered first, seconds since the epoch."""
        return self._slot.real("first_candidate_at") or None

    def _turn_page(self, *, same_rollout: bool) -> None:
        """Zero the step; carry the rollout's sums on, or zero them too."""
        ints, floats, slot = self._ints, self._floats, self._slot
        for offset in range(5):
            ints[_BEFORE + offset] = ints[_BEFORE + offset] + ints[_CANDIDATE + offset] if same_rollout else 0
            for arm in (_CHAMPION, _CANDIDATE, _SHADOW):
                ints[arm + offset] = 0
        ints[INT["pairs"]] = ints[INT["disagreements"]] = 0
        ints[INT["received_before"]], ints[INT["dropped_before"]] = ints[INT["received"]], ints[INT["dropped"]]
        floats[FLOAT["step_errors"]] = floats[FLOAT["step_slow"]] = 0.0
        if not same_rollout:
            floats[FLOAT["rollout_errors"]] = floats[FLOAT["rollout_slow"]] = 0.0
            floats[FLOAT["bolder_errors"]] = floats[FLOAT["bolder_slow"]] = 0.0
            floats[FLOAT["first_candidate_at"]] = 0.0
        slot.seen.clear()
        self._errors.restart()
        self._slows.restart()
        self.arms.turn_page(same_test=same_rollout)

    def _arm(self, start: int) -> ArmCounts:
        requests, units, errors, slow, failed = self._ints[start : start + 5].tolist()
        return ArmCounts(requests=requests, units=units, errors=errors, slow=slow, failed=failed)


def merged(first: StepCounts, *others: StepCounts) -> StepCounts:
    """The counts of several workers of one step: addition.

    Raises: ValueError: they are not of the same step.
    """
    total = first
    for other in others:
        if (other.service, other.rollout, other.step) != (total.service, total.rollout, total.step):
            raise ValueError("counts of different steps do not add")
        total = StepCounts(
            service=total.service,
            epoch=max(total.epoch, other.epoch),
            rollout=total.rollout,
            step=total.step,
            champion=total.champion.plus(other.champion),
            candidate=total.candidate.plus(other.candidate),
            shadow=total.shadow.plus(other.shadow),
            pairs=total.pairs + other.pairs,
            disagreements=total.disagreements + other.disagreements,
            step_tests=total.step_tests.plus(other.step_tests),
            rollout_tests=total.rollout_tests.plus(other.rollout_tests),
            rollout_candidate=total.rollout_candidate.plus(other.rollout_candidate),
            received=total.received + other.received,
            written=total.written + other.written,
            dropped=total.dropped + other.dropped,
            arms_=added(total.arms, other.arms) or UNSET,
        )
    return total


def step_key(routing: Routing) -> int:
    """Names a step by all that its counts depend on: with another weight it is another step."""
    arms = [(arm.name, arm.release, arm.buckets) for arm in routing.arms]
    common = (routing.rollout, routing.step, routing.champion, routing.candidate, routing.weight, routing.shadow)
    return _key(*common, *arms)


def rollout_key(routing: Routing) -> int:
    """Names a rollout, or an A/B test."""
    return _key(routing.rollout, routing.candidate, *(arm.name for arm in routing.arms))


def _key(*parts: object) -> int:
    """63 bits that name these values, never 0."""
    text = "\0".join(map(str, parts)).encode()
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "big") >> 1 or 1


def _parity(index: int) -> str:
    """Two panes are known at a time, each under a name of its own."""
    return "odd" if index % 2 else "even"
