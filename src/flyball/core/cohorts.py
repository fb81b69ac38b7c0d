"""Who may be in which arm: cohorts by a header or a column, and the testers who choose for themselves."""

from typing import Annotated, Literal

from msgspec import Meta, field

from flyball.core.record import Record

Placed = Literal["split", "champion", "candidate"]  # by the weight; by a rule, whatever the weight
HeaderName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]*$")]


class RoutingRule(Record):
    """One cohort and its place; without header and column everybody that no rule before it has named."""

    arm: Placed
    header: HeaderName | None = None  # of the request, lower case
    column: str | None = None  # of the row
    in_: tuple[str | int | float | bool, ...] = field(default=(), name="in")  # one of these, compared as text


class Cohorts(Record):
    """The section `routing`: rules in order, the first that fits holds; who fits none is split by the weight."""

    rules: tuple[RoutingRule, ...] = ()
    override: bool = False  # testers may say `x-flyball-arm: champion | candidate`; their rows are in no analysis
