"""`flyball approve`: the word that a rollout, or a suggested retraining, waits for."""

from datetime import UTC, datetime
from typing import Annotated

from cyclopts import Parameter

from flyball.app.cli.acting import act
from flyball.app.cli.door import HomeOption, JsonFlag
from flyball.app.people import approve as approve_it


def approve(
    subject: Annotated[str, Parameter(help="Service, rollout, retrain ticket; or a quality incident, by its name.")],
    /,
    *,
    why: Annotated[str, Parameter(help="Your reason, for the ledger; an incident needs one.")] = "",
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Approve what waits. The approval binds model, evidence and policy, and is void when one changes."""
    now = datetime.now(UTC)
    act(lambda ledger, person: approve_it(ledger, subject, person, why, now=now), subject, home=home, as_json=json)
