"""What a scorecard needs and the ledger does not hold: rows of the prediction log, hours of serving, budgets."""

from flyball.core.record import Record


class Answers(Record):
    """What the prediction log holds of a span: rows of clients by what became of them."""

    answered: int  # by a release or the fallback chain, or kept from it by the contract
    failed: int  # no answer, or a status of 500 and more
    shed: int = 0  # turned away under load: they got no answer either
    rejected: int = 0  # not well formed: no matter of availability
    days: tuple[tuple[str, int, int], ...] = ()  # day, answered, without an answer
    missing: str = ""  # what of the span the log no longer, or not yet, holds

    @property
    def asked(self) -> int:
        return self.answered + self.failed + self.shed


class Outside(Record):
    """What the ledger does not hold. None: nobody could say."""

    answers: Answers | None = None
    serving_hours: float | None = None  # of the span, in which the service was there
    budgets: dict[str, float] | None = None  # objective -> share that is left, as the controller counts it now
