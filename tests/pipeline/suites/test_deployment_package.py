"""Times, sizes, other bytes."""

import pytest

from flyball.core.errors import NotEnoughData
from flyball.core.model import Fresh
from flyball.pipeline.suites.deployment_latency import percentile
from flyball.pipeline.suites.deployment_package import clean_process, other_bytes


def test_without_a_call_there_is_no_time() -> None:
    with pytest.raises(NotEnoughData):
        percentile([], 0.5)


def test_every_altered_file_gives_another_root() -> None:
    found = other_bytes({"model.onnx": b"\x00" * 10, "release.json": b"{}", "code/model.py": b"x = 1\n", "empty": b""})
    assert (found.verdict, found.n) == ("PASS", 4)


def test_a_package_that_a_clean_process_cannot_load_fails() -> None:
    found = clean_process(Fresh(import_s=0.0, load_s=0.0, memory_mb=0.0, error="No module named 'secret'"))
    assert (found.verdict, found.hard) == ("FAIL", True)
    assert "No module named 'secret'" in found.reason
