"""A digest as Markdown: what people wrote on the ledger stays text, and a line stays a line."""

from collections.abc import Iterable, Sequence

from flyball.app.review.words import target_of, value_of, verdict_of
from flyball.control.review.paging import Paged
from flyball.control.review.scorecard import Line, Scorecard
from flyball.control.review.toil import Toil
from flyball.control.review.writeup import Chapter, WriteUp

_SPECIAL = str.maketrans({character: f"\\{character}" for character in "\\`*_{}[]<>#|"})


def markdown(found: WriteUp) -> str:
    """The whole document, one newline at its end."""
    parts = [
        f"# {plain(found.service)}: {found.period} digest {found.name}",
        f"From {found.since[:10]} up to {found.until[:10]}, UTC, the last day not in it; {found.facts} facts. "
        "Numbers in brackets are facts of the ledger.",
        f"At the end: {plain(found.standing)}.",
        *_list("Waiting for", [plain(each) for each in found.waiting_for]),
        *_list("Overdue", [plain(each.why) for each in found.overdue]),
        *_scorecard(found.scorecard),
        *(part for chapter in found.chapters for part in _chapter(chapter)),
        *_pages(found.pages),
        *_toil(found.toil),
    ]
    return "\n\n".join(parts) + "\n"


def plain(text: str) -> str:
    """Text of anybody, on one line, without markup.

    >>> plain("a|b\\nc")
    'a\\\\|b c'
    """
    return " ".join(text.split()).translate(_SPECIAL)


def _list(title: str, lines: Sequence[str]) -> list[str]:
    return [f"## {title}", "\n".join(f"- {line}" for line in lines)] if lines else []


def _scorecard(card: Scorecard) -> list[str]:
    drilled = [line for line in card.drills if line.value is not None]
    rows = ["| figure | value | target | verdict | n | how |", "|---|---|---|---|---|---|"]
    rows += [_row(line) for line in (*card.lines, *drilled)]
    return ["## Scorecard", "\n".join(rows)]


def _row(line: Line) -> str:
    cells = (line.name, value_of(line), target_of(line), verdict_of(line), f"{line.n}", line.why)
    return f"| {' | '.join(plain(cell) for cell in cells)} |"


def _chapter(chapter: Chapter) -> list[str]:
    lines = [f"{each.at[:16]}Z {plain(each.text)} [{each.seq}]" for each in chapter.lines]
    if chapter.more:
        lines.insert(0, f"{chapter.more} earlier ones are not shown")
    return _list(chapter.title, lines)


def _pages(pages: Iterable[Paged]) -> list[str]:
    lines = []
    for each in pages:
        causes = ", ".join(f"{cause} {count}" for cause, count in sorted(each.causes.items()))
        over = " OVER BUDGET" if each.over else ""
        said = f"{each.person}: {each.pages} pages, at most {each.most} in seven days of {each.limit}{over} ({causes})"
        lines.append(plain(said))
    return _list("Alert budget", lines)


def _toil(found: Iterable[Toil]) -> list[str]:
    lines = []
    for each in found:
        by = f" by {', '.join(each.by)}" if each.by else ""
        kind = "" if each.work == "hand" else ", a decision"
        said = f"{each.what}: {each.times} times{by}{kind}"
        said += f". Done more than once: {each.automation} would do it" if each.automation else ""
        lines.append(plain(said))
    return _list("Work by hand", lines)
