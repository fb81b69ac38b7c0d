"""A class of somebody's that loads itself, and the files it reads, brought into the folder of a service."""

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

from flyball.app.wiring.importing import Imported, untouched, write
from flyball.core.errors import BadInput, Fault
from flyball.core.packed_files import packed
from flyball.pipeline import imported_files
from flyball.pipeline.imported import MODEL, MODULE, ORIGIN


def bring_class(source: str, folder: Path, service: Path) -> Imported:
    """`FILE.py:CLASS` and the folder that `CLASS.load(folder)` reads, as code of the service; nothing of it is run.

    Raises: BadInput: the service is faulty, a file is there already, or the class has not what it needs.
    """
    declared = untouched(service)
    file, _, kind = source.rpartition(":")
    path, name = Path(file), Path(file).name
    faults = list(_class_faults(path, kind))
    contents = {each.relative_to(folder).as_posix(): each.read_bytes() for each in folder.rglob("*") if each.is_file()}
    if not contents:
        expected = f"a folder with the files that {kind}.load(folder) reads"
        faults.append(Fault(where="command line", path="--files", expected=expected, found=str(folder)))
    if (declared.folder / name).exists() and (declared.folder / name).resolve() != path.resolve():
        faults.append(Fault(where=name, path="(file)", expected="no such file in the service's folder", found="one"))
    if faults:
        raise BadInput(f"{source} cannot be imported.", tuple(faults))
    data = packed(contents)
    sha256 = hashlib.sha256(data).hexdigest()
    made = imported_files.of_class(path.stem, kind, data, sha256, tuple(sorted(contents)))
    write(declared, {name: path.read_text()} | made, MODULE, (MODEL, ORIGIN))
    return Imported(
        source=source,
        service=declared.service.metadata.name,
        sha256=sha256,
        environment_grade="D",
        requirements=(),
        files=(name, *made),
    )


def _class_faults(path: Path, kind: str) -> Iterator[Fault]:
    """What keeps the class from loading itself, as far as its text says; it is not imported here."""
    if not path.is_file():
        yield Fault(where="command line", path="source", expected="FILE.py:CLASS", found=f"no file {path}")
        return
    try:
        tree = ast.parse(path.read_text())
    except (SyntaxError, UnicodeDecodeError) as error:
        yield Fault(where=str(path), path="(file)", expected="Python", found=str(error))
        return
    found = next((each for each in tree.body if isinstance(each, ast.ClassDef) and each.name == kind), None)
    if found is None:
        yield Fault(where=str(path), path="(file)", expected=f"a class {kind} at the top", found="none")
        return
    has = {each.name for each in found.body if isinstance(each, ast.FunctionDef)}
    if missing := [verb for verb in ("save", "load", "predict") if verb not in has]:
        yield Fault(where=str(path), path=kind, expected="save, load and predict", found=f"no {', '.join(missing)}")
