"""Times, another process."""

import pytest

from flyball.core.errors import NotEnoughData
from flyball.core.model import Fresh
from flyball.core.prediction import Answer, Failure
from flyball.pipeline.suites.deployment_latency import percentile
from flyball.pipeline.suites.deployment_package import clean_process, same_answers


def test_without_a_call_there_is_no_time() -> None:
    with pytest.raises(NotEnoughData):
        percentile([], 0.5)


def test_a_package_that_a_clean_process_cannot_load_fails() -> None:
    found = clean_process(Fresh(import_s=0.0, load_s=0.0, memory_mb=0.0, error="No module named 'secret'"))
    assert (found.verdict, found.hard) == ("FAIL", True)
    assert "No module named 'secret'" in found.reason


def test_the_last_bit_the_sign_of_a_zero_and_a_failure_are_other_answers() -> None:
    here = [Answer(prediction=1, score=score) for score in (0.1, 0.0, 0.5, 0.3)]
    there: list[Answer | Failure] = [
        Answer(prediction=1, score=0.1 + 2**-56),
        Answer(prediction=1, score=-0.0),
        Failure(reason="exception", message="no state"),
        Answer(prediction=1, score=0.3),
    ]
    found = same_answers(here, there, where="in a clean process")
    assert (found.verdict, found.hard, found.value, found.n) == ("FAIL", True, 3.0, 4)
    assert same_answers(here, here, where="in a clean process").verdict == "PASS"
