"""River's detectors on the same streams, in an interpreter of their own: `python -m ... FOLDER` writes alarms.json.

Before that, River's own published vectors: a peer that does not give its published numbers is not used as its makers
meant it.
"""

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np


def detectors() -> dict[str, Callable[[], Any]]:
    drift, binary = import_module("river.drift"), import_module("river.drift.binary")
    return {
        "ADWIN": drift.ADWIN,
        "KSWIN": lambda: drift.KSWIN(seed=42),
        "PageHinkley": drift.PageHinkley,
        "HDDM_A": lambda: binary.HDDMA(two_sided_test=True),
        "HDDM_W": lambda: binary.HDDMW(two_sided_test=True),
        "DDM": binary.DDM,
    }


BINARY = ("HDDM_A", "HDDM_W", "DDM")
SLOW = ("KSWIN",)  # nearly 1 ms a value: on the streams that were cut only


def alarms(make: Callable[[], Any], values: np.ndarray) -> list[int]:
    detector, found = make(), []
    for row, value in enumerate(values.tolist()):
        detector.update(value)
        if detector.drift_detected:
            found.append(row)
    return found


def published() -> dict[str, list[list[int]]]:
    """Name -> [found, published]; river 0.26.1, seed 12345 before each stream."""
    drift, binary = import_module("river.drift"), import_module("river.drift.binary")
    random = np.random.RandomState(12345)
    one = np.concatenate([random.randint(2, size=1000), random.randint(8, size=1000)])
    random = np.random.RandomState(12345)
    two = np.concatenate([random.binomial(1, 0.2, 1000), random.binomial(1, 0.8, 1000)])
    random = np.random.RandomState(12345)
    three = np.concatenate([random.normal(mean, 0.1, 500) > 0 for mean in (0, 0.25, 0, 0.25)]).astype(int)
    wanted: list[tuple[str, Callable[[], Any], np.ndarray, list[int]]] = [
        ("ADWIN s1", drift.ADWIN, one, [1023]),
        ("PageHinkley s1", drift.PageHinkley, one, [1020, 1397, 1548, 1988]),
        ("KSWIN s1", lambda: drift.KSWIN(alpha=0.0001, window_size=200, stat_size=100, seed=42), one, [1042]),
        ("ADWIN s2", drift.ADWIN, two, [1055]),
        ("PageHinkley s2", drift.PageHinkley, two, [1081]),
        ("DDM s2", binary.DDM, two, [1049]),
        ("HDDM_A s2", binary.HDDMA, two, [1047]),
        ("HDDM_W s2", binary.HDDMW, two, [1018]),
        ("HDDM_A s3", lambda: binary.HDDMA(two_sided_test=True), three, [531, 1015, 1545]),
        ("HDDM_W s3", lambda: binary.HDDMW(two_sided_test=True), three, [507, 1032, 1508]),
    ]
    return {name: [alarms(make, values), expected] for name, make, values, expected in wanted}


def main(folder: Path) -> None:
    river = import_module("river")
    found: dict[str, Any] = {"version": river.__version__, "published": published(), "alarms": {}}
    for path in sorted(folder.glob("*.npy")):
        values = np.load(path)
        binary, short = path.stem.startswith("errors"), "cut" in path.stem
        found["alarms"][path.stem] = {
            name: sorted({row for column in values.T for row in alarms(make, column)})
            for name, make in detectors().items()
            if (binary or name not in BINARY) and (short or name not in SLOW)
        }
    (folder / "alarms.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
