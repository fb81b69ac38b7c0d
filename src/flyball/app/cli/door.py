"""What all verbs share: options, how a document or a text leaves, how an error leaves, the progress bar.

CONVENTION for a verb. One module a verb, named like it, with one plain function of the same name (`check.py: check`);
a verb with verbs of its own exposes a cyclopts `App` called `app` (`ledger.py: app`). `main.py` lists them as strings,
so a verb's module is imported only when it is run; heavy imports (polars, scikit-learn) still belong inside functions
that need them, where another verb may import the module. A verb

- takes its options from the annotated types here: `json: JsonFlag = False`, `home: HomeOption = None`
  (`demo` and `replay`: `json: JsonFile = None`, a file or `-`),
- ends by `emit(document, as_json=json, text=lambda: ...)`, once; all other words go to standard error by `say`,
- returns the exit code: None or 0 done, 1 the answer is no. It raises for the rest: `FlyballError` carries its own
  code, anything unexpected becomes exit 3. It never calls `sys.exit` and never prints an error itself.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import msgspec
from cyclopts import Parameter

from flyball.core.errors import BadInput, Fault, FlyballError

if TYPE_CHECKING:
    from rich.console import RenderableType

JsonFlag = Annotated[bool, Parameter(name="--json", negative="", help="Print one JSON document on standard output.")]
JsonFile = Annotated[
    str | None,
    # a lone `-` begins like an option and is none; a real option that follows is no name of a file
    Parameter(
        name="--json",
        allow_leading_hyphen=True,
        validator=lambda _, value: _refuse_option(value),
        help="Write the JSON document to this file; - is stdout.",
    ),
]
HomeOption = Annotated[
    str | None,
    Parameter(name="--home", help="Folder of the state; else FLYBALL_HOME, else .flyball/ beside the service file."),
]
GatewayOption = Annotated[
    Path | None,
    Parameter(name="--gateway", help="gateway.yaml: who may ask, TLS, limits. Needed where --host is not loopback."),
]

_JSON_TO_FILE = ("demo", "replay")


class Advance(Protocol):
    """Moves a progress bar on: by how much, and what is being done now."""

    def __call__(self, by: float = 1, /, note: str = "") -> None: ...


def emit(document: Any, *, as_json: bool, text: "Callable[[], RenderableType]") -> None:
    """The verb's result on standard output: one JSON document, or what `text()` gives, rendered by rich.

    A plain string is printed as it is, brackets included; colours come from rich's own Text, Table and the like.
    """
    if as_json:
        sys.stdout.write(encode(document))
        return
    from rich.console import Console

    Console(soft_wrap=True, highlight=False, markup=False).print(text())


def emit_to(document: Any, target: str | None, *, text: "Callable[[], RenderableType]") -> None:
    """The result of a verb whose `--json` names a file: text on standard output unless the document goes there."""
    if target is not None and target != "-":
        try:
            Path(target).write_text(encode(document), encoding="utf-8")
        except OSError as error:
            fault = Fault(where="--json", path=target, expected="a file that can be written", found=str(error.strerror))
            raise BadInput("The document cannot be written.", (fault,)) from error
    emit(document, as_json=target == "-", text=text)


def encode(document: Any) -> str:
    """JSON text, indented, keys in the record's order, one newline at its end."""
    return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"


def say(message: "RenderableType") -> None:
    """A line for people on standard error, where it cannot spoil a document."""
    from rich.console import Console

    Console(stderr=True, soft_wrap=True, highlight=False, markup=False).print(message)


@contextmanager
def progress(what: str, total: float | None = None) -> Iterator[Advance]:
    """A progress bar on standard error while the block runs; nothing where that is no terminal.

    `total` in the unit of `advance`; None: unknown, the bar only shows that something moves.
    """
    if not sys.stderr.isatty():
        yield _advance_nothing
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=total)
        yield lambda by=1, /, note="": bar.update(task, advance=by, description=f"{what} {note}".rstrip())


def _advance_nothing(by: float = 1, /, note: str = "") -> None:
    """The progress of a command that nobody watches."""


def report_error(error: FlyballError, *, as_json: bool) -> None:
    """An expected error: its faults and its hint, as a document on standard output or as text on standard error."""
    faults = error.faults if isinstance(error, BadInput) else ()
    message = Exception.__str__(error)
    if as_json:
        sys.stdout.write(encode({"error": {"message": message, "faults": faults, "hint": error.hint}}))
        return
    lines = [f"error: {message}", *(f"  {fault}" for fault in faults)]
    if error.hint:
        lines.append(f"hint: {error.hint}")
    # plain writes: a fault may hold brackets, which rich would take for markup
    sys.stderr.write("\n".join(lines) + "\n")


def wants_json(tokens: Sequence[str]) -> bool:
    """Whether standard output belongs to a document, read off the raw command line, for errors found before parsing.

    >>> wants_json(["check", "service.yaml", "--json"]), wants_json(["demo", "--json", "out.json"])
    (True, False)
    >>> wants_json(["demo", "--json", "-"]), wants_json(["demo", "--json=-"])
    (True, True)
    """
    if tokens and tokens[0] in _JSON_TO_FILE:
        return "--json=-" in tokens or any(flag == "--json" and value == "-" for flag, value in pairwise(tokens))
    return "--json" in tokens


def _refuse_option(value: str | None) -> None:
    if value is not None and value.startswith("-") and value != "-":
        raise ValueError(f"expected a file or -, found the option {value}")
