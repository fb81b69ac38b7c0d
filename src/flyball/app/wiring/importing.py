"""A foreign model brought into the folder of a service; `flyball train` then judges, signs and registers it."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from ruamel.yaml import YAML

from flyball.adapters.mlflow_import import fetch
from flyball.app.declared import Declared, load
from flyball.core.errors import BadInput, Fault
from flyball.core.foreign import environment_grade
from flyball.core.record import Record
from flyball.core.release import Grade
from flyball.pipeline import imported_files, remote
from flyball.pipeline.imported import MODEL, MODULE, ORIGIN, files


class Imported(Record):
    """What `flyball import --json` prints."""

    source: str  # with the version, where an alias was given
    service: str
    sha256: str | None  # of the model's bytes; None: they are elsewhere, and only its answers are known
    environment_grade: Grade  # of the environment in which it was made
    requirements: tuple[str, ...]
    files: tuple[str, ...]  # written, relative to the folder
    runs_code: tuple[str, ...] = ()  # files of the model that run code when they are opened


def bring(source: str, server: str, service: Path, output: str | None = None) -> Imported:
    """Write the model's files and name them in service.yaml.

    `output`: column of its answers that holds the numbers, where mlflow.pyfunc asks it; None: the only one.

    Raises: BadInput: the service is faulty, a file is there already, or the model is of another kind. NotFound,
    Unavailable: see `mlflow_import.fetch`.
    """
    declared = untouched(service)
    foreign = fetch(source, server)
    if not foreign.inputs:
        names = tuple(c.name for c in declared.contract.columns if c.name != declared.service.data.label)
        expected = f"a signature with column names, of {', '.join(names)}"
        fault = Fault(where=foreign.source, path="signature", expected=expected, found="none", fix="log it with one")
        raise BadInput("Nobody wrote down which columns the model takes.", (fault,))
    columns = [column.name for column in declared.contract.columns if column.name != declared.service.data.label]
    if strange := [name for name in foreign.inputs if name not in columns]:
        expected = f"columns among {', '.join(columns)}"
        fault = Fault(where=foreign.source, path="signature", expected=expected, found=", ".join(strange))
        raise BadInput("The model takes columns that the contract does not have.", (fault,))
    native, task = foreign.flavour == "sklearn", declared.service.experiment.task
    made = files(foreign) if native else imported_files.pyfunc(foreign, task=task, output=output)
    write(declared, made, MODULE, (MODEL, ORIGIN))
    return Imported(
        source=foreign.source,
        service=declared.service.metadata.name,
        sha256=foreign.sha256,
        environment_grade=environment_grade(foreign.requirements, foreign.python),
        requirements=foreign.requirements,
        files=tuple(made),
        runs_code=foreign.runs_code,
    )


def untouched(service: Path) -> Declared:
    """The service, where nothing was brought to it yet.

    Raises: BadInput: the service is faulty, or something was brought before.
    """
    declared = load(service)
    there = [name for name in (MODULE, MODEL, ORIGIN, remote.MODULE) if (declared.folder / name).exists()]
    if there:
        faults = tuple(Fault(where=name, path="(file)", expected="no such file", found="one") for name in there)
        raise BadInput("Nothing is ever overwritten.", faults, hint="move the earlier import away")
    return declared


def write(declared: Declared, made: Mapping[str, str], module: str, include: Sequence[str]) -> None:
    """The files, path -> text, and their module as the service's."""
    for name, text in made.items():
        target = declared.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    _name_in(declared.file, module, include)


def _name_in(file: Path, module: str, include: Sequence[str]) -> None:
    """`experiment.module` and `include`, the rest of the file and its comments as they are."""
    yaml = YAML()
    yaml.preserve_quotes = True
    document = yaml.load(file.read_text())
    section = document["experiment"]
    section["module"] = module
    section["include"] = [*(name for name in section.get("include", ()) if name not in include), *include]
    with file.open("w") as out:
        yaml.dump(document, out)
