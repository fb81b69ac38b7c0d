"""`flyball explain`: why something did or did not happen, from the ledger alone."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit
from flyball.app.home import find_home
from flyball.core.errors import NotFound

if TYPE_CHECKING:
    from flyball.control.explain import Explanation


def explain(
    subject: Annotated[str, Parameter(help="Service, rollout, release, ticket, incident, experiment or snapshot.")],
    /,
    *,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Where the subject stands, the reasons of the last decisions, what they wait for, and the facts."""
    from flyball.app.people import states_of
    from flyball.app.wiring.ledger import open_ledger
    from flyball.control.explain import explain as explain_it

    place = find_home(home)
    if not place.ledger.exists():
        raise NotFound(f"no ledger in {place.root}", hint="name the folder by --home or FLYBALL_HOME")
    ledger = open_ledger(place)
    told = explain_it(subject, ledger.read(), states_of(ledger))
    emit(told, as_json=json, text=lambda: _text(told))


def _text(told: "Explanation") -> str:
    lines = [f"{told.subject} ({told.service}): {told.standing}"]
    lines += [f"  because  {reason}" for reason in told.because]
    lines += [f"  waits for  {wait}" for wait in told.waiting_for]
    lines += [f"  {line.seq:>6}  {line.at}  {line.text}" for line in told.events]
    return "\n".join(lines)
