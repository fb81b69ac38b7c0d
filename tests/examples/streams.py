"""The examples, their recorded streams, and a replay of one as its user would run it."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from flyball.app.cli.main import run

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
STREAMS = {
    "car_loan": ("nannyml_car_loan/reference.parquet", "nannyml_car_loan/monitoring.parquet"),
    "car_price": ("nannyml_car_price/reference.parquet", "nannyml_car_price/monitoring.parquet"),
    "credit_card": ("nannyml_credit_card/reference.parquet", "nannyml_credit_card/monitoring.parquet"),
    "electricity": ("electricity/electricity.parquet",),
    "employment": ("acs_employment_ma/reference.parquet", "acs_employment_ma/monitoring.parquet"),
}


def files(data: Path, example: str) -> list[Path]:
    """The stream's files, in their order."""
    return [data / name for name in STREAMS[example]]


def part(data: Path, example: str, start: int, stop: int, folder: Path) -> list[Path]:
    """Some rows of a stream, counted from 0 over all its files, as a file of their own."""
    whole = pl.concat([pl.read_parquet(file) for file in files(data, example)])
    kept = folder / f"{example}.parquet"
    whole[start:stop].write_parquet(kept)
    return [kept]


def replayed(example: str, stream: Sequence[Path], folder: Path, *options: str) -> Any:
    """The report of `flyball replay`. Its home is `folder/home`."""
    report = folder / "report.json"
    given = [str(file) for file in stream]
    tokens = ["replay", str(EXAMPLES / example), "--data", *given, "--home", str(folder / "home")]
    code = run([*tokens, "--json", str(report), *options])
    assert code == 0, f"{example}: exit {code}"
    return json.loads(report.read_text())
