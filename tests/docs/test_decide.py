"""Every public name of `flyball.decide` stands on its page, with the first words of what it says of itself."""

import re
from pathlib import Path

import flyball.decide

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "decide.md"


def test_the_page_has_every_public_name_once_and_no_other() -> None:
    named = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), flags=re.MULTILINE)
    assert sorted(named) == sorted(flyball.decide.__all__)


def test_each_name_is_told_as_it_tells_itself() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", PAGE.read_text(), flags=re.MULTILINE))
    for name, told in rows.items():
        words = " ".join((getattr(flyball.decide, name).__doc__ or "").strip().split("\n\n")[0].split())
        assert told == words.replace("|", "\\|"), name
