"""`/metrics`: nothing for promtool to find, exemplars where they are asked for, series that do not grow."""

import shutil
import subprocess
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from tests.serving.parts import CHAMPION, PREVIOUS, routing, row
from tests.serving.stage import Stage, stage

ALONE: dict[str, Any] = {"candidate": None, "rollout": None, "guardrails": None, "step": None}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("metrics")) as made:
        for root in (CHAMPION, PREVIOUS):
            made.release(root, sick=root == CHAMPION)
        made.start()
        made.control.apply("first", routing(**ALONE))
        made.predict(row(), row(amount=-1.0), row(amount="x"), row(items=13))
        yield made


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not there")
def test_promtool_has_nothing_to_say(served: Stage) -> None:
    _, text = served.ask("GET", "/metrics")
    checked = subprocess.run(["promtool", "check", "metrics"], input=text.encode(), capture_output=True, timeout=60)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


def test_openmetrics_tells_a_prediction_of_each_bucket(served: Stage) -> None:
    ids = {served.predict(row(card=f"c{i}"))[0]["id"] for i in range(20)}
    asked = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"}
    _, text = served.ask("GET", "/metrics", **asked)
    families: dict[str, Any] = {
        family.name: family
        for family in text_string_to_metric_families(text)  # type: ignore[no-untyped-call]
    }
    samples = [one for one in families["flyball_latency_seconds"].samples if one.exemplar is not None]
    assert samples
    for sample in samples:
        assert sample.exemplar is not None
        assert set(sample.exemplar.labels) == {"prediction_id"}
        assert sample.exemplar.value <= float(sample.labels["le"])
    assert ids & {sample.exemplar.labels["prediction_id"] for sample in samples if sample.exemplar}
    assert "prediction_id" not in served.ask("GET", "/metrics")[1]


def test_the_number_of_series_does_not_grow_with_traffic(served: Stage) -> None:
    before = series(served)
    dice = Random(7)
    for number in range(120):
        name = f"{dice.random()}"
        served.ask("POST", f"/v1/services/{name}/predict", row())
        served.ask("GET", f"/{name}")
        served.predict(row(card=name, amount=dice.uniform(0, 1000), items=number % 10))
        served.ask("POST", "/v1/services/shop/predict", row(card=name), **{"X-Request-Id": name, "User-Agent": name})
    after = series(served)
    assert after == before
    assert not any("0." in label for label in after if "le=" not in label)


def series(served: Stage) -> set[str]:
    _, text = served.ask("GET", "/metrics")
    return {line.rpartition(" ")[0] for line in text.splitlines() if not line.startswith("#")}
