"""Policies of healing about a column that the data contract does not have: nothing will ever show their cause."""

from collections.abc import Iterator

from flyball.contracts.schema_faults import nearest
from flyball.core.contract import DataContract
from flyball.core.errors import Fault
from flyball.core.service import Service

ANSWERS = ("prediction", "score", "top_score")  # they drift as columns do, and no contract names them


def healing_misfits(service: Service, contract: DataContract, *, file: str = "service.yaml") -> Iterator[Fault]:
    """Each policy whose cause names a column, and no such column comes. What is odd about labels is data quality."""
    columns = [each.name for each in contract.columns]
    inputs = [name for name in columns if name != service.data.label]
    shown = {"drift": (*inputs, *ANSWERS), "freshness": tuple(columns)}
    for index, policy in enumerate(service.healing.policies):
        kind, _, feature = policy.cause.partition("/")
        if not feature or feature in (there := shown.get(kind, (feature,))):
            continue
        yield Fault(
            where=file,
            path=f"healing.policies[{index}].cause",
            expected=f"{kind} of a column of {service.data.contract}" + (", or an answer" if kind == "drift" else ""),
            found=policy.cause,
            fix=nearest(feature, there),
        )
