"""Every link from one file of the repository to another leads somewhere."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
PAGES = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "changes").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    broken = [target for target in targets(MarkdownIt().parse(page.read_text())) if leads_nowhere(page, target)]
    assert not broken


def leads_nowhere(page: Path, target: str) -> bool:
    path = target.partition("#")[0]
    return bool(path) and "://" not in path and not (page.parent / path).exists()


def targets(tokens: list[Token]) -> Iterator[str]:
    for token in tokens:
        for name in ("href", "src"):
            if isinstance(target := token.attrs.get(name), str):
                yield target
        yield from targets(token.children or [])


def test_a_link_to_nothing_is_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("[here](page.md) [there](elsewhere.md)")
    assert [target for target in targets(MarkdownIt().parse(page.read_text())) if leads_nowhere(page, target)] == [
        "elsewhere.md"
    ]
