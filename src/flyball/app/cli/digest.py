"""`flyball digest`: what happened to a service in a week, a month or a quarter, written up from its facts."""

from contextlib import closing
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit, progress, say
from flyball.core.declared.review import Period
from flyball.core.errors import BadInput, Fault, Refused


def digest(
    service: Annotated[str | None, Parameter(help="One service.")] = None,
    /,
    *,
    all_: Annotated[bool, Parameter(name="--all", negative="", help="Every declared service of the home.")] = False,
    period: Annotated[Period, Parameter(help="The last whole week, month or quarter before --until.")] = "weekly",
    until: Annotated[str | None, Parameter(help="A moment of the past: 7d ago, 2026-11-26 or a time.")] = None,
    out: Annotated[Path | None, Parameter(help="Folder for the Markdown; default: digests/ of the home.")] = None,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Print it, keep it as Markdown, and put on the ledger that it was written: once for each period."""
    from flyball.app.home import find_home
    from flyball.app.review.markdown import markdown
    from flyball.app.review.span import span_of
    from flyball.app.wiring.ledger import recorder
    from flyball.app.wiring.reviewing.reading import clock, reviewed
    from flyball.app.wiring.reviewing.writing_up import keep, place_of, write_up

    _refuse(service, all_)
    place, now = find_home(home), clock()
    span = span_of(None, until, period, now)
    if span.until > now:
        fault = Fault(where="command line", path="--until", expected="a moment that has come", found=str(until))
        raise BadInput("The period is not over.", (fault,))
    kept = []
    with progress("reading the ledger"):
        there = [one for one in reviewed(place, service) if one.past.began(span)]
        found = [write_up(place, one, period, span, now) for one in there]
    if service is not None and not found:
        raise Refused(f"{service} was not there before {span.until:%Y-%m-%d}: there is nothing to write up")
    with closing(recorder(place.made())) as ledger:
        for each in found:
            file = place_of(place, each.service, period, each.name)
            kept.append(keep(ledger, each, file if out is None else out / f"{each.service}-{file.name}"))
    for one in kept:
        say(f"{one.digest.service}: {one.file}")
    texts = "\n".join(markdown(one.digest) for one in kept)
    texts = texts or f"no service was there before {span.until:%Y-%m-%d}, the end of this period: nothing to write up"
    emit({"home": str(place.root), "digests": kept}, as_json=json, text=lambda: texts.rstrip("\n"))


def _refuse(service: str | None, everything: bool) -> None:
    if (service is None) != everything:
        expected = "one service, or --all" if service is None else "no service beside --all"
        fault = Fault(where="command line", path="SERVICE", expected=expected, found=service or "none")
        raise BadInput("The command line is faulty.", (fault,))
