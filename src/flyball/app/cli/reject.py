"""`flyball reject`: a person's no, with a reason."""

from typing import Annotated

from cyclopts import Parameter

from flyball.app.cli.acting import act
from flyball.app.cli.door import HomeOption, JsonFlag
from flyball.app.people import reject as reject_it


def reject(
    subject: Annotated[str, Parameter(help="Service, rollout or ticket.")],
    /,
    *,
    why: Annotated[str, Parameter(help="Your reason, for the ledger.")],
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """End a rollout that has not been promoted, or dismiss a suggested retraining."""
    act(lambda ledger, person: reject_it(ledger, subject, person, why), subject, home=home, as_json=json)
