"""Our runs, versions and champion in MLflow: a file store here, a real server in the slow test."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any
from urllib.request import urlopen

import pytest
from tests.pipeline.fraud import MODEL, opened, trained, transactions, write_service

from flyball.adapters.training.trainer import ForkServerTrainer
from flyball.app.home import Home
from flyball.app.wiring.ledger import open_ledger
from flyball.app.wiring.processes.children import die_with_parent
from flyball.app.wiring.relay import flush
from flyball.core import events as e
from flyball.core.errors import Untrusted
from flyball.core.ids import ReleaseRoot, RolloutId, ServiceName
from flyball.core.routing import Verdict

mlflow = pytest.importorskip("mlflow", reason="the extra mlflow is not installed")


def service_with(folder: Path, to: str, *, rounds: int = 30) -> Path:
    file = write_service(folder, model=MODEL.replace("max_iter=30", f"max_iter={rounds}"))
    text = file.read_text()
    file.write_text(f"{text}events:\n  - {{format: mlflow, to: '{to}'}}\n")
    return file


def sent(home: Home) -> None:
    """All of it, as the relay of `up` would: what a busy server did not take at once goes after its rest."""
    for _ in range(100):
        waiting, why = flush(home, within_s=90)
        if not waiting:
            return
        Event().wait(0.2)
    raise AssertionError(why)


def story(tmp_path: Path, to: str) -> tuple[Home, str, str, Any]:
    """Two releases: the first becomes champion, the second is promoted. Returns their roots and the client."""
    home = Home(tmp_path / "home")
    with closing(ForkServerTrainer()) as trainer, opened(home.root, trainer) as pipeline:
        one = trained(pipeline, service_with(tmp_path / "fraud", to)).release.root
        other = trained(pipeline, service_with(tmp_path / "fraud", to, rounds=31), reason="manual").release.root
    sent(home)
    from flyball.adapters.mlflow_mirror import client

    return home, one, other, client(to)


def champion_of(client: Any) -> Any:
    return client.get_model_version_by_alias("fraud", "champion").tags["flyball.release"]


def append(home: Home, fact: e.AnyFact) -> None:
    with closing(open_ledger(home)) as ledger:
        ledger.append([fact])


def promote(home: Home, root: str, previous: str) -> None:
    append(
        home,
        e.ChampionAppointed(service=ServiceName("fraud"), release=ReleaseRoot(root), previous=ReleaseRoot(previous)),
    )


def follow(tmp_path: Path, to: str) -> None:
    home, one, other, client = story(tmp_path, to)
    experiment = client.get_experiment_by_name("fraud")
    runs = client.search_runs([experiment.experiment_id])
    assert {run.info.status for run in runs} == {"FINISHED"}
    assert all(0.7 < run.data.metrics["roc_auc"] <= 1 for run in runs)
    assert all(run.data.params["max_depth"] == "4" for run in runs)
    assert all(run.data.tags["flyball.snapshot"].startswith("sha256:") for run in runs)
    assert all(run.inputs.dataset_inputs == [] for run in runs)  # no eight-digit digest in place of a name
    versions = client.search_model_versions("name = 'fraud'")
    assert {version.tags["flyball.release"] for version in versions} == {one, other}
    assert {version.tags["flyball.passed"] for version in versions} == {"true"}
    assert champion_of(client) == one

    promote(home, other, one)
    sent(home)
    assert champion_of(client) == other

    verdict = Verdict(kind="ROLL_BACK", reason="errors")
    append(
        home,
        e.RolledBack(
            service=ServiceName("fraud"),
            rollout=RolloutId("ro-1"),
            release=ReleaseRoot(other),
            to=ReleaseRoot(one),
            cause="errors",
            by="gateway",
            verdict=verdict,
            epoch=2,
        ),
    )
    sent(home)
    assert champion_of(client) == one

    with closing(open_ledger(home)) as ledger:  # everything comes again: nothing changes
        assert ledger.redeliver(destination="fraud/mlflow") >= 9
    sent(home)
    assert champion_of(client) == one
    assert len(client.search_runs([experiment.experiment_id])) == 2
    assert len(client.search_model_versions("name = 'fraud'")) == 2
    check_answers(client, home, one, to)


def check_answers(client: Any, home: Home, root: str, to: str) -> None:
    """`models:/fraud@champion` answers as our release does."""
    import mlflow.pyfunc
    import numpy as np

    from flyball.adapters.models.predictor import load
    from flyball.app.wiring.stores.releases import ReleaseStore
    from flyball.core.frames import conform

    mlflow.set_tracking_uri(to)
    mlflow.set_registry_uri(to)
    model = mlflow.pyfunc.load_model("models:/fraud@champion")
    rows = transactions(200, seed=3).drop("is_fraud")
    told = model.predict(rows.to_pandas())
    ours = load(ReleaseStore(home).verified(root))
    predictions, scores = ours.predict_frame(conform(rows, dict(ours.dtypes)))
    assert scores is not None
    assert np.array_equal(told["prediction"].to_numpy(), predictions)
    assert np.array_equal(told["score"].to_numpy(), scores)


def test_runs_versions_and_the_champion_appear_in_a_store_without_a_server(tmp_path: Path) -> None:
    follow(tmp_path, f"sqlite:///{tmp_path}/mlflow.db")


@pytest.mark.slow
def test_runs_versions_and_the_champion_appear_in_a_real_server(tmp_path: Path) -> None:
    with server(tmp_path) as to:
        follow(tmp_path, to)


@pytest.mark.slow
def test_a_server_that_is_down_is_told_later(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    home = Home(tmp_path / "home")
    to = f"http://127.0.0.1:{port}"
    with closing(ForkServerTrainer()) as trainer, opened(home.root, trainer) as pipeline:
        one = trained(pipeline, service_with(tmp_path / "fraud", to)).release.root
    waiting, _ = flush(home, within_s=30)
    assert waiting > 0
    with server(tmp_path, port) as to:
        with closing(open_ledger(home)) as ledger:
            ledger.redeliver(destination="fraud/mlflow")
        sent(home)
        from flyball.adapters.mlflow_mirror import client

        assert champion_of(client(to)) == one


def test_a_model_that_was_altered_on_its_way_is_not_loaded(tmp_path: Path) -> None:
    from flyball.adapters.content.keys import PUBLIC
    from flyball.adapters.mlflow_model import _load_pyfunc, write_model
    from flyball.app.wiring.stores.releases import ReleaseStore

    home = Home(tmp_path / "home")
    with closing(ForkServerTrainer()) as trainer, opened(home.root, trainer) as pipeline:
        root = trained(pipeline, write_service(tmp_path / "fraud")).release.root
    target = tmp_path / "model"
    target.mkdir()
    write_model(target, Path(ReleaseStore(home).verified(root)), home.keys / PUBLIC)
    _load_pyfunc(str(target / "release"))
    code = target / "release" / "folder" / "code" / "model.py"
    code.write_text(code.read_text() + "\n# one line more\n")
    with pytest.raises(Untrusted):
        _load_pyfunc(str(target / "release"))


@contextmanager
def server(folder: Path, port: int = 0) -> Iterator[str]:
    """A real MLflow server on loopback, one worker, gone with the block."""
    if not port:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
    order = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    order += ["--backend-store-uri", f"sqlite:///{folder}/server.db", "--artifacts-destination", str(folder / "files")]
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    process = subprocess.Popen(
        order,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=partial(die_with_parent, os.getpid()),
    )
    try:
        seen(lambda: urlopen(f"http://127.0.0.1:{port}/health", timeout=5).status == 200)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 15)
        process.wait(timeout=30)


def seen(ask: Callable[[], bool]) -> None:
    """Until it is so, at most two minutes."""
    for _ in range(600):
        try:
            if ask():
                return
        except OSError as error:
            said = error
        Event().wait(0.2)
    raise AssertionError(f"the server did not come up: {said}")
