"""`flyball maturity`: the ML Test Score and the level of a service, each point with the fact that shows it."""

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit, progress

if TYPE_CHECKING:
    from rich.console import Group

    from flyball.control.review.maturity import Maturity
    from flyball.control.review.readiness import Checked


def maturity(
    service: Annotated[str | None, Parameter(help="One service; without it all of the home.")] = None,
    /,
    *,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """28 tests in four sections, and the level from 0 (manual) to 3 (governed), with what is missing, what it costs and
    what it gains. Nothing is declared by hand. Changes nothing."""
    from flyball.app.cli.parsed import fault_of
    from flyball.app.home import find_home
    from flyball.app.review.runbooks import looked_through
    from flyball.app.wiring.asking.readiness import matured
    from flyball.app.wiring.reviewing.reading import clock

    def runbooks(name: str) -> "Checked":
        return looked_through(name, place.folder_of(name), clock().date(), fault_of)

    place = find_home(home)
    with progress("looking"):
        found = matured(place, service, runbooks)
    emit({"home": str(place.root), "services": found}, as_json=json, text=lambda: _text(found))


def _text(found: "list[Maturity]") -> "Group":
    from rich.console import Group
    from rich.table import Column
    from rich.text import Text

    from flyball.app.review.words import age_of
    from flyball.app.terminal_columns import Whole, whole, words

    parts: list[Any] = []
    for each in found:
        sums = ", ".join(f"{name} {points:g}" for name, points in each.sections.items())
        parts.append(Text(f"{each.service}: ML Test Score {each.score:g} of 7 ({sums}): {each.meaning}"))
        tests = each.tests
        heads = (whole("section", [test.section for test in tests]), words("test"), Column("points", no_wrap=True))
        ages = whole("age", [age_of(test.age_s) for test in tests])
        table = Whole(*heads, words("why"), Column("fact", overflow="fold"), ages, words("for more"), box=None)
        for test in tests:
            fact = ", ".join(map(str, test.evidence)) or "-"
            cells = (test.section, test.name, f"{test.points:g}", test.why, fact, age_of(test.age_s), test.todo or "-")
            table.add_row(*(Text(cell) for cell in cells))
        parts.append(table)
        level = each.level
        parts.append(Text(f"{each.service}: level {level.number} ({level.name})"))
        for need in level.missing:
            said = (
                f"  for {level.next}: {need.name} is {need.state} ({need.why}). Cost: {need.cost}. Gain: {need.gain}."
            )
            parts.append(Text(said))
    return Group(*parts) if parts else Group(Text("no service is declared in this home"))
