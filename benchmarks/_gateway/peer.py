"""The FastAPI server that the gateway is compared with: `peer.py FOLDER PORT`.

What a careful author writes: pydantic checks the body, an async handler calls `predict_proba` of the same pipeline with
an array (a frame where there is a features function), no access log. It assigns no arm and records nothing.
"""

import importlib.util
import sys
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, Field, create_model


def app(folder: Path) -> FastAPI:
    """Trains the pipeline as the service does, then answers with it."""
    spec = importlib.util.spec_from_file_location("model", folder / "model.py")
    assert spec is not None
    assert spec.loader is not None
    model = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(model)
    table = pl.read_csv(folder / "rows.csv")
    names = [name for name in table.columns if name.startswith("x")]
    features = getattr(model, "features", None)
    inputs = features(table.drop("fraud")) if features else table.select(names).to_numpy()
    pipeline = model.train(inputs, table["fraud"].to_numpy(), config={}, seed=7)
    fields: dict[str, Any] = {name: (float, Field(ge=-10, le=10)) for name in names}
    row_type = create_model("Row", card=(str, ...), **fields)
    door = FastAPI()

    async def predict(row: BaseModel) -> dict[str, float]:
        values = row.model_dump()
        asked = features(pl.DataFrame([values])) if features else np.array([[values[name] for name in names]])
        score = float(pipeline.predict_proba(asked)[0, 1])
        return {"prediction": int(score >= 0.5), "score": score}

    predict.__annotations__["row"] = row_type
    door.post("/predict")(predict)
    return door


if __name__ == "__main__":
    uvicorn.run(app(Path(sys.argv[1])), host="127.0.0.1", port=int(sys.argv[2]), access_log=False, log_level="error")
