"""The server behind the trainings: it may die, it is replaced, and many trainings leave no trace of one another."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest
from tests.pipeline.fraud import MODEL, SERVICE, opened, trained, write_service

from flyball.adapters.training.trainer import ForkServerTrainer
from flyball.core.errors import TrainingFailed, Unavailable

KILLS_SERVER = MODEL.replace(
    "    return Hist", "    import os, signal\n    os.kill(os.getppid(), signal.SIGKILL)\n    return Hist"
)
REMEMBERS = MODEL.replace(
    "    return Hist",
    "    import sklearn\n    count = getattr(sklearn, 'trainings', 0)\n    sklearn.trainings = count + 1\n"
    "    if count:\n        raise ValueError('I have been here before')\n    return Hist",
)


@pytest.fixture(scope="module")
def steps() -> list[str]:
    return []


@pytest.fixture(scope="module")
def trainer(steps: list[str]) -> Iterator[ForkServerTrainer]:
    server = ForkServerTrainer(on_step=steps.append)
    yield server
    server.close()


def test_a_dead_server_is_an_error_and_the_next_training_starts_a_new_one(
    tmp_path: Path, trainer: ForkServerTrainer, steps: list[str]
) -> None:
    with opened(tmp_path / "home", trainer) as pipeline:
        with pytest.raises(TrainingFailed, match="training server died"):
            trained(pipeline, write_service(tmp_path / "fraud", model=KILLS_SERVER))
        steps.clear()
        assert trained(pipeline, write_service(tmp_path / "fraud")).release.passed
    assert steps == ["validate", "split", "features", "train", "evaluate", "baseline", "package"]


def test_a_server_killed_between_trainings_is_replaced_unseen(tmp_path: Path, trainer: ForkServerTrainer) -> None:
    trainer.warm()
    assert trainer._server is not None
    os.kill(trainer._server.pid, signal.SIGKILL)
    trainer._server.wait()
    with opened(tmp_path / "home", trainer) as pipeline:
        assert trained(pipeline, write_service(tmp_path / "fraud")).release.passed


def test_trainings_of_one_server_share_no_state_and_no_folder(tmp_path: Path, trainer: ForkServerTrainer) -> None:
    with opened(tmp_path / "home", trainer) as pipeline:
        for depth in (2, 3, 4):
            service = SERVICE.replace("max_depth: 4", f"max_depth: {depth}")
            assert not trained(pipeline, write_service(tmp_path / "fraud", model=REMEMBERS, service=service)).cached
    assert list((tmp_path / "home" / "work").iterdir()) == []


def test_a_server_that_cannot_start_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="cannot be started"):
        ForkServerTrainer(command=("a-program-that-is-not-there",)).warm()


def test_a_trainer_that_is_closed_while_it_trains_blames_nobody(tmp_path: Path) -> None:
    """An orderly stop is not a failed training: nothing is written, and the next run trains."""
    waits = MODEL.replace("    return Hist", "    import threading\n    threading.Event().wait()\n    return Hist")
    fitting = Event()
    trainer = ForkServerTrainer(on_step=lambda step: fitting.set() if step == "train" else None)

    def close() -> None:
        fitting.wait()
        trainer.close()

    closer = Thread(target=close)
    closer.start()
    with opened(tmp_path / "home", trainer) as pipeline, pytest.raises(Unavailable, match="closed while it trained"):
        trained(pipeline, write_service(tmp_path / "fraud", model=waits))
    closer.join()
