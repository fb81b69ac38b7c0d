"""The services that a command line names: at least one, each of them sound, each of them once."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flyball.core.errors import BadInput, Fault

if TYPE_CHECKING:
    from flyball.app.declared import Declared


def load_each(files: Sequence[Path], *, verb: str) -> list["Declared"]:
    """Raises: BadInput: none is named, one is named twice, or the faults of all the declarations."""
    from flyball.app.declared import load

    where = f"flyball {verb}"
    if not files:
        fault = Fault(where="command line", path=where, expected="a service.yaml, or its folder", found="none")
        raise BadInput("No service is named.", (fault,), hint=f"{where} examples/electricity/service.yaml")
    declared: list[Declared] = []
    faulty: list[BadInput] = []
    for file in files:
        try:
            declared.append(load(file))
        except BadInput as error:
            faulty.append(error)
    if len(faulty) == 1:
        raise faulty[0]
    if faulty:
        faults = tuple(fault for error in faulty for fault in error.faults)
        raise BadInput(f"{len(faulty)} of {len(files)} services are faulty.", faults)
    names = [each.service.metadata.name for each in declared]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        faults = tuple(
            Fault(where="command line", path=name, expected="each service once", found="twice") for name in twice
        )
        raise BadInput("A service is named twice.", faults)
    return declared
