"""`flyball rollback`: back to the release before, without asking anybody."""

from typing import Annotated

from cyclopts import Parameter

from flyball.app.cli.acting import act
from flyball.app.cli.door import HomeOption, JsonFlag
from flyball.app.people import roll_back


def rollback(
    service: Annotated[str, Parameter(help="The service.")],
    /,
    *,
    why: Annotated[str, Parameter(help="Your reason, for the ledger.")] = "ordered by hand",
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Take the running rollout back; without one, let the previous release serve again."""
    act(lambda ledger, person: roll_back(ledger, service, person, why), service, home=home, as_json=json)
