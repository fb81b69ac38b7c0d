"""Where the rules of a service put a row before any weight is asked.

Theory of operation. A rule looks at one header of the request or one column of the row; the first that fits holds. It
says `split`: the salted hash decides, as without rules. Or `champion`: the row never meets the candidate. Or
`candidate`: it does as soon as the candidate has any weight, and no longer once the weight is 0, so a stop empties
these cohorts as well. While an A/B test runs there is no candidate, and what is the candidate's is the champion's.

Only split rows can be compared: in the other cohorts the arm follows from who somebody is, and a difference between
arms would be a difference between cohorts. So rows that a rule gave away are in no test, no sample-ratio check and no
count of exposures; error events of the candidate among them still count against `max_errors`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from flyball.core.cohorts import Cohorts, Placed
from flyball.core.errors import BadInput, Fault
from flyball.core.prediction import ArmName
from flyball.core.routing import WHOLE, Routing
from flyball.serving.protocols.terms import OVERRIDE
from flyball.serving.routing.assign import to_candidate


class Placing:
    """The rules of one service, ready to be asked."""

    def __init__(self, cohorts: Cohorts) -> None:
        self.override = cohorts.override
        self._rules = tuple(
            (rule.header, rule.column, frozenset(map(as_text, rule.in_)), rule.arm) for rule in cohorts.rules
        )
        self.headers = frozenset(rule.header for rule in cohorts.rules if rule.header)  # that anybody looks at

    def places(self, rows: Sequence[Mapping[str, Any]], headers: Mapping[str, str]) -> list[Placed] | None:
        """Of each row; None: there are no rules, all are split. `headers`: by lower-case name."""
        if not self._rules:
            return None
        return [self._place(row, headers) for row in rows]

    def arms(
        self,
        hashes: Sequence[int],
        weight: int,
        placed: Sequence[Placed] | None,
        *,
        chosen: ArmName | None,
        routing: Routing,
        owners: Sequence[ArmName] | None = None,
    ) -> list[ArmName | None]:
        """The arm of each row. `weight`: in force, of 10,000. `placed`: from `places`. `chosen`: by a tester. `owners`:
        the arm of each bucket, from `assign.owners`, while an A/B test runs.

        Raises: BadInput: a choice that nobody offers.
        """
        if chosen is not None:
            self._check(chosen, routing)
            return [chosen] * len(hashes)
        if owners is not None:
            split = [owners[hashed % WHOLE] for hashed in hashes]
            if placed is None:
                return [*split]
            return [arm if place == "split" else "champion" for arm, place in zip(split, placed, strict=True)]
        if placed is None:
            return ["candidate" if to_candidate(hashed, weight) else "champion" for hashed in hashes]
        return [
            "candidate"
            if (to_candidate(hashed, weight) if place == "split" else place == "candidate" and weight > 0)
            else "champion"
            for hashed, place in zip(hashes, placed, strict=True)
        ]

    def _check(self, chosen: ArmName, routing: Routing) -> None:
        if not self.override:
            what = "no choice of an arm (the service declares no routing.override)"
        elif chosen in (offered := offers(routing)):
            return
        elif chosen == "candidate" and not routing.arms:
            what = "champion (there is no candidate now)"
        else:
            what = " or ".join(offered)
        fault = Fault(where="headers", path=OVERRIDE, expected=what, found=chosen)
        raise BadInput(f"header {OVERRIDE}: expected {what}, found {chosen!r}", (fault,))

    def _place(self, row: Mapping[str, Any], headers: Mapping[str, str]) -> Placed:
        for header, column, values, arm in self._rules:
            if header is not None:
                if headers.get(header) in values:
                    return arm
            elif column is not None:
                value = row.get(column)
                if value is not None and as_text(value) in values:
                    return arm
            else:
                return arm
        return "split"


def offers(routing: Routing) -> tuple[ArmName, ...]:
    """Arms that a tester may choose: those whose release is loaded."""
    arms = tuple(arm.name for arm in routing.arms if arm.buckets)
    return ("champion", *(("candidate",) if routing.candidate is not None else ()), *arms)


def as_text(value: object) -> str:
    """A value as rules compare it: as JSON writes it, whole numbers without a point.

    >>> as_text(True), as_text(3.0), as_text("de"), as_text(0.5)
    ('true', '3', 'de', '0.5')
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
