"""Ray for real: a cluster of one on loopback, one training, its root, its end; and a worker that is lost."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.pipeline.fraud import MODEL, opened, trained, transactions, write_service

from flyball.adapters.training.ray_trainer import _FOLDERS, RayTrainer
from flyball.adapters.training.trainer import ForkServerTrainer
from flyball.core.errors import TrainingFailed, Unavailable
from flyball.core.ports import TrainingJob

ROWS = transactions(1500)


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    ray = pytest.importorskip("ray", reason="ray is not there")
    ray.init(
        num_cpus=1,
        include_dashboard=False,
        _node_ip_address="127.0.0.1",
        log_to_driver=False,
        configure_logging=False,
        runtime_env={"env_vars": {"PYTHONPATH": os.environ.get("PYTHONPATH", "")}},
    )
    yield
    assert ray.is_initialized(), "a trainer ended a cluster that it had not started"
    ray.shutdown()


MADE_THERE = {
    "output_folder": "the node has one of its own; what it holds comes back",
    "run_folder": "the node has one of its own; log and use come back",
    "steps_folder": "kept outputs go along by their keys, and new ones come back",
}


def test_every_folder_of_a_job_goes_along_or_has_a_reason_not_to() -> None:
    folders = {name for name in TrainingJob.__struct_fields__ if name.endswith("_folder")}
    assert folders == set(_FOLDERS) | set(MADE_THERE)
    assert not set(_FOLDERS) & set(MADE_THERE)


@pytest.mark.usefixtures("cluster")
def test_one_training_on_a_cluster_gives_the_root_that_the_subprocess_gives(tmp_path: Path) -> None:
    roots = []
    for name, trainer in (("ray", RayTrainer()), ("here", ForkServerTrainer())):
        with opened(tmp_path / name, trainer) as pipeline:
            roots.append(trained(pipeline, write_service(tmp_path / "fraud", table=ROWS)).release.root)
            pipeline.releases.verified(roots[-1])
        trainer.close()
    assert roots[0] == roots[1]


@pytest.mark.slow
@pytest.mark.usefixtures("cluster")
def test_a_lost_worker_is_a_failed_training_with_a_reason(tmp_path: Path) -> None:
    dies = MODEL.replace(
        "    return Hist",
        "    import os, psutil, signal\n"
        "    worker = psutil.Process(os.getppid()).ppid()\n"  # above the training is its server, above that the worker
        "    os.kill(worker, signal.SIGKILL)\n    return Hist",
    )
    trainer = RayTrainer()
    with opened(tmp_path / "home", trainer) as pipeline:
        with pytest.raises(TrainingFailed, match="Ray worker was lost"):
            trained(pipeline, write_service(tmp_path / "fraud", model=dies, table=ROWS))
        (run,) = pipeline.book("fraud").runs.values()
        assert run.outcome == "failed"
        assert trained(pipeline, write_service(tmp_path / "fraud", table=ROWS)).release.passed
    trainer.close()


def test_without_the_extra_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(Unavailable) as caught:
        RayTrainer().warm()
    assert "pip install flyball[ray]" in caught.value.hint
