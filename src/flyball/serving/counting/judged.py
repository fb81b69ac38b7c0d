"""The counts as a judge reads them: with the evidence that the candidate is worse, or has become so.

Theory of operation. The workers' sums are of bets that began with the rollout. Bets that begin later
(`stats.change_point`) need to know what was there when they began, so whoever judges, one process, keeps that: ten
times a second it hears what each slot has gained since it heard it last, and all bets that have begun gain as much. A
slot that cannot be read now has gained nothing now. What was heard stands in the slot itself, and the rest in the
first slot; workers write neither. All of it lies in the counter file, so a kill at any line loses what one look had
found, at most: what was heard is noted before it is used. Bets that began with the rollout lose nothing.

A rate is of units at risk: an event counts once a unit and step, so a unit that has had its event is no exposure from
there on. With few units that come back the rate would else fall within each step, and jump at the next.

In a file from before there was any of this the fields are zero: then the first look hears all that the rollout has
gained, as one batch.
"""

from collections.abc import Callable, Sequence

from msgspec import UNSET
from msgspec.structs import astuple, replace

from flyball.core.routing import OwnRates, Routing, StepCounts, TestSums
from flyball.serving.counting.accounting import rollout_key, step_key
from flyball.serving.counting.counter_file import FLOAT, INT, JUDGED, KINDS, Slot
from flyball.stats.change.rate_rise import RateRise
from flyball.stats.sequential_tests.change_point import Both, ChangePointEvidence

_ARMS, _HEARD = ("champion", "candidate", "shadow"), ("requests", *KINDS)
_LIVE = ("champion", "candidate")
_SUMS = ("rollout", "bolder")
_HEARD_AT = {(arm, name): FLOAT[f"heard_{arm}_{name}"] for arm in _ARMS for name in _HEARD}
_AGAIN_AT = {(arm, kind): FLOAT[f"heard_{arm}_again_{kind}"] for arm in _LIVE for kind in KINDS}
_JUDGED_AT = {kind: FLOAT[f"judged_{JUDGED[0]}_{kind}"] for kind in KINDS}  # one after the other, in their order
_TOLD = tuple(f"told_{sums}_{kind}" for sums in _SUMS for kind in KINDS)


