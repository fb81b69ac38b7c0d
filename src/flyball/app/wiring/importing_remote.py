"""A model that stays where it is, brought into the folder of a service as code that asks it."""

from pathlib import Path
from urllib.parse import unquote

import msgspec

from flyball.adapters.oip_client import Endpoint, Metadata, metadata
from flyball.app.wiring.importing import Imported, untouched, write
from flyball.core.errors import BadInput, Fault
from flyball.pipeline import remote
from flyball.pipeline.imported import ORIGIN


def endpoint_of(address: str, *, timeout_s: float, token_env: str | None, connections: int = 16) -> Endpoint:
    """An address as people copy it, `http://host:8000/v2/models/fraud/versions/3`, in its parts.

    Raises: BadInput: it is not of that form, or a bound is no bound.
    """
    bounds = (("--timeout", timeout_s), ("--connections", connections))
    if faults := tuple(
        Fault(where="command line", path=name, expected="more than 0", found=f"{value:g}")
        for name, value in bounds
        if value <= 0
    ):
        raise BadInput("The endpoint cannot be asked so.", faults)
    url, v2, rest = address.partition("/v2/models/")
    parts = [unquote(part) for part in rest.strip("/").split("/")]
    match parts:
        case [name] if v2 and name:
            version = None
        case [name, "versions", version] if v2 and name and version:
            pass
        case _:
            expected = "http://HOST:PORT/v2/models/NAME or .../NAME/versions/VERSION"
            fault = Fault(where="command line", path="source", expected=expected, found=address)
            raise BadInput("The address names no model.", (fault,))
    return Endpoint(
        url=url, model=name, version=version, timeout_s=timeout_s, token_env=token_env, connections=connections
    )


def bring_remote(endpoint: Endpoint, output: str | None, service: Path) -> Imported:
    """Write code that asks the endpoint, and name it in service.yaml.

    Args: output: the tensor that holds the numbers; None: the only one.

    Raises: BadInput: the service is faulty, a file is there already, or inputs and outputs do not fit. Unavailable:
    the endpoint does not answer.
    """
    declared = untouched(service)
    found = metadata(endpoint)
    label = declared.service.data.label
    columns = [column for column in declared.contract.columns if column.name != label]
    numbers = [column.name for column in columns if column.kind in ("number", "integer")]
    offered = [(tensor.name, tensor.datatype, tensor.shape) for tensor in found.inputs]
    fitted = remote.fitted_inputs(offered, numbers, [column.name for column in columns])
    outputs = [tensor.name for tensor in found.outputs]
    faults = []
    if isinstance(fitted, str):
        expected = f"inputs among {', '.join(column.name for column in columns)}"
        faults.append(Fault(where=endpoint.path, path="inputs", expected=expected, found=fitted))
    if output not in outputs and (output is not None or len(outputs) != 1):
        fix = "name it by --output"
        faults.append(
            Fault(where=endpoint.path, path="outputs", expected=output or "one", found=", ".join(outputs), fix=fix)
        )
    if isinstance(fitted, str) or faults:
        raise BadInput(f"{endpoint.path} cannot be the model of {declared.service.metadata.name}.", tuple(faults))
    made = remote.files(_remote(endpoint, fitted, output or outputs[0], found), task=declared.service.experiment.task)
    write(declared, made, remote.MODULE, (ORIGIN,))
    return Imported(
        source=endpoint.path,
        service=declared.service.metadata.name,
        sha256=None,
        environment_grade="D",
        requirements=(),
        files=tuple(made),
    )


def _remote(
    endpoint: Endpoint, fitted: tuple[tuple[str, ...], dict[str, str], bool], output: str, found: Metadata
) -> remote.Remote:
    columns, inputs, matrix = fitted
    return remote.Remote(
        endpoint=msgspec.to_builtins(endpoint),
        columns=columns,
        inputs=inputs,
        output=output,
        matrix=matrix,
        platform=found.platform,
    )
