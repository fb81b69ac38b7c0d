"""A training is judged on the log that its declaration names, and the log is kept with what a reproduction needs."""

from pathlib import Path

import pytest
from tests.pipeline.fraud import trained, write_service
from tests.pipeline.replayed import log, service

from flyball.app.home import Home
from flyball.app.wiring.training.materialising import Stores
from flyball.app.wiring.training.pipeline import Pipeline


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_training_is_judged_on_the_log(form: str, pipeline: Pipeline, tmp_path: Path) -> None:
    file = write_service(tmp_path / "s", service=service(form) + "  - {metric: off_policy.gain, min: 0.2}\n")
    log().write_csv(tmp_path / "s" / "log.csv") if form == "csv" else log().write_parquet(
        tmp_path / "s" / "log.parquet"
    )
    found = trained(pipeline, file).release
    (test,) = [each for each in found.tests if each.name == "off-policy value"]
    assert (test.verdict, test.suite, test.hard) == ("PASS", "model", True), test.reason
    assert found.gates[-1].verdict == "PASS"
    assert found.passed
    held = Stores(Home(tmp_path / "home")).materialise(found.experiment, found, twins=frozenset())
    assert held.missing == ()
    assert held.sources is not None
    assert held.sources.off_policy == (tmp_path / "s" / f"log.{form}").read_bytes()
