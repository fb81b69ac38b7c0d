"""A scikit-learn model and its settings for MLServer; run by `test_servers` with the Python of `.venv-servers`.

    python mlserver_model.py FOLDER NAME PORT PORT PORT

It imports nothing of ours.
"""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

np: Any = importlib.import_module("numpy")
joblib: Any = importlib.import_module("joblib")
linear: Any = importlib.import_module("sklearn.linear_model")


def main(folder: str, name: str, *ports: str) -> None:
    dice = np.random.default_rng(7)
    rows = dice.normal(size=(2000, 2))
    bought = dice.random(2000) < 1 / (1 + np.exp(-2 * rows[:, 0]))
    joblib.dump(linear.LogisticRegression().fit(rows, bought), Path(folder) / "model.joblib")
    http, grpc, metrics = map(int, ports)
    server = {"host": "127.0.0.1", "http_port": http, "grpc_port": grpc, "metrics_port": metrics}
    outputs = [("predict", "INT64", [-1, 1]), ("predict_proba", "FP64", [-1, 2])]
    model = {
        "name": name,
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": "./model.joblib", "version": "v1"},
        "inputs": [{"name": "rows", "datatype": "FP64", "shape": [-1, 2]}],
        "outputs": [{"name": each, "datatype": kind, "shape": shape} for each, kind, shape in outputs],
    }
    (Path(folder) / "settings.json").write_text(json.dumps(server | {"parallel_workers": 0}))
    (Path(folder) / "model-settings.json").write_text(json.dumps(model))


if __name__ == "__main__":
    main(*sys.argv[1:])
