"""Rules that could not do what they seem to say are refused, all at once."""

import pytest
from msgspec.structs import replace
from tests.contracts.declaration.test_service_file import WHOLE
from tests.serving.parts import CONTRACT, service

from flyball.contracts.declaration.fit import misfits
from flyball.contracts.declaration.service_file import parse
from flyball.core.errors import BadInput


def faults(routing: str) -> dict[str, str]:
    with pytest.raises(BadInput) as caught:
        parse(WHOLE + routing)
    return {fault.path: fault.expected for fault in caught.value.faults}


def test_each_rule_looks_at_one_thing_and_can_be_reached() -> None:
    found = faults(
        """
routing:
  rules:
    - {header: x-tenant, column: country, in: [DE], arm: champion}
    - {header: x-tenant, arm: champion}
    - {arm: champion, in: [DE]}
    - {header: X-Tenant, in: [a], arm: split}
    - {column: country, in: [DE], arm: canary}
"""
    )
    assert set(found) >= {"routing.rules[3].header", "routing.rules[4].arm"}
    found = faults(
        """
routing:
  rules:
    - {header: x-tenant, column: country, in: [DE], arm: champion}
    - {header: x-tenant, arm: champion}
    - {arm: champion, in: [DE]}
    - {column: country, in: [DE], arm: split}
"""
    )
    assert set(found) == {
        "routing.rules[0].column",
        "routing.rules[1].in",
        "routing.rules[2].in",
        "routing.rules[3]",
    }


def test_a_column_is_an_input_of_the_contract() -> None:
    rules = "routing: {rules: [{column: items, in: [1], arm: champion}, {column: fraud, in: [1], arm: split}]}\n"
    declared = replace(service(), routing=parse(WHOLE + rules).routing)
    found = misfits(declared, CONTRACT)
    assert [fault.path for fault in found if fault.path.startswith("routing")] == ["routing.rules[1].column"]
