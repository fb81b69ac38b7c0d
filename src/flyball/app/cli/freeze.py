"""`flyball freeze`: stop every automatic action of a service but rollback."""

from typing import Annotated

from cyclopts import Parameter

from flyball.app.cli.acting import act
from flyball.app.cli.door import HomeOption, JsonFlag
from flyball.app.people import freeze as freeze_it


def freeze(
    service: Annotated[str, Parameter(help="The service.")],
    /,
    *,
    why: Annotated[str, Parameter(help="Your reason, for the ledger.")] = "frozen by hand",
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Stop every automatic action of a service but rollback."""
    act(lambda ledger, person: freeze_it(ledger, service, person, why), service, home=home, as_json=json)
