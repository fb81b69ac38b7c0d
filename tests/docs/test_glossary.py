"""The glossary holds each word once, in order, and every word that the design fixes."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENTRY = re.compile(r"^\*\*(.+?)\*\*: .+", re.MULTILINE)
FIXED = (ROOT / "tests/docs/fixed_words.txt").read_text().split()


def test_the_glossary_is_sorted_and_whole() -> None:
    words = ENTRY.findall((ROOT / "docs/glossary.md").read_text())
    assert words == sorted(set(words))
    assert set(FIXED) <= set(words)
