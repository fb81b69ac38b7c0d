"""`flyball thaw`: let the loop act again."""

from typing import Annotated

from cyclopts import Parameter

from flyball.app.cli.acting import act
from flyball.app.cli.door import HomeOption, JsonFlag
from flyball.app.people import thaw as thaw_it


def thaw(
    service: Annotated[str, Parameter(help="The service.")],
    /,
    *,
    why: Annotated[str, Parameter(help="Your reason, for the ledger.")] = "thawed by hand",
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """End a freeze: the loop acts again."""
    act(lambda ledger, person: thaw_it(ledger, service, person, why), service, home=home, as_json=json)
