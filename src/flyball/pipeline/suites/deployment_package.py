"""The package as a thing: how large, how much memory, does a clean process load it, is another byte noticed."""

from collections.abc import Mapping

from flyball.core.model import Fresh
from flyball.core.release import Estimate, TestResult
from flyball.pipeline.manifest import of_bytes

MB = 1e6  # bytes


def sizes(files: Mapping[str, bytes], model: str) -> Estimate:
    """The model file in MB of 10**6 bytes.

    >>> sizes({"model.onnx": b"x" * 2_000_000, "release.json": b"{}"}, "model.onnx").value
    2.0
    """
    return exactly(len(files[model]) / MB)


def exactly(value: float) -> Estimate:
    """A measured value without sampling error.

    >>> exactly(3.0).high
    3.0
    """
    return Estimate(value=value, low=value, high=value, n=1)


def other_bytes(files: Mapping[str, bytes]) -> TestResult:
    """One bit of each file is turned over; each time the root, by which a release is loaded, must be another.

    >>> other_bytes({"model.onnx": b"abc", "release.json": b"{}"}).reason
    'one altered bit in each of 2 files: the root was another each time'
    """
    root = of_bytes(dict(files)).root
    unnoticed = [
        path for path, data in files.items() if data and of_bytes({**files, path: _altered(data)}).root == root
    ]
    wrong = f"an altered bit is not noticed in {', '.join(unnoticed)}"
    return TestResult(
        suite="deployment",
        name="refuses other bytes",
        dimension="quality",
        verdict="FAIL" if unnoticed else "PASS",
        reason=wrong if unnoticed else f"one altered bit in each of {len(files)} files: the root was another each time",
        n=len(files),
    )


def clean_process(found: Fresh) -> TestResult:
    """A fresh interpreter loads the package and answers a row.

    >>> clean_process(Fresh(import_s=0.2, load_s=0.1, memory_mb=60.0, error=None)).verdict
    'PASS'
    """
    numbers = f"imports {found.import_s:.2f} s, load {found.load_s:.2f} s, then {found.memory_mb:.0f} MB resident"
    if found.imported:
        numbers += f"; it imported {', '.join(found.imported)}"
    return TestResult(
        suite="deployment",
        name="loads in a clean process",
        dimension="quality",
        verdict="PASS" if found.error is None else "FAIL",
        reason=numbers if found.error is None else f"a fresh interpreter cannot load it: {found.error}",
        value=found.load_s,
    )


def _altered(data: bytes) -> bytes:
    changed = bytearray(data)
    changed[len(changed) // 2] ^= 1
    return bytes(changed)
