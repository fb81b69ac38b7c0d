"""`flyball retrain`: train a service again on what it has seen, now; or tell its policy that something is new."""

from typing import Annotated

from cyclopts import Parameter

from flyball.app.cli.acting import act
from flyball.app.cli.door import HomeOption, JsonFlag
from flyball.app.retrains import retrain as retrain_it
from flyball.app.triggers import receive
from flyball.core.declared.kinds import TriggerSource
from flyball.core.errors import BadInput, Fault


def retrain(
    service: Annotated[str, Parameter(help="The service.")],
    /,
    *,
    because: Annotated[
        TriggerSource | None, Parameter(help="Order nothing: say what is new, and leave it to the policy.")
    ] = None,
    reference: Annotated[str, Parameter(help="With --because: the commit, the tag, the edition of the data.")] = "",
    key: Annotated[str, Parameter(help="With --because: names the message; told again it is the same one.")] = "",
    why: Annotated[str, Parameter(help="Your reason, for the ledger.")] = "",
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Order a retraining. Its release has to pass its gates, and asks for its rollout by itself."""
    if because is None:
        if reference or key:
            fault = Fault(
                where="command line", path="--because", expected="with --reference and --key", found="nothing", fix=""
            )
            raise BadInput("The command line is faulty.", (fault,))
        act(lambda ledger, person: retrain_it(ledger, service, person, why), service, home=home, as_json=json)
        return
    act(
        lambda ledger, person: receive(ledger, service, person, because, reference=reference, key=key, why=why),
        service,
        home=home,
        as_json=json,
    )
