"""`flyball ready`: is a service ready for production? Each item from facts, none assumed."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit, progress

if TYPE_CHECKING:
    from rich.table import Table

    from flyball.control.review.readiness import Checked, Readiness


def ready(
    service: Annotated[str, Parameter(help="The service.")],
    /,
    *,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> int:
    """The production checklist: each item PASS, FAIL or UNKNOWN, with what shows it, its age and what to do. Exit code
    1 where an item has not passed: unknown is no pass. Changes nothing."""
    from flyball.app.cli.parsed import fault_of
    from flyball.app.home import find_home
    from flyball.app.review.runbooks import looked_through
    from flyball.app.wiring.asking.readiness import checked
    from flyball.app.wiring.reviewing.reading import clock

    def runbooks(name: str) -> "Checked":
        return looked_through(name, place.folder_of(name), clock().date(), fault_of)

    place = find_home(home)
    with progress("looking"):
        found = checked(place, service, runbooks)
    emit(found, as_json=json, text=lambda: _text(found))
    return 0 if found.ready else 1


def _text(found: "Readiness") -> "Table":
    from rich.table import Column
    from rich.text import Text

    from flyball.app.review.words import age_of
    from flyball.app.terminal_columns import Whole, whole, words

    counts = {state: sum(item.state == state for item in found.items) for state in ("PASS", "FAIL", "UNKNOWN")}
    title = f"{found.service}: {'ready' if found.ready else 'not ready'}; " + ", ".join(
        f"{count} {state}" for state, count in counts.items() if count
    )
    items = found.items
    heads = (whole("", [item.state for item in items]), whole("item", [item.name for item in items]), words("found"))
    ages = whole("age", [age_of(item.age_s) for item in items])
    table = Whole(*heads, Column("fact", overflow="fold"), ages, words("what to do"), box=None, title=title)
    table.title_justify = "left"
    for item in items:
        fact = ", ".join(map(str, item.evidence)) or "-"
        cells = (item.state, item.name, item.why, fact, age_of(item.age_s), item.todo or "-")
        table.add_row(*(Text(cell) for cell in cells))
    return table
