"""`flyball diff`: what differs between two experiments, releases or snapshots, in words."""

from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit, progress

if TYPE_CHECKING:
    from rich.console import Group

    from flyball.app.wiring.asking.differing import Compared


def diff(
    a: Annotated[str, Parameter(help="Experiment, release or snapshot: its digest, or how it begins.")],
    b: Annotated[str, Parameter(help="The other one.")],
    /,
    *,
    json: JsonFlag = False,
    home: HomeOption = None,
) -> int:
    """Say what differs. Exit code 0: nothing, 1: something, 2: nobody knows a digest."""
    from flyball.app.home import find_home
    from flyball.app.wiring.asking.differing import Comparing

    with progress("comparing"):
        found = Comparing(find_home(home)).compare(a, b)
    emit(found, as_json=json, text=lambda: _text(found))
    return 0 if found.same else 1


def _text(found: "Compared") -> "Group":
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    from flyball.core.ids import short

    sides = f"{found.a.kind} {short(found.a.digest)} and {found.b.kind} {short(found.b.digest)}"
    lines: list[Any] = [Text(f"{sides}: {'the same' if found.same else 'different'}")]
    for each in found.differences:
        lines.append(Text(str(each)))
        lines += [Text(f"  {line}") for line in each.detail.splitlines()]
    if found.metrics:
        table = Table("metric", short(found.a.digest), short(found.b.digest))
        for metric in found.metrics:
            table.add_row(Text(metric.name), *("-" if v is None else f"{v:.6g}" for v in (metric.a, metric.b)))
        lines.append(table)
    return Group(*lines)
