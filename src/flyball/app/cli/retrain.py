"""`flyball retrain`: train a service again on what it has seen, now."""

from typing import Annotated

from cyclopts import Parameter

from flyball.app.cli.acting import act
from flyball.app.cli.door import HomeOption, JsonFlag
from flyball.app.retrains import retrain as retrain_it


def retrain(
    service: Annotated[str, Parameter(help="The service.")],
    /,
    *,
    why: Annotated[str, Parameter(help="Your reason, for the ledger.")] = "",
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Order a retraining. Its release has to pass its gates, and asks for its rollout by itself."""
    act(lambda ledger, person: retrain_it(ledger, service, person, why), service, home=home, as_json=json)
