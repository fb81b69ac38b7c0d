"""A foreign model brought into the folder of a service; `flyball train` then judges, signs and registers it."""

from pathlib import Path

from ruamel.yaml import YAML

from flyball.adapters.mlflow_import import fetch
from flyball.app.declared import load
from flyball.core.errors import BadInput, Fault
from flyball.core.foreign import environment_grade
from flyball.core.record import Record
from flyball.core.release import Grade
from flyball.pipeline.imported import MODEL, MODULE, ORIGIN, files


class Imported(Record):
    """What `flyball import --json` prints."""

    source: str  # with the version, where an alias was given
    service: str
    sha256: str  # of the model's bytes
    environment_grade: Grade  # of the environment in which it was made
    requirements: tuple[str, ...]
    files: tuple[str, ...]  # written, relative to the folder


def bring(source: str, server: str, service: Path) -> Imported:
    """Write the model's files and name them in service.yaml.

    Raises: BadInput: the service is faulty, a file is there already, or the model is of another kind. NotFound,
    Unavailable: see `mlflow_import.fetch`.
    """
    declared = load(service)
    there = [name for name in (MODULE, MODEL, ORIGIN) if (declared.folder / name).exists()]
    if there:
        faults = tuple(Fault(where=name, path="(file)", expected="no such file", found="one") for name in there)
        raise BadInput("Nothing is ever overwritten.", faults, hint="move the earlier import away")
    foreign = fetch(source, server)
    if not foreign.inputs:
        names = tuple(c.name for c in declared.contract.columns if c.name != declared.service.data.label)
        expected = f"a signature with column names, of {', '.join(names)}"
        fault = Fault(where=foreign.source, path="signature", expected=expected, found="none", fix="log it with one")
        raise BadInput("Nobody wrote down which columns the model takes.", (fault,))
    made = files(foreign)
    for name, text in made.items():
        target = declared.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
    _name_in(declared.file)
    return Imported(
        source=foreign.source,
        service=declared.service.metadata.name,
        sha256=foreign.sha256,
        environment_grade=environment_grade(foreign.requirements, foreign.python),
        requirements=foreign.requirements,
        files=tuple(made),
    )


def _name_in(file: Path) -> None:
    """`experiment.module` and `include`, the rest of the file and its comments as they are."""
    yaml = YAML()
    yaml.preserve_quotes = True
    document = yaml.load(file.read_text())
    section = document["experiment"]
    section["module"] = MODULE
    section["include"] = [*(name for name in section.get("include", ()) if name not in (MODEL, ORIGIN)), MODEL, ORIGIN]
    with file.open("w") as out:
        yaml.dump(document, out)
