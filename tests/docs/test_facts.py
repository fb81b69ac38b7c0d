"""The page of facts names every fact that the ledger can hold, and no other."""

import re
from pathlib import Path
from typing import get_args

from flyball.core import events

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "facts.md"


def test_every_fact_has_a_line_on_its_page() -> None:
    named = set(re.findall(r"^\| `([a-z_]+\.[a-z_]+)` \|", PAGE.read_text(), flags=re.MULTILINE))
    assert named == {fact.__struct_config__.tag for fact in get_args(events.AnyFact)}
