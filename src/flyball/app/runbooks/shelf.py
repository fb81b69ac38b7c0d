"""Which runbooks there are: the package's, and those of a service's own folder, which come first."""

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from flyball.app.runbooks.reading import Runbook, parse
from flyball.core.errors import BadInput, Fault, NotFound

FOLDER = "runbooks"  # beside service.yaml


def names() -> tuple[str, ...]:
    """Of the package's: what an alert may link to.

    >>> "data-drift" in names()
    True
    """
    return tuple(sorted(name.removesuffix(".md") for name, _ in _package()))


def shelf(service_folder: Path | None = None) -> dict[str, Runbook]:
    """All, by name. Raises: BadInput with the faults of every one that is faulty."""
    found: dict[str, Runbook] = {}
    faults: list[Fault] = []
    for name, text, own in _texts(service_folder):
        try:
            found[name] = parse(name, text, own=own)
        except BadInput as error:
            faults += error.faults
    if faults:
        raise BadInput("Runbooks are faulty.", tuple(faults))
    return dict(sorted(found.items()))


def runbook(name: str, service_folder: Path | None = None) -> Runbook:
    """One of them. Raises: NotFound. BadInput."""
    there = {each: (text, own) for each, text, own in _texts(service_folder)}
    if name not in there:
        raise NotFound(f"no runbook is called {name!r}", hint="runbooks: " + ", ".join(sorted(there)))
    text, own = there[name]
    return parse(name, text, own=own)


def text_of(name: str, service_folder: Path | None = None) -> str:
    """Its Markdown. Raises: NotFound."""
    runbook(name, service_folder)
    return next(text for each, text, _ in reversed(list(_texts(service_folder))) if each == name)


def _texts(service_folder: Path | None) -> Iterator[tuple[str, str, bool]]:
    for name, file in _package():
        yield name.removesuffix(".md"), file.read_text(encoding="utf-8"), False
    folder = service_folder / FOLDER if service_folder is not None else None
    if folder is not None and folder.is_dir():
        for path in sorted(folder.glob("*.md")):
            yield path.stem, path.read_text(encoding="utf-8"), True


def _package() -> Iterator[tuple[str, Traversable]]:
    for file in files("flyball.app.runbooks").iterdir():
        if file.name.endswith(".md"):
            yield file.name, file
