"""NVIDIA's gRPC client against the gateway, as shipped, with its own copy of the protocol's messages."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.serving.door import opened

triton: Any = pytest.importorskip("tritonclient.grpc.aio", reason="tritonclient with gRPC is not there")


def told(folder: Path, story: Callable[[Any], Awaitable[None]]) -> None:
    """The story with a client of a running gateway."""
    from flyball.serving.serve.grpc_server import GrpcServer

    async def whole() -> None:
        async with opened(folder) as door:
            server = GrpcServer("127.0.0.1", 0)
            await server.start(door)
            async with triton.InferenceServerClient(f"127.0.0.1:{server.port}") as client:
                await story(client)
            await server.stop()

    asyncio.run(whole())


def inputs(amounts: list[float]) -> list[Any]:
    card = triton.InferInput("card", [len(amounts), 1], "BYTES")
    card.set_data_from_numpy(np.array([["ü"]] * len(amounts), dtype=object))
    amount = triton.InferInput("amount", [len(amounts), 1], "FP32")
    amount.set_data_from_numpy(np.array([[value] for value in amounts], dtype=np.float32))
    return [card, amount]


def test_it_finds_the_server_and_infers(tmp_path: Path) -> None:
    async def story(client: Any) -> None:
        assert await client.is_server_live()
        assert await client.is_server_ready()
        assert await client.is_model_ready("shop")
        assert not await client.is_model_ready("nobody")
        assert (await client.get_server_metadata()).name == "flyball"
        assert [tensor.name for tensor in (await client.get_model_metadata("shop")).inputs] == [
            "card",
            "amount",
            "items",
        ]
        result = await client.infer("shop", inputs([1.0, 2.0]), request_id="q7")
        assert result.get_response().id == "q7"
        assert result.as_numpy("prediction").tolist() == [1, 1]
        assert result.as_numpy("score").tolist() == [0.9, 0.9]
        outputs = [triton.InferRequestedOutput("score")]
        other = await client.infer("shop", inputs([1.0]), model_version="cc03", outputs=outputs)
        assert other.as_numpy("score").tolist() == [0.1]
        assert other.as_numpy("prediction") is None

    told(tmp_path, story)


def test_what_is_wrong_is_named(tmp_path: Path) -> None:
    async def story(client: Any) -> None:
        with pytest.raises(triton.InferenceServerException, match=r"row 1: amount: expected a value") as caught:
            await client.infer("shop", inputs([1.0, float("nan")]))
        assert caught.value.status() == "StatusCode.INVALID_ARGUMENT"

    told(tmp_path, story)
