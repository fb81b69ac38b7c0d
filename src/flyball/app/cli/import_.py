"""`flyball import`: bring a model that was logged elsewhere into a service; it is judged as any other."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flyball.app.cli.door import JsonFlag, emit
from flyball.core.errors import BadInput, Fault

if TYPE_CHECKING:
    from flyball.app.wiring.importing import Imported


def import_(
    source: Annotated[
        str,
        Parameter(
            help="mlflow:models:/NAME/VERSION, mlflow:models:/NAME@ALIAS, FILE.py:CLASS, or the address of an Open "
            "Inference Protocol model: http://HOST:PORT/v2/models/NAME, perhaps with /versions/VERSION."
        ),
    ],
    service: Annotated[Path, Parameter(help="service.yaml, or its folder.")] = Path("service.yaml"),
    /,
    *,
    server: Annotated[str | None, Parameter(help="Tracking URI of the MLflow server.")] = None,
    files: Annotated[Path | None, Parameter(help="Folder that CLASS.load(folder) reads.")] = None,
    output: Annotated[str | None, Parameter(help="Output that holds the numbers, where there are more.")] = None,
    timeout: Annotated[float, Parameter(help="Seconds to the first byte of an answer.")] = 1.0,
    connections: Annotated[int, Parameter(help="Questions that a gateway process has under way at once.")] = 16,
    token_env: Annotated[str | None, Parameter(help="Environment variable that holds its bearer token.")] = None,
    json: JsonFlag = False,
) -> None:
    """Write the model into the service's folder as code that fits nothing; `flyball train` makes a release of it."""
    from flyball.app.wiring.importing import bring
    from flyball.app.wiring.importing_class import bring_class
    from flyball.app.wiring.importing_remote import bring_remote, endpoint_of

    if source.startswith(("http://", "https://")):
        endpoint = endpoint_of(source, timeout_s=timeout, token_env=token_env, connections=connections)
        found = bring_remote(endpoint, output, service)
    elif files is not None:
        found = bring_class(source, files, service)
    elif server is None:
        expected = "the tracking URI of an MLflow server; the address of a remote model begins with http:// or https://"
        fault = Fault(where="command line", path="--server", expected=expected, found="none")
        raise BadInput("Nothing says which server holds the model.", (fault,))
    else:
        found = bring(source, server, service, output)
    emit(found, as_json=json, text=lambda: _text(found))


def _text(found: "Imported") -> str:
    said = f"opening it runs code: {', '.join(found.runs_code)}\n" if found.runs_code else ""
    return said + (
        f"{found.source} is now the model of {found.service}; the environment it was made in is known to grade "
        f"{found.environment_grade}\nflyball train judges, signs and registers it"
    )
