"""Objectives from OpenSLO files beside a service declaration, among its own: from here on the two are one."""

from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from flyball.contracts.openslo.reading import parse
from flyball.core.errors import BadInput, Fault
from flyball.core.service import Service


def with_files(
    service: Service, folder: Path, faults: list[Fault], *, read: Callable[[Path, str], str]
) -> tuple[Service, tuple[str, ...]]:
    """The service with what `slo.files` say, and what these say that nobody here does.

    Args: faults: where those of the files are added. read: the text of a file, by its path and its name.
    """
    slo = service.slo
    if slo is None or not slo.files:
        return service, ()
    objectives, notes = list(slo.objectives), list[str]()
    for name in slo.files:
        try:
            found = parse(read(folder / name, name), file=name, service=service.metadata.name)
        except BadInput as error:
            faults.extend(error.faults)
            continue
        objectives += found.objectives
        notes += found.notes
    names = [each.name for each in objectives]
    for name in sorted({each for each in names if names.count(each) > 1}):
        found_twice = f"{name} more than once, in slo.objectives and slo.files"
        faults.append(Fault(where="service.yaml", path="slo", expected="each objective once", found=found_twice))
    return replace(service, slo=replace(slo, objectives=tuple(objectives))), tuple(notes)
