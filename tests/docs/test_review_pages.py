"""The pages about readiness and maturity list what the code asks, in its order."""

import re
from pathlib import Path

from tests.control.review.test_readiness import ALL, END, whole

from flyball.control.review.maturity import maturity
from flyball.control.review.readiness import ready

DOCS = Path(__file__).parents[2] / "docs"


def _rows(page: str, head: str) -> list[list[str]]:
    text = (DOCS / page).read_text()
    table = text[text.index(head) :].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table]


def test_every_item_of_the_checklist_stands_on_its_page_once_and_in_order() -> None:
    asked = [
        re.sub(r"^(the fallback chain was tried).*", r"\1", item.name) for item in ready(whole(), [], ALL, END).items
    ]
    assert [row[0] for row in _rows("how-to/be-ready.md", "| item | passes when |")] == list(dict.fromkeys(asked))


def test_the_tests_of_the_score_stand_on_their_page_under_the_papers_titles() -> None:
    found = maturity(whole(), [], ALL, END)
    rows = _rows("reference/maturity.md", "| in the paper | test | shown by |")
    assert [(row[0], row[1]) for row in rows] == [(test.rubric, test.name) for test in found.tests]
    sections = [title.split(" ")[0] for title, *_ in rows]
    assert [sections.count(name) for name in ("Data", "Model", "Infra", "Monitor")] == [7, 7, 7, 7]
