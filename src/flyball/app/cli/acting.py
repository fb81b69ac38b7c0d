"""What the verbs of people share: who acts, on which ledger, and what they are told afterwards."""

import os
import pwd
from collections.abc import Callable, Sequence

from flyball.app.cli.door import emit
from flyball.app.home import find_home
from flyball.app.people import Person, told
from flyball.core.errors import NotFound
from flyball.core.ledger import Entry, Ledger


def act(verb: Callable[[Ledger, Person], Sequence[Entry]], subject: str, *, home: str | None, as_json: bool) -> None:
    """Open the home's ledger, write what the person says, tell it."""
    from flyball.app.wiring.ledger import ledger_of
    from flyball.control.narrate import sentence

    place = find_home(home)
    if not place.has_ledger:
        raise NotFound(f"no ledger in {place.root}", hint="name the folder by --home or FLYBALL_HOME")
    person = Person(name=os_user(), proof="os_user")
    with ledger_of(place) as ledger:
        entries = verb(ledger, person)
    emit(
        told(subject, person, entries),
        as_json=as_json,
        text=lambda: "\n".join(sentence(entry.fact) for entry in entries) or f"{subject}: nothing to change",
    )


def os_user() -> str:
    """Whom the kernel knows this process by. LOGNAME and USER are what anybody likes to say, and prove nothing."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:  # a container may run under a number that no file knows
        return f"uid-{number}"
