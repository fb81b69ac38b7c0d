"""Process: loads one package, as an arm does, and says what it cost.

    python -P -m flyball.app.wiring.fresh --release FOLDER --place FOLDER

`rows.parquet` of the place goes in; `features.parquet` there, and one JSON line on standard output, come out.
"""

import time

BEGAN = time.perf_counter()

import argparse  # noqa: E402 -- imports are what is timed
import json  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import polars as pl  # noqa: E402

from flyball.adapters.predictor import load  # noqa: E402
from flyball.core.frames import conform  # noqa: E402

LARGE = ("lightgbm", "onnx", "onnxruntime", "pandas", "scipy", "skl2onnx", "sklearn")


def main() -> None:
    """Load, answer one row, write the features down."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--release", required=True)
    parser.add_argument("--place", required=True)
    options = parser.parse_args()
    imported = time.perf_counter()
    predictor = load(options.release)
    rows = conform(pl.read_parquet(Path(options.place, "rows.parquet")), predictor.dtypes)
    predictor.predict(rows.head(1).to_dicts())
    loaded = time.perf_counter()
    memory_mb = _resident_mb()
    predictor.features(rows).write_parquet(Path(options.place, "features.parquet"))
    found = {
        "import_s": imported - BEGAN,
        "load_s": loaded - imported,
        "memory_mb": memory_mb,
        "imported": [name for name in LARGE if name in sys.modules],
    }
    print(json.dumps(found))


def _resident_mb() -> float:
    """Resident memory now, MB of 10**6 bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main()
