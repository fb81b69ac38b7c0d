"""What the governed loop costs on a recorded stream, and how long a whole replay takes.

Rows a second of the car loan stream with everything but trainings (`autonomy.retrain: observe`), against the bare
model's predictions on the same micro-batches; then all of electricity with its trainings and the regimes beside it.
"""

import tempfile
import time
from dataclasses import replace
from pathlib import Path

import polars as pl
from msgspec.structs import replace as with_fields

from flyball.adapters.models.predictor import load as load_release
from flyball.app.declared import Declared, load
from flyball.app.home import Home, expand_data
from flyball.app.wiring.replay import Options, replay
from flyball.app.wiring.replay.run import PANE_ROWS
from flyball.app.wiring.replay.stream import read_stream

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
LOANS = ("$FLYBALL_DATA/nannyml_car_loan/reference.parquet", "$FLYBALL_DATA/nannyml_car_loan/monitoring.parquet")
MARKET = ("$FLYBALL_DATA/electricity/electricity.parquet",)
TARGET_ROWS_PER_S, TARGET_S = 2_000, 120


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory(prefix="flyball-bench-") as folder:
        governed_against_bare(Path(folder))
        whole(Path(folder))


def governed_against_bare(folder: Path) -> None:
    """Rows a second through gateway, monitor and planner, and through the model alone, in equal batches."""
    declared = _watching_only(load(EXAMPLES / "car_loan"))
    stream, options = _stream(declared, LOANS), _options(declared)
    marks: list[float] = []
    home = Home(folder / "loans")
    replay(declared, stream, options, home, lambda _: marks.append(time.perf_counter()))
    governed = (len(marks) - 1) * PANE_ROWS / (marks[-1] - marks[0])
    bare = _bare(next(home.releases.iterdir()), stream[options.train_rows :])
    print(f"replay without trainings: {governed:,.0f} rows/s (target {TARGET_ROWS_PER_S:,})")
    print(f"the bare model, batches of {PANE_ROWS}: {bare:,.0f} rows/s; governed is {governed / bare:.2f} of it")


def whole(folder: Path) -> None:
    """Seconds of a whole replay of electricity."""
    declared = load(EXAMPLES / "electricity")
    stream = _stream(declared, MARKET)
    report = replay(declared, stream, _options(declared), Home(folder / "market"), lambda _: None)
    retrainings = len(report.trainings) - 1
    print(f"electricity, {report.rows:,} rows: {report.seconds:.1f} s, {retrainings} retrainings (target {TARGET_S} s)")


def _watching_only(declared: Declared) -> Declared:
    service = declared.service
    autonomy = with_fields(service.autonomy, retrain="observe")
    return replace(declared, service=with_fields(service, autonomy=autonomy))


def _stream(declared: Declared, sources: tuple[str, ...]) -> pl.DataFrame:
    return read_stream([expand_data(source) for source in sources], declared.contract, declared.service.data.label)


def _options(declared: Declared) -> Options:
    asked = declared.service.replay
    return Options(
        train_rows=asked.train_rows,
        label_delay_rows=asked.label_delay_rows,
        approve_after_rows=asked.approve_after_rows,
    )


def _bare(release: Path, rows: pl.DataFrame) -> float:
    """Rows a second of `predict_frame` on the same batches, from typed columns."""
    predictor = load_release(str(release))
    inputs = rows.select(predictor.dtypes.keys())
    begun = time.perf_counter()
    for start in range(0, inputs.height, PANE_ROWS):
        predictor.predict_frame(inputs[start : start + PANE_ROWS])
    return inputs.height / (time.perf_counter() - begun)


if __name__ == "__main__":
    main()