class JudgedCounts:
    """Of one service; there is one in a gateway, beside its judge."""

    def __init__(self, slots: Sequence[Slot], counts: Callable[[Routing], StepCounts]) -> None:
        """`counts`: of all slots together."""
        self._slots, self._counts = tuple(slots), counts
        self._ints, self._floats = slots[0].ints, slots[0].floats

    def look(self, routing: Routing) -> StepCounts:
        """The counts of this step with the evidence of the whole rollout in place of its sums. Asked by the judge."""
        again = self._again(routing)  # first: then no row is among these whose request is not counted
        counts = self._counts(routing)
        if routing.candidate is None or routing.guardrails is None:
            return counts
        reason = self._turned(routing)
        heard = self._heard(counts)
        spent = {at: self._more(place, again[at]) for at, place in _AGAIN_AT.items()}
        for kind in KINDS:
            gained = self._gained(rollout_key(routing), kind)
            bets, rise = self._read(kind)
            events = sum(heard[arm, kind] for arm in _ARMS)
            own = heard["candidate", kind]
            theirs, exposures = (heard[arm, "requests"] - spent[arm, kind] for arm in _LIVE)
            both = own + heard["champion", kind], exposures + theirs
            self._write(kind, bets.observe(gained, events, reason=reason), rise.observe(own, exposures, *both))
        return self._with_evidence(routing, counts)

    def standing(self, routing: Routing) -> StepCounts:
        """The same with the evidence of the last look; asked by whoever only wants to know."""
        counts = self._counts(routing)
        if routing.candidate is None or routing.guardrails is None:
            return counts
        return self._with_evidence(routing, counts)

    def _with_evidence(self, routing: Routing, counts: StepCounts) -> StepCounts:
        key, tests, rises, still = rollout_key(routing), {}, {}, {}
        judged = self._ints[INT["judged_rollout"]] == key
        for kind in KINDS:
            bets, rise = self._read(kind) if judged else (ChangePointEvidence(), RateRise())
            tests[kind] = bets.log_e(self._whole(key, kind))
            rises[kind], still[kind] = rise.log_rise, rise.log_still
        rates = OwnRates(risen=TestSums(**rises), still=TestSums(**still))
        return replace(
            counts,
            rollout_tests=TestSums(**tests),
            own_rates_=rates if rates != OwnRates() else UNSET,
        )

    def _turned(self, routing: Routing) -> bool:
        """Go on with this step; True if it is the same one with less weight: somebody had a reason."""
        rollout, step = rollout_key(routing), step_key(routing)
        another = self._ints[INT["judged_rollout"]] != rollout
        if not another and self._ints[INT["judged_step"]] == step:
            return False
        for kind in KINDS:
            bets, rise = (ChangePointEvidence(), RateRise()) if another else self._read(kind)
            self._write(kind, bets, rise.another_step())
        for arm in _ARMS:
            for name in _HEARD:
                self._floats[_HEARD_AT[arm, name]] = 0.0
        for place in _AGAIN_AT.values():
            self._floats[place] = 0.0
        lowered = not another and 0 < routing.weight < self._floats[FLOAT["judged_weight"]]
        self._floats[FLOAT["judged_weight"]] = routing.weight
        self._ints[INT["judged_step"]] = step
        self._ints[INT["judged_rollout"]] = rollout
        return lowered

    def _heard(self, counts: StepCounts) -> dict[tuple[str, str], int]:
        """What each arm has done since the last look; a slot that could not be read then is heard when it can."""
        arms = zip(_ARMS, (counts.champion, counts.candidate, counts.shadow), strict=True)
        return {
            (arm, name): self._more(_HEARD_AT[arm, name], getattr(has, name)) for arm, has in arms for name in _HEARD
        }

    def _again(self, routing: Routing) -> dict[tuple[str, str], int]:
        """Rows of this step so far by units at no risk any more, over all slots."""
        step = step_key(routing)
        slots = [slot for slot in self._slots if slot.count("step_key") == step]
        return {
            (arm, kind): int(sum(slot.real(f"again_{arm}_{kind}") for slot in slots)) for arm in _LIVE for kind in KINDS
        }

    def _more(self, place: int, now: int) -> int:
        """Since the last look; noted as heard."""
        before = int(self._floats[place])
        self._floats[place] = max(now, before)
        return max(0, now - before)

    def _gained(self, key: int, kind: str) -> Both:
        """What both sums of this rollout have gained since the last look, over all slots, nats."""
        gained = [0.0, 0.0]
        for slot in self._slots:
            now = _sums(slot, key, kind)
            if now is None:
                continue
            if slot.count("told_rollout") != key:
                for name in _TOLD:
                    slot.floats[FLOAT[name]] = 0.0
                slot.ints[INT["told_rollout"]] = key
            for which, sums in enumerate(_SUMS):
                place = FLOAT[f"told_{sums}_{kind}"]
                told, slot.floats[place] = slot.floats[place], now[which]
                gained[which] += now[which] - told
        return gained[0], gained[1]

    def _whole(self, key: int, kind: str) -> Both:
        """Both sums of this rollout over all slots, as heard last."""
        known = [slot for slot in self._slots if slot.count("told_rollout") == key]
        declared, bolder = (sum(slot.real(f"told_{sums}_{kind}") for slot in known) for sums in _SUMS)
        return declared, bolder

    def _read(self, kind: str) -> tuple[ChangePointEvidence, RateRise]:
        start = _JUDGED_AT[kind]
        begun, bolder, events, any_left, reason_left, *rise = self._floats[start : start + len(JUDGED)].tolist()
        bets = ChangePointEvidence(
            log_begun=(begun, bolder), events=int(events), any_left=any_left, reason_left=reason_left
        )
        return bets, RateRise(**dict(zip(RateRise.__struct_fields__, rise, strict=True)))

    def _write(self, kind: str, bets: ChangePointEvidence, rise: RateRise) -> None:
        numbers = (*bets.log_begun, bets.events, bets.any_left, bets.reason_left, *astuple(rise))
        for place, number in enumerate(numbers, _JUDGED_AT[kind]):
            self._floats[place] = float(number)


def _sums(slot: Slot, key: int, kind: str) -> Both | None:
    """Of a slot that counts for this rollout now; None: it does not, or turns its page."""
    step = slot.count("step_key")
    if step == 0 or slot.count("rollout_key") != key:
        return None
    found = slot.real(f"rollout_{kind}"), slot.real(f"bolder_{kind}")
    return found if slot.count("step_key") == step else None
