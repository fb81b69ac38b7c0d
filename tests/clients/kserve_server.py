"""A model behind KServe's own server; run by `test_servers` with the Python of `.venv-clients`.

    python kserve_server.py NAME PORT

The chance of the second class is the logistic function of 2 x. It imports nothing of ours.
"""

import importlib
import sys
from typing import Any

kserve: Any = importlib.import_module("kserve")
np: Any = importlib.import_module("numpy")


class Logistic(kserve.Model):  # type: ignore[misc]
    """Two columns in, one number out."""

    def load(self) -> bool:
        self.ready = True
        return True

    async def get_input_types(self) -> list[dict[str, Any]]:
        return [{"name": name, "datatype": "FP64", "shape": [-1, 1]} for name in ("x", "amount")]

    async def get_output_types(self) -> list[dict[str, Any]]:
        return [{"name": "score", "datatype": "FP64", "shape": [-1, 1]}]

    async def predict(self, payload: Any, *_: Any, **__: Any) -> Any:
        x = {each.name: each.as_numpy() for each in payload.inputs}["x"].astype(float).ravel()
        if np.isnan(x).any():
            raise ValueError("a missing x")
        score = kserve.InferOutput("score", [len(x), 1], "FP64")
        score.set_data_from_numpy((1 / (1 + np.exp(-2 * x)))[:, None], binary_data=False)
        return kserve.InferResponse(payload.id or "none", self.name, [score])


if __name__ == "__main__":
    model = Logistic(sys.argv[1])
    model.load()
    kserve.ModelServer(http_port=int(sys.argv[2]), enable_grpc=False, workers=1).start([model])
