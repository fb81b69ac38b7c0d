"""Names of modules that are written into files which outlive us: releases, MLflow models, code beside a service."""

import json
import pickle
import pickletools
from itertools import pairwise
from pathlib import Path

from flyball.adapters import mlflow_model
from flyball.adapters.remote_model import RemoteModel

ENDPOINT = {"url": "http://127.0.0.1:1", "model": "fraud"}
OURS = {("flyball.adapters.remote_model", "RemoteModel"), ("flyball.adapters.oip_client", "Endpoint")}


def test_a_remote_model_is_pickled_under_the_names_that_releases_hold() -> None:
    said = [str(argument) for _, argument, _ in pickletools.genops(pickle.dumps(_remote(), protocol=5)) if argument]
    found = {(module, name) for module, name in pairwise(said) if module.startswith("flyball.")}
    assert found == OURS


def test_a_release_that_names_them_still_loads() -> None:
    kept = pickle.dumps(_remote(), protocol=0)  # text: each class as module and name, a line each
    for module, name in OURS:
        assert f"{module}\n{name}\n".encode() in kept
    assert pickle.loads(kept).endpoint == _remote().endpoint


def test_a_model_in_mlflow_names_a_loader_that_is_there(tmp_path: Path) -> None:
    (tmp_path / "release").mkdir()
    (tmp_path / "key").write_text("public")
    mlflow_model.write_model(tmp_path / "model", tmp_path / "release", tmp_path / "key")
    written = json.loads((tmp_path / "model" / "MLmodel").read_text())
    assert written["flavors"]["python_function"]["loader_module"] == "flyball.adapters.mlflow_model"


def _remote() -> RemoteModel:
    return RemoteModel(ENDPOINT, inputs={"amount": "FP64"}, output="score")
