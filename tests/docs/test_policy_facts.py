"""The page of the policy names every fact that a rule may read, and every action and effect, and no other."""

import re
from pathlib import Path
from typing import get_type_hints

from flyball.core.declared.policy import Rule
from flyball.core.policy_facts import NOW, OF_ACTION, OF_RELEASE

PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "policy-and-approvals.md").read_text()


def test_every_fact_has_a_line_on_the_page() -> None:
    tables = PAGE.split("| fact, of this moment | |", 1)[1].split("\n\n`flyball", 1)[0]
    cells = re.findall(r"^\| (`[^|]+) \|", tables, flags=re.MULTILINE)
    named = {re.split(r"[.\[]", name)[0] for cell in cells for name in re.findall(r"`(\w[^`]*)`", cell)}
    facts = {*NOW, *OF_RELEASE, *(name for more in OF_ACTION.values() for name in more), "metrics", "gates"}
    assert named == facts


def test_every_action_and_effect_is_told() -> None:
    hints = get_type_hints(Rule)
    rows = re.findall(r"^\| `(\w+)` \|", PAGE.split("| action | is | effects |", 1)[1], flags=re.MULTILINE)
    assert rows[: len(hints["action"].__args__)] == list(hints["action"].__args__)
    for effect in hints["effect"].__args__:
        assert f"**`{effect}`**" in PAGE
