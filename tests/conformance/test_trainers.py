"""One suite for every executor: the same release, the same refusals, the same notes. Ray runs a real local cluster
(slow; the small one of its kind is tests/adapters/training/test_ray_trainer.py).

What an executor cannot promise is not asked of it: in-process a training is not isolated and no limit is watched.
"""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.pipeline.fraud import MODEL, SERVICE, opened, trained, transactions, write_service

from flyball.adapters.training.ray_trainer import RayTrainer
from flyball.adapters.training.trainer import ForkServerTrainer
from flyball.app.wiring.training.executors import Closable, Executors, in_process
from flyball.app.wiring.training.pipeline import Pipeline, Trained
from flyball.core.errors import TrainingFailed
from flyball.core.runs import Use

EXECUTORS = ["in_process", "subprocess", pytest.param("ray", marks=pytest.mark.slow)]
ROWS = transactions(1500)


@pytest.fixture(scope="module")
def trainers() -> Iterator[dict[str, Closable]]:
    made: dict[str, Closable] = {"in_process": in_process(), "subprocess": ForkServerTrainer(), "ray": RayTrainer()}
    yield made
    for trainer in made.values():
        trainer.close()


@pytest.fixture
def trainer(request: pytest.FixtureRequest, trainers: dict[str, Closable]) -> Closable:
    return trainers[request.param]


def one(pipeline: Pipeline, folder: Path, *, model: str = MODEL, text: str = SERVICE) -> Trained:
    return trained(pipeline, write_service(folder, service=text, model=model, table=ROWS))


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory, trainers: dict[str, Closable]) -> Trained:
    """What the default executor gives."""
    folder = tmp_path_factory.mktemp("default")
    with opened(folder / "home", trainers["subprocess"]) as pipeline:
        return one(pipeline, folder / "fraud")


@pytest.mark.parametrize("trainer", EXECUTORS, indirect=True)
def test_where_it_ran_is_neither_in_the_digest_nor_in_the_root(
    trainer: Closable, tmp_path: Path, expected: Trained
) -> None:
    with opened(tmp_path / "home", trainer) as pipeline:
        found = one(pipeline, tmp_path / "fraud")
        pipeline.releases.verified(found.release.root)
    assert (found.experiment, found.release.root) == (expected.experiment, expected.release.root)
    assert found.release.metrics == expected.release.metrics


@pytest.mark.parametrize("trainer", EXECUTORS, indirect=True)
def test_a_run_leaves_what_it_printed_and_what_it_used(trainer: Closable, tmp_path: Path) -> None:
    says = MODEL.replace("    return Hist", "    print('I am fitted')\n    return Hist")
    with opened(tmp_path / "home", trainer) as pipeline:
        one(pipeline, tmp_path / "fraud", model=says)
        (run,) = pipeline.book("fraud").runs.values()
    folder = tmp_path / "home" / "runs" / run.run
    assert "I am fitted" in (folder / "log").read_text()
    noted = msgspec.json.decode((folder / "use.json").read_bytes(), type=Use)
    assert [step.name for step in noted.steps] == [
        "validate", "split", "features", "train", "evaluate", "baseline", "package"
    ]  # fmt: skip
    assert noted.cpu_s > 0
    assert noted.peak_rss_mb > 50
    assert "not measured" in noted.gpu or noted.gpu_mb is not None


@pytest.mark.parametrize("trainer", EXECUTORS, indirect=True)
def test_a_training_that_raises_says_what_and_leaves_nothing(trainer: Closable, tmp_path: Path) -> None:
    raises = MODEL.replace("    return Hist", "    raise ValueError('no luck today')\n    return Hist")
    with opened(tmp_path / "home", trainer) as pipeline:
        with pytest.raises(TrainingFailed, match="no luck today"):
            one(pipeline, tmp_path / "fraud", model=raises)
        (run,) = pipeline.book("fraud").runs.values()
        assert run.outcome == "failed"
        assert pipeline.registry("fraud").releases == {}
    assert list((tmp_path / "home" / "work").iterdir()) == []


@pytest.mark.parametrize("trainer", EXECUTORS, indirect=True)
def test_what_was_kept_is_found_and_what_is_made_is_kept(trainer: Closable, tmp_path: Path) -> None:
    sliced = SERVICE.replace("  config:", "  tests: {slices: [country]}\n  config:")
    with opened(tmp_path / "home", trainer) as pipeline:
        one(pipeline, tmp_path / "fraud")
        one(pipeline, tmp_path / "fraud", text=sliced)
        newest = list(pipeline.book("fraud").runs.values())[-1]
    found = [step.name for step in newest.use.steps if step.how == "found"]
    assert found == ["validate", "split", "features", "train"]


def test_the_declaration_chooses_the_executor(tmp_path: Path) -> None:
    executors = Executors()
    asks = SERVICE.replace("  metric: roc_auc\n", "  metric: roc_auc\n  executor: in_process\n", 1)
    with opened(tmp_path / "home", executors) as pipeline:
        one(pipeline, tmp_path / "fraud", text=asks)
        (run,) = pipeline.book("fraud").runs.values()
    assert run.executor == "in_process"
    assert list(executors._trainers) == ["in_process"]
    executors.close()


def test_every_executor_of_the_declaration_is_in_this_suite() -> None:
    from typing import get_args, get_type_hints

    from flyball.core.service import Experiment

    declared = set(get_args(get_type_hints(Experiment)["executor"]))
    assert declared == {"in_process", "subprocess", "ray"}
