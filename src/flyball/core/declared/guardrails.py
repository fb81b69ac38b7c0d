"""What a candidate may not do worse than the champion, from its first answer on: errors, slow answers, metrics."""

from typing import Annotated, Literal

from msgspec import Meta, field

from flyball.core.declared.kinds import Share
from flyball.core.record import Record

ArmMetric = Literal["accuracy", "conversion", "value", "mae"]
NO_LIMIT = 2**53 - 1  # of max_errors: the largest number that every JSON reader keeps
BUSINESS_MARGIN, SHARE_MARGIN = "5%", 0.01  # how much worse is still not worse, where nobody says


class Guardrail(Record):
    ratio: Annotated[float, Meta(gt=1)]  # a candidate this many times the champion's rate is to be caught
    ceiling: Share  # below this rate an arm may advance without a comparison


class MetricGuardrail(Record):
    """A mean over rows whose labels have matured: of the candidate's units against the champion's."""

    name: ArmMetric
    max_loss: float | str | None = (
        None  # worse by, in its unit or `5%` of the champion's; None: the default of its kind
    )
    range: tuple[float, float] | None = None  # value, mae: what lies outside counts as the nearer end
    labels: Literal["if_available", "required"] = "if_available"  # required: no canary is left without an answer

    @property
    def tolerated(self) -> float | str:
        """How much worse is still not worse.

        >>> MetricGuardrail(name="conversion").tolerated, MetricGuardrail(name="accuracy").tolerated
        ('5%', 0.01)
        """
        if self.max_loss is not None:
            return self.max_loss
        return SHARE_MARGIN if self.name == "accuracy" else BUSINESS_MARGIN

    @property
    def higher_is_better(self) -> bool:
        return self.name != "mae"


class Guardrails(Record):
    alpha: Annotated[float, Meta(gt=0, lt=0.5)] = 0.05  # chance that a good candidate is ever rolled back
    beta: Annotated[float, Meta(gt=0, lt=0.5)] = 0.10  # chance, a step, that a bad one advances
    errors: Guardrail = field(default_factory=lambda: Guardrail(ratio=2, ceiling=0.02))
    slow: Guardrail = field(default_factory=lambda: Guardrail(ratio=3, ceiling=0.05))
    max_errors: Annotated[int, Meta(ge=1)] = 100  # own error events after which no statistics are asked
    metrics: Annotated[tuple[MetricGuardrail, ...], Meta(max_length=8)] = ()

    @property
    def count(self) -> int:
        """How many share alpha: errors, slow answers, and each metric."""
        return 2 + len(self.metrics)
