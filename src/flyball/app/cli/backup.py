"""`flyball backup`: lay a home aside while it is in use."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit, progress

if TYPE_CHECKING:
    from flyball.app.wiring.backup.backup import Backup


def backup(
    *,
    out: Annotated[Path, Parameter(help="New or empty folder for the backup. It will hold the signing key.")],
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """Copy the ledger as of one moment, and everything that its facts name, while services run."""
    from flyball.app.home import find_home
    from flyball.app.wiring.backup.backup import backup as back_up

    with progress("files") as advance:
        made = back_up(find_home(home), out, on_file=lambda name: advance(1, note=name))
    emit(made, as_json=json, text=lambda: _text(made))


def _text(made: "Backup") -> str:
    lines = [f"{made.files} files, {made.size / 1e6:.1f} MB, {made.entries} entries of the ledger: {made.folder}"]
    if made.database:
        lines.append(f"the ledger stands in {made.database}: lay that aside with the database's own tools")
    return "\n".join(lines)
