"""A model that says one thing to everybody: judged by every suite, refused, and never the end of the server."""

from pathlib import Path

from tests.pipeline.fraud import MODEL, SERVICE, trained, transactions, write_service

from flyball.app.wiring.training.pipeline import Pipeline

DUMMY = (
    MODEL.replace(
        "from sklearn.ensemble import HistGradientBoostingClassifier", "from sklearn.dummy import DummyClassifier"
    )
    .replace("-> HistGradientBoostingClassifier", "-> DummyClassifier")
    .replace(
        "HistGradientBoostingClassifier(random_state=seed, max_iter=30, **config)", 'DummyClassifier(strategy="prior")'
    )
)


def test_a_constant_model_is_judged_in_full_and_the_next_training_finds_the_server(
    tmp_path: Path, pipeline: Pipeline
) -> None:
    full = SERVICE.replace("  metric: roc_auc\n", "  metric: roc_auc\n  suites: full\n", 1)
    constant = trained(pipeline, write_service(tmp_path / "fraud", service=full, model=DUMMY, table=transactions(1500)))
    assert not constant.release.passed
    assert "better than a dummy by roc_auc" in {test.name for test in constant.release.tests if test.verdict != "PASS"}
    learned = trained(pipeline, write_service(tmp_path / "fraud", service=SERVICE, table=transactions(1500)))
    assert learned.release.trained_rows == 1200
