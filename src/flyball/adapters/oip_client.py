"""A model behind an Open Inference Protocol V2 server (Triton, KServe, MLServer, another gateway), asked over HTTP.

One pool of kept connections a process, bounds on waiting and on size, no second attempt: what becomes of a failed call
is the gateway's decision (deadline, breaker, stand-ins), not the client's. Here one question is asked after the other,
as a training does; a gateway asks many at once (`oip_pool.py`).
"""

import os
from functools import cache
from typing import Any, TypeVar
from urllib.parse import quote

import msgspec
import urllib3

from flyball.core.errors import Unavailable
from flyball.core.record import Record

CONNECTIONS = 8
T = TypeVar("T")
MOST_BYTES = 64 * 1024 * 1024  # of an answer


class Tensor(msgspec.Struct, omit_defaults=True):
    """A named array, row-major; `data` is absent from metadata."""

    name: str
    datatype: str
    shape: list[int]
    data: list[Any] | None = None
    parameters: dict[str, Any] | None = None  # KServe's server says null


class Metadata(msgspec.Struct):
    """`GET /v2/models/{m}`."""

    name: str
    inputs: list[Tensor]
    outputs: list[Tensor]
    platform: str = ""
    versions: list[str] | None = None  # KServe's server says null


class Inferred(msgspec.Struct):
    """`POST /v2/models/{m}/infer`."""

    outputs: list[Tensor]


class Refused(Unavailable):
    """The server is there and answered this question with an error; it may answer another."""


class Endpoint(Record):
    """One model of one server."""

    url: str  # of the server, without `/v2`
    model: str
    version: str | None = None  # None: whatever the server takes
    timeout_s: float = 1.0  # to connect and to the first byte; then as long again between two reads
    token_env: str | None = None  # environment variable that holds a bearer token
    connections: int = 16  # questions of one gateway process that may be under way at once

    @property
    def path(self) -> str:
        name = f"{self.url}/v2/models/{quote(self.model, safe='')}"
        return name if self.version is None else f"{name}/versions/{quote(self.version, safe='')}"


def metadata(endpoint: Endpoint) -> Metadata:
    """What the model takes and gives. Raises: Unavailable: no such answer came."""
    return _answer(endpoint, "GET", endpoint.path, b"", Metadata)


def infer(endpoint: Endpoint, inputs: list[Tensor], output: str) -> list[Tensor]:
    """That output to these inputs. Raises: Unavailable: no such answer came in time."""
    return _answer(endpoint, "POST", f"{endpoint.path}/infer", question(inputs, output), Inferred).outputs


def question(inputs: list[Tensor], output: str) -> bytes:
    """The body of an inference. MLServer computes probabilities only where they are asked for by name."""
    return msgspec.json.encode({"inputs": inputs, "outputs": [{"name": output}]})


def headers(endpoint: Endpoint) -> dict[str, str]:
    """Of every request. Raises: Unavailable: the environment variable of the token is empty."""
    found = {"content-type": "application/json"}
    if endpoint.token_env is not None:
        found["authorization"] = f"Bearer {_token(endpoint.token_env)}"
    return found


def answer_of(url: str, status: int, data: bytes, shape: type[T]) -> T:
    """A body of at most MOST_BYTES + 1 bytes as what it has to be. Raises: Unavailable, Refused."""
    if len(data) > MOST_BYTES:
        raise Unavailable(f"{url}: at most {MOST_BYTES} bytes of an answer are read, it has more")
    if status != 200:
        raise Refused(f"{url}: status {status}: {data[:200].decode(errors='replace')}")
    try:
        return msgspec.json.decode(data, type=shape)
    except msgspec.MsgspecError as error:
        raise Unavailable(f"{url}: not an answer of the Open Inference Protocol: {error}") from error


def _answer(endpoint: Endpoint, method: str, url: str, body: bytes, shape: type[T]) -> T:
    try:
        answer = _pool().request(
            method,
            url,
            body=body or None,
            headers=headers(endpoint),
            timeout=urllib3.Timeout(total=endpoint.timeout_s),
            retries=False,
            redirect=False,
            preload_content=False,
        )
        data = answer.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            answer.close()  # the rest is not wanted, nor the connection
        answer.release_conn()
    except urllib3.exceptions.HTTPError as error:
        raise Unavailable(f"{url}: {type(error).__name__}: {error}") from error
    return answer_of(url, answer.status, data, shape)


@cache
def _pool() -> urllib3.PoolManager:
    return urllib3.PoolManager(num_pools=4, maxsize=CONNECTIONS, block=False)


def _token(name: str) -> str:
    found = os.environ.get(name)
    if not found:
        raise Unavailable(f"the environment variable {name} holds no token for the remote model")
    return found
