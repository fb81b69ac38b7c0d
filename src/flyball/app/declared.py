"""A service folder read into records: service.yaml, its data contract, its code; every fault of all of them at once."""

import ast
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flyball.app.home import expand_data
from flyball.app.off_policy_log import faults_of_log
from flyball.app.slo.files import with_files
from flyball.contracts.declaration import sense
from flyball.contracts.declaration.fit import exposed, misfits
from flyball.contracts.declaration.service_file import parse
from flyball.contracts.odcs.document import Reading, parse_contract
from flyball.core.contract import DataContract
from flyball.core.errors import BadInput, Fault
from flyball.core.service import Service

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, kw_only=True)
class Declared:
    """One service as its owner wrote it down."""

    file: Path
    folder: Path
    service: Service
    contract: DataContract
    code: dict[str, str]  # path relative to the folder -> text: every *.py, experiment.include
    source: Path  # the training table: a file, a folder or a glob, $FLYBALL_DATA resolved
    notes: tuple[str, ...]  # what is allowed but probably not meant
    not_executed: tuple[str, ...]  # what the contract says and Flyball does not check

    @property
    def contract_folder(self) -> Path:
        """Where the contract stands, and with it the tables that it compares with."""
        return (self.folder / self.service.data.contract).parent


def load(file: Path | str) -> Declared:
    """Read a service folder.

    Raises: BadInput with the faults of service.yaml, the contract and the code together.
    """
    file = Path(file)
    if file.is_dir():
        file = file / "service.yaml"
    folder = file.resolve().parent
    service = parse(read_text(file, where=str(file)), file=file.name)
    faults: list[Fault] = []
    service, undone = with_files(service, folder, faults, read=lambda path, name: read_text(path, where=name))
    source = expand_data(service.data.source)
    if not source.is_absolute() and not service.data.source.startswith("$"):
        source = folder / source
    reading = _contract(folder, service, source.stem, faults)
    code = _code(folder, service, faults)
    _golden(folder, service, faults)
    contract = None if reading is None else reading.contract
    faults += faults_of_log(folder, service, contract, read=lambda path: read_table(path, contract=contract))
    if reading is not None:
        faults += misfits(service, reading.contract, file=file.name)
    if faults or reading is None:
        count = len(faults)
        raise BadInput(f"{file} has {count} fault{'s' if count != 1 else ''}.", tuple(faults))
    return Declared(
        file=file,
        folder=folder,
        service=service,
        contract=reading.contract,
        code=code,
        source=source,
        notes=(*sense.notes(service), *exposed(service, reading.contract), *undone),
        not_executed=reading.not_executed,
    )


def read_text(path: Path, *, where: str) -> str:
    """A text file. Raises: BadInput where it is absent, unreadable or not UTF-8."""
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        fault = Fault(where=where, path="(file)", expected="a file that can be read", found=str(error.strerror))
        raise BadInput(f"{where} cannot be read.", (fault,)) from error
    except UnicodeDecodeError as error:
        found = f"byte {error.object[error.start]:#04x} at position {error.start}"
        fault = Fault(where=where, path="(file)", expected="UTF-8 text", found=found, fix="save it as UTF-8")
        raise BadInput(f"{where} cannot be read.", (fault,)) from error


def read_table(
    path: Path | str, *, needed: tuple[str, ...] = (), contract: DataContract | None = None
) -> "pl.DataFrame":
    """A Parquet or CSV table; timestamps with a zone are turned into UTC without one.

    Args:
        needed: columns that must be there, such as the label.
        contract: says what the cells of a CSV are; without it their types are inferred.

    Raises: BadInput: no table that can be read (`tables.read`), or a needed column missing.
    """
    from flyball.app.sources import read

    kinds = None if contract is None else {column.name: column.kind for column in contract.columns}
    columns_of = () if contract is None else contract.columns
    table = read(Path(path), kinds, frozenset(each.name for each in columns_of if each.default_timezone is not None))
    missing = [name for name in needed if name not in table.columns]
    if missing:
        columns = ", ".join(table.columns)
        faults = tuple(
            Fault(where=str(path), path=name, expected="a column", found=f"only {columns}") for name in missing
        )
        raise BadInput(f"{path} lacks columns.", faults)
    return table


