"""The page of healing shows the default policies and times as the code has them."""

import re
from pathlib import Path

from flyball.core.declared.healing import VERIFY_S, default_policies

PAGE = (Path(__file__).parents[2] / "docs" / "explanation" / "healing.md").read_text()


def rows_under(heading: str) -> list[list[str]]:
    part = PAGE.split(f"| {heading} |", 1)[1].split("\n\n", 1)[0]
    return [[cell.strip(" `") for cell in line.strip("|").split(" | ")] for line in part.splitlines()[2:]]


def test_the_default_policies_stand_on_the_page_in_their_order() -> None:
    told = [(cause, least, kinds.split(", ")) for cause, least, kinds in rows_under("cause | from")]
    assert told == [
        (policy.cause, policy.least, [one.kind for one in policy.remedies]) for policy in default_policies()
    ]


def test_every_remedy_stands_on_the_page_with_its_time() -> None:
    told = {row[0]: float(re.sub(r" s\b", "", row[-1])) for row in rows_under("remedy | does")}
    assert told == VERIFY_S
