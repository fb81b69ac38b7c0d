"""Process: loads one package, as an arm does, and says what it cost.

    python -P -m flyball.app.wiring.processes.fresh --release FOLDER --place FOLDER

`rows.parquet` of the place goes in; `features.parquet` and `answers.json` there, and one JSON line on standard output,
come out. A row without an answer ends it with what went wrong.
"""

import time

BEGAN = time.perf_counter()

import argparse  # noqa: E402 -- imports are what is timed
import json  # noqa: E402
import resource  # noqa: E402
import sys  # noqa: E402
from pathlib import Path  # noqa: E402

import msgspec  # noqa: E402
import polars as pl  # noqa: E402

from flyball.adapters.models.predictor import load  # noqa: E402
from flyball.core.frames import conform  # noqa: E402
from flyball.core.prediction import Answer, ArmReply, Failure  # noqa: E402

LARGE = ("lightgbm", "onnx", "onnxruntime", "pandas", "scipy", "skl2onnx", "sklearn", "xgboost")


def main() -> None:
    """Load, answer one row, then all of them; write features and answers down."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--release", required=True)
    parser.add_argument("--place", required=True)
    options = parser.parse_args()
    imported = time.perf_counter()
    predictor = load(options.release)
    rows = conform(pl.read_parquet(Path(options.place, "rows.parquet")), predictor.dtypes)
    asked = rows.to_dicts()
    answered(predictor.predict(asked[:1]))
    loaded = time.perf_counter()
    memory_mb = _resident_mb()
    answers = answered(predictor.predict(asked))
    Path(options.place, "answers.json").write_bytes(msgspec.json.encode(answers))
    predictor.features(rows).write_parquet(Path(options.place, "features.parquet"))
    found = {
        "import_s": imported - BEGAN,
        "load_s": loaded - imported,
        "memory_mb": memory_mb,
        "imported": [name for name in LARGE if name in sys.modules],
    }
    print(json.dumps(found))


def answered(reply: ArmReply) -> list[Answer]:
    """The answers of a reply in which each row has one; else the process ends and says why, in one line.

    >>> answered(ArmReply(answers=(Failure(reason="exception", message="NameError: scale"),), service_ms=1.0))
    Traceback (most recent call last):
    SystemExit: 1 of 1 rows got no answer: exception, NameError: scale
    """
    failures = [answer for answer in reply.answers if isinstance(answer, Failure)]
    if failures:
        said = " ".join(f"{failures[0].reason}, {failures[0].message}".split())
        raise SystemExit(f"{len(failures)} of {len(reply.answers)} rows got no answer: {said}")
    return [answer for answer in reply.answers if isinstance(answer, Answer)]


def _resident_mb() -> float:
    """Resident memory now, MB of 10**6 bytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main()
