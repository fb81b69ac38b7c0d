"""`flyball restore`: lay a backup back into a new home."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit, progress

if TYPE_CHECKING:
    from flyball.app.wiring.backup.restore import Restored


def restore(
    folder: Annotated[Path, Parameter(help="What `flyball backup` has written.")],
    /,
    *,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> int:
    """Lay the files back, and verify each of them and the ledger. Exit code 1: something differs."""
    from flyball.app.home import find_home
    from flyball.app.wiring.backup.restore import restore as lay_back

    with progress("files") as advance:
        found = lay_back(folder, find_home(home), on_file=lambda name: advance(1, note=name))
    emit(found, as_json=json, text=lambda: _text(found))
    return 1 if found.differences else 0


def _text(found: "Restored") -> str:
    state = "as it was laid aside" if not found.differences else "NOT as it was laid aside"
    return "\n".join([f"{found.home}: {found.entries} entries of the ledger, {state}", *found.differences])
