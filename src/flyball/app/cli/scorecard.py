"""`flyball scorecard`: how well a service was run over a span, from its facts, against its targets."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit, progress, say
from flyball.core.declared.review import Period

if TYPE_CHECKING:
    from rich.console import Group

    from flyball.control.review.scorecard import Scorecard

SinceOption = Annotated[str | None, Parameter(help="Beginning: 7d ago, 2026-11-26 or a time. Default: 30 days.")]
UntilOption = Annotated[str | None, Parameter(help="End, which is not in it: a time as --since. Default: now.")]


def scorecard(
    service: Annotated[str | None, Parameter(help="One service; without it all of the home.")] = None,
    /,
    *,
    since: SinceOption = None,
    until: UntilOption = None,
    period: Annotated[Period | None, Parameter(help="The last whole week, month or quarter before --until.")] = None,
    html: Annotated[Path | None, Parameter(help="Write one page there; it opens without a network.")] = None,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Each figure with its target, whether it is met, the count behind it and the facts that show it. Unknown is a
    value: a figure of nothing is neither 0 nor 100 %. Changes nothing."""
    from msgspec.structs import replace

    from flyball.app.home import find_home
    from flyball.app.review.span import span_of
    from flyball.app.wiring.asking.budgets_left import budgets_left
    from flyball.app.wiring.reviewing.reading import clock, outside, reviewed
    from flyball.app.wiring.whole_files import write_text
    from flyball.control.review.scorecard import scorecard as card_of

    place, now = find_home(home), clock()
    span = span_of(since, until, period, now)
    with progress("reading the ledger"):
        found = [
            (one, replace(outside(place, one, span, now), budgets=budgets_left(place, one.service, span, now)))
            for one in reviewed(place, service)
        ]
        cards = [card_of(one.service, one.past, span, one.declared.review, told) for one, told in found]
    if html is not None:
        from flyball.app.review.page import page

        days = {one.service: told.answers.days if told.answers else () for one, told in found}
        write_text(html, page(cards, days), make_folder=False)
        say(f"written to {html}")
    emit({"home": str(place.root), "scorecards": cards}, as_json=json, text=lambda: _text(cards))


def _text(cards: "list[Scorecard]") -> "Group":
    from rich.console import Group
    from rich.text import Text

    from flyball.app.review.words import target_of, value_of, verdict_of
    from flyball.app.terminal_columns import Whole, whole, words

    parts: list[Any] = []
    for card in cards:
        parts.append(Text(f"{card.service}: {card.since[:19]}Z to {card.until[:19]}Z"))
        lines = [(line.name, line) for line in card.lines]
        lines += [(f"drills: {line.name}", line) for line in card.drills if line.value is not None]
        rows = [(name, value_of(of), target_of(of), verdict_of(of), str(of.n), of.why) for name, of in lines]
        kept = [
            whole(head, [row[at] for row in rows]) for at, head in enumerate(("figure", "value", "target", "", "n"))
        ]
        table = Whole(*kept, words("how"), box=None)
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        parts.append(table)
    return Group(*parts) if parts else Group(Text("no service is declared in this home"))
