"""`flyball import`: bring a model that was logged elsewhere into a service; it is judged as any other."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flyball.app.cli.door import JsonFlag, emit

if TYPE_CHECKING:
    from flyball.app.wiring.importing import Imported


def import_(
    source: Annotated[str, Parameter(help="mlflow:models:/NAME/VERSION or mlflow:models:/NAME@ALIAS.")],
    service: Annotated[Path, Parameter(help="service.yaml, or its folder.")] = Path("service.yaml"),
    /,
    *,
    server: Annotated[str, Parameter(help="Tracking URI of the MLflow server.")],
    json: JsonFlag = False,
) -> None:
    """Write the model into the service's folder as code that fits nothing; `flyball train` makes a release of it."""
    from flyball.app.wiring.importing import bring

    emit(found := bring(source, server, service), as_json=json, text=lambda: _text(found))


def _text(found: "Imported") -> str:
    return (
        f"{found.source} is now the model of {found.service}; the environment it was made in is known to grade "
        f"{found.environment_grade}\nflyball train judges, signs and registers it"
    )
