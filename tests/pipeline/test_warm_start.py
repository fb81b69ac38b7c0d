"""A warm start: train() gets the champion's estimator, and the champion's root is part of the experiment."""

from pathlib import Path

import pytest
from tests.pipeline.fraud import MODEL, SERVICE, trained, transactions, write_service

from flyball.app.wiring.stores.experiments import ExperimentStore
from flyball.app.wiring.stores.releases import ReleaseStore
from flyball.app.wiring.training.pipeline import Pipeline
from flyball.core.errors import TrainingFailed

WARM = MODEL.replace("config: dict, seed: int)", "config: dict, seed: int, parent)").replace(
    "    return Hist",
    "    if parent is not None:\n"
    "        parent.set_params(warm_start=True, max_iter=parent.max_iter + 5)\n"
    "        return parent.fit(features, label)\n"
    "    return Hist",
)
SERVICE_WARM = SERVICE.replace("  metric: roc_auc\ngates", "  metric: roc_auc\n  warm_start: true\ngates").replace(
    "min: 0.70", "min: 0.5"
)


def test_the_second_training_begins_from_the_champion_and_says_so(pipeline: Pipeline, tmp_path: Path) -> None:
    service = write_service(tmp_path / "fraud", service=SERVICE_WARM, model=WARM, table=transactions(1500))
    first = trained(pipeline, service)
    assert pipeline.registry("fraud").champion == first.release.root
    second = trained(pipeline, service)
    assert not second.cached
    assert second.experiment != first.experiment
    store = ExperimentStore(pipeline._home)
    assert [store.get(each.experiment).experiment.parents for each in (first, second)] == [(), (first.release.root,)]
    assert [_iterations(pipeline, each.release.root) for each in (first, second)] == [30, 35]
    assert trained(pipeline, service).cached  # the same parent, the same data


def test_a_parent_that_was_altered_is_never_loaded(pipeline: Pipeline, tmp_path: Path) -> None:
    from flyball.core.errors import Untrusted

    service = write_service(tmp_path / "fraud", service=SERVICE_WARM, model=WARM, table=transactions(1500))
    first = trained(pipeline, service)
    model = ReleaseStore(pipeline._home).folder(first.release.root) / "model.pkl"
    model.write_bytes(model.read_bytes() + b"!")
    with pytest.raises(Untrusted):
        trained(pipeline, service)


def test_without_a_warm_start_train_gets_no_parent(pipeline: Pipeline, tmp_path: Path) -> None:
    model = WARM.replace("seed: int, parent)", "seed: int, **others)").replace(
        "parent is not None", "'parent' in others"
    )
    model = model.replace("        parent.set", "        raise RuntimeError('a parent'); parent = None; parent.set")
    service = write_service(tmp_path / "fraud", model=model, service=SERVICE.replace("min: 0.70", "min: 0.5"))
    try:
        assert trained(pipeline, service).release.root
    except TrainingFailed as error:
        pytest.fail(str(error))


def _iterations(pipeline: Pipeline, root: str) -> int:
    from flyball.adapters.models.predictor import load

    return int(load(pipeline.releases.verified(root)).estimator.max_iter)
