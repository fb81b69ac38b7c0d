"""`core.model.LoadFresh`: a new interpreter, as an arm would be, that loads a package and says what it cost."""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
import polars as pl

from flyball.core.model import Fresh
from flyball.core.prediction import Answer

COMMAND = (sys.executable, "-P", "-m", "flyball.app.wiring.processes.fresh")
TIMEOUT_S = 120.0
ROWS, FEATURES, ANSWERS = "rows.parquet", "features.parquet", "answers.json"


def load_fresh(folder: str, rows: pl.DataFrame, *, command: Sequence[str] = COMMAND) -> Fresh:
    """Never raises for what the package does: that is an answer, in `error`."""
    with tempfile.TemporaryDirectory(prefix="fresh-") as place:
        rows.write_parquet(Path(place, ROWS))
        try:
            done = subprocess.run(
                [*command, "--release", folder, "--place", place],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return _failed(f"it did not answer within {TIMEOUT_S:g} s")
        if done.returncode != 0:
            last = (done.stderr.decode(errors="replace").strip().splitlines() or ["no reason was given"])[-1]
            return _failed(f"it ended with {done.returncode}: {last}")
        found = msgspec.json.decode(done.stdout.splitlines()[-1], type=_Said)
        return Fresh(
            import_s=found.import_s,
            load_s=found.load_s,
            memory_mb=found.memory_mb,
            imported=found.imported,
            features=pl.read_parquet(Path(place, FEATURES)),
            answers=msgspec.json.decode(Path(place, ANSWERS).read_bytes(), type=tuple[Answer, ...]),
        )


class _Said(msgspec.Struct):
    """The last line of its standard output."""

    import_s: float
    load_s: float
    memory_mb: float
    imported: tuple[str, ...]


def _failed(error: str) -> Fresh:
    return Fresh(import_s=0.0, load_s=0.0, memory_mb=0.0, error=error)
