"""`flyball review`: what a retraining, or another remedy, was worth, and so how far the next may go alone."""

from typing import Annotated

from cyclopts import Parameter

from flyball.app.cli.acting import act
from flyball.app.cli.door import HomeOption, JsonFlag
from flyball.app.reviews import review as review_it
from flyball.decide.ladder import Review


def review(
    ticket: Annotated[
        str, Parameter(help="The retrain ticket when it is closed, or the remedy when it has its verdict.")
    ],
    verdict: Annotated[Review, Parameter(help="What it was worth.")],
    /,
    *,
    why: Annotated[str, Parameter(help="Your reason, for the ledger; it has to be given.")],
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Good outcomes raise the rung of retraining, or of a remedy against a kind of cause, up to the declared one; a
    harmful one lowers it at once."""
    act(lambda ledger, person: review_it(ledger, ticket, verdict, person, why), ticket, home=home, as_json=json)
