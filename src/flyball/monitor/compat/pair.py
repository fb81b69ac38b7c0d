"""Their number and ours, for one column and one method."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Beside:
    """Two answers to one question. A number is None where that side gives none."""

    tool: str  # `evidently`, `nannyml`
    method: str  # name of the method in the tool
    theirs: float | None  # their number: a p-value where `is_p`, else an effect
    limit: float | tuple[float, float] | None  # their threshold; two ends for a band
    drift: bool | None  # their verdict
    is_p: bool  # drift where theirs is below the limit, not above it
    measure: str  # ours
    ours: float | None  # the same quantity by our rule
    verdict: str  # ours: OK, DRIFT, INSUFFICIENT, INVALID
    why: str  # one sentence on the difference


def beyond(theirs: float | None, limit: float, *, is_p: bool) -> bool | None:
    """Their verdict."""
    if theirs is None:
        return None
    return theirs < limit if is_p else theirs >= limit