def _contract(folder: Path, service: Service, table: str, faults: list[Fault]) -> Reading | None:
    name = service.data.contract
    try:
        return parse_contract(read_text(folder / name, where=name), file=name, table=table)
    except BadInput as error:
        faults.extend(error.faults)
        return None


def _code(folder: Path, service: Service, faults: list[Fault]) -> dict[str, str]:
    code: dict[str, str] = {}
    for name in code_names(folder, service):
        try:
            code[name] = read_text(folder / name, where=name)
        except BadInput as error:
            faults.extend(error.faults)
    for name, text in code.items():
        if name.endswith(".py"):
            _judge_code(name, text, faults, service if name == service.experiment.module else None)
    return code


def code_names(folder: Path, service: Service) -> list[str]:
    """Every Python file of the folder, hidden folders aside, and what `experiment.include` names, in order. Hidden ones
    are not looked into: the home may be one, whose files come and go meanwhile."""
    names = set[str]()
    for place, below, files in os.walk(folder):
        below[:] = [each for each in below if not each.startswith(".") and each != "__pycache__"]
        found = (Path(place, each) for each in files if each.endswith(".py") and not each.startswith("."))
        names.update(path.relative_to(folder).as_posix() for path in found)
    return sorted(names | {service.experiment.module, *service.experiment.include})


def _golden(folder: Path, service: Service, faults: list[Fault]) -> None:
    """The golden set has to be there. It is no code: the experiment names it by a digest of its own."""
    name = service.experiment.tests.golden
    if name is None:
        return
    try:
        read_text(folder / name, where=name)
    except BadInput as error:
        faults.extend(error.faults)


def _judge_filters(name: str, tree: ast.Module, faults: list[Fault], service: Service) -> None:
    """Functions that filters name stand in the module, or are imported into it."""
    known = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    known |= {
        alias.asname or alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    for index, one in enumerate(service.serving.filters):
        if one.function is not None and one.function not in known:
            expected = f"def {one.function}({'rows' if one.on == 'row' else 'rows, answers'})"
            found = ", ".join(sorted(known)) or "no function"
            faults.append(Fault(where=name, path=f"serving.filters[{index}].function", expected=expected, found=found))


def _judge_code(name: str, text: str, faults: list[Fault], service: Service | None) -> None:
    """Read, not imported: checking a declaration runs nobody's code. `service`: where the file is its entry."""
    try:
        tree = ast.parse(text, filename=name)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = name if line is None else f"{name}:{line}"
        found = getattr(error, "msg", None) or str(error)
        faults.append(Fault(where=where, path="(code)", expected="Python that can be read", found=found))
        return
    if service is None:
        return
    _judge_filters(name, tree, faults, service)
    train = next((node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "train"), None)
    imported = any(
        isinstance(node, ast.ImportFrom) and any((alias.asname or alias.name) == "train" for alias in node.names)
        for node in tree.body
    )
    keys = ("config", "seed", "parent") if service.experiment.warm_start else ("config", "seed")
    expected = f"def train(features, label, *, {', '.join(keys)})"
    if train is None and not imported:
        defined = ", ".join(node.name for node in tree.body if isinstance(node, ast.FunctionDef)) or "no function"
        faults.append(Fault(where=name, path="train", expected=expected, found=defined))
    elif train is not None:
        names = [argument.arg for argument in (*train.args.posonlyargs, *train.args.args, *train.args.kwonlyargs)]
        lacking = [key for key in keys if key not in names]
        if train.args.kwarg is None and lacking:
            found = f"def train({', '.join(names)})"
            faults.append(Fault(where=f"{name}:{train.lineno}", path="train", expected=expected, found=found))
