"""Whether the runbooks of a service are out, fresh, and would run: each is read, dated, and gone through dry."""

from datetime import date
from pathlib import Path

from flyball.app.runbooks.resolving import EXAMPLE, FaultOf, resolved, wants_incident
from flyball.app.runbooks.shelf import shelf
from flyball.control.review.readiness import Checked
from flyball.core.errors import BadInput

FRESH_DAYS = 365  # since somebody has reviewed it


def looked_through(service: str, folder: Path | None, today: date, fault_of: FaultOf) -> Checked:
    """Args: folder: of the service; None: the package's runbooks alone. fault_of: why a command could not be run."""
    try:
        books = shelf(folder)
    except BadInput as error:
        return Checked(ok=False, why="; ".join(str(fault) for fault in error.faults))
    values = EXAMPLE | {"service": service}
    broken = [
        f"{name}: {each.command}: {each.fault}"
        for name, book in books.items()
        for each in resolved(book, values, fault_of)
        if each.fault
    ]
    if broken:
        return Checked(ok=False, why="a dry run stops: " + "; ".join(broken))
    ages = {name: (today - date.fromisoformat(book.reviewed)).days for name, book in books.items()}
    stale = [f"{name}, {age} days ago" for name, age in ages.items() if age > FRESH_DAYS]
    if stale:
        return Checked(ok=False, why=f"reviewed too long ago: {'; '.join(stale)}")
    own = sum(book.own for book in books.values())
    told = f"{len(books)} runbooks, {own} of them its own; reviewed {max(ages.values())} days ago at most"
    bound = [name for name, book in books.items() if wants_incident(book)]
    about = f", of {', '.join(bound)} only about an incident" if bound else ""
    return Checked(ok=True, why=f"{told}; each dry run goes through{about}")
