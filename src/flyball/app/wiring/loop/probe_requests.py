"""What a probe asks: a packaged row of the champion, as JSON and as tensors, at the paths that clients use."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from flyball.contracts.rows.as_sent import as_sent
from flyball.core.contract import Column
from flyball.core.declared.serving import Endpoint
from flyball.core.errors import Unavailable
from flyball.core.record import Record
from flyball.serving.protocols.binary_tensors import written_tensor
from flyball.serving.protocols.oip_model import DATATYPES

PROBE = "probe.parquet"


class Request(Record):
    path: str  # over gRPC that of the HTTP request which says the same: the mark is for it
    body: bytes | None  # None: it is only asked whether it is there

    @property
    def method(self) -> str:
        return "GET" if self.body is None else "POST"


def request(endpoint: Endpoint, service: str, columns: Sequence[Column], folder: Path) -> Request:
    """Args: columns: inputs that a client sends. folder: of the champion's release.

    Raises: Unavailable: the release has no row that can be asked this way, or the extra for gRPC is not installed.
    """
    if endpoint == "ready":
        return Request(path=f"/v2/models/{service}/ready", body=None)
    row = _row(columns, folder, whole=endpoint in ("infer", "grpc"))
    if endpoint == "predict":
        return Request(path=f"/v1/services/{service}/predict", body=msgspec.json.encode(row))
    if endpoint == "grpc":
        return Request(path=f"/v2/models/{service}/infer", body=_message(service, columns, row))
    inputs = [
        {"name": each.name, "datatype": DATATYPES[each.kind], "shape": [1, 1], "data": [row[each.name]]}
        for each in columns
    ]
    return Request(path=f"/v2/models/{service}/infer", body=msgspec.json.encode({"inputs": inputs}))


def _message(service: str, columns: Sequence[Column], row: dict[str, Any]) -> bytes:
    try:
        from flyball.serving.serve.grpc_messages import messages
    except ImportError as error:
        raise Unavailable("gRPC needs an extra that is not installed: pip install 'flyball[grpc]'") from error
    asked = messages()["ModelInferRequest"](model_name=service)
    for each in columns:
        datatype = DATATYPES[each.kind]
        asked.inputs.add(name=each.name, datatype=datatype, shape=[1, 1])
        asked.raw_input_contents.append(written_tensor([row[each.name]], datatype))
    message: bytes = asked.SerializeToString()
    return message


def _row(columns: Sequence[Column], folder: Path, *, whole: bool) -> dict[str, Any]:
    """`whole`: no value is missing, which a tensor has no place for."""
    names = [column.name for column in columns]
    try:
        rows = as_sent(pl.read_parquet(folder / PROBE), names)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Unavailable(f"the champion's packaged rows cannot be read: {error}") from error
    fit = [row for row in rows if not whole or None not in row.values()]
    if not fit:
        raise Unavailable("none of the champion's packaged rows is without a missing value")
    return fit[0]
