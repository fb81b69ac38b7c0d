"""Policies of healing about a column that the data contract does not have: nothing will ever show their cause."""

from collections.abc import Iterator

from flyball.contracts.schema_faults import nearest
from flyball.core.contract import DataContract
from flyball.core.errors import Fault
from flyball.core.service import Service

OF_COLUMNS = ("drift", "data_quality", "freshness")  # kinds of causes whose second part is a column
BESIDE = ("rows", "label")  # ... or one of these, which no contract names


def healing_misfits(service: Service, contract: DataContract, *, file: str = "service.yaml") -> Iterator[Fault]:
    """Each policy whose cause names a column, and no such column comes."""
    columns = [each.name for each in (*contract.columns, *contract.beyond)]
    for index, policy in enumerate(service.healing.policies):
        kind, _, feature = policy.cause.partition("/")
        if kind not in OF_COLUMNS or not feature or feature in (*columns, *BESIDE):
            continue
        yield Fault(
            where=file,
            path=f"healing.policies[{index}].cause",
            expected=f"{kind} of a column of {service.data.contract}",
            found=policy.cause,
            fix=nearest(feature, columns),
        )
