"""The protocol over gRPC: the same door as over HTTP, asked by calls."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest
from tests.serving.door import opened
from tests.serving.parts import CHAMPION, routing
from tests.serving.stage import PATIENCE_S, free_port, stage

from flyball.adapters.clock import SystemClock
from flyball.core.errors import Unavailable
from flyball.serving.access.api_keys import granted, made
from flyball.serving.protocols.binary_tensors import read_tensor, written_tensor
from flyball.serving.serve.http.guard import Guard

grpc: Any = pytest.importorskip("grpc", reason="grpcio is not there")

from flyball.serving.serve.grpc_messages import SERVICE, messages  # noqa: E402
from flyball.serving.serve.grpc_server import GrpcServer  # noqa: E402

Call = Callable[..., Coroutine[Any, Any, Any]]
KEYS = ((1, "shop"), (2, "other"))


@contextlib.asynccontextmanager
async def calling(folder: Path) -> AsyncIterator[Call]:
    """`call(method, request, **options)` on a channel of its own."""
    async with opened(folder) as door:
        server = GrpcServer("127.0.0.1", 0)
        await server.start(door)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:

            async def call(method: str, request: Any = None, **options: Any) -> Any:
                known = messages()
                asked = channel.unary_unary(
                    f"/{SERVICE}/{method}",
                    request_serializer=known[f"{method}Request"].SerializeToString,
                    response_deserializer=known[f"{method}Response"].FromString,
                )
                return await asked(request or known[f"{method}Request"](), **options)

            yield call
        await server.stop()


def infer(amounts: list[float], **more: Any) -> Any:
    """With typed contents."""
    known = messages()
    request = known["ModelInferRequest"](**({"model_name": "shop", "id": "q1"} | more))
    n = len(amounts)
    request.inputs.add(name="card", datatype="BYTES", shape=[n]).contents.bytes_contents.extend([b"c"] * n)
    request.inputs.add(name="amount", datatype="FP64", shape=[n, 1]).contents.fp64_contents.extend(amounts)
    return request


def raw(amounts: list[float], **more: Any) -> Any:
    """The same with raw bytes."""
    request = infer(amounts, **more)
    for tensor in request.inputs:
        tensor.ClearField("contents")
    request.raw_input_contents.append(written_tensor(["c"] * len(amounts), "BYTES"))
    request.raw_input_contents.append(written_tensor(amounts, "FP64"))
    return request


async def refused(call: Call, code: Any, words: str, *arguments: Any, **options: Any) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call(*arguments, **options)
    assert caught.value.code() == code
    assert words in caught.value.details()


def test_every_call_is_answered_through_the_door(tmp_path: Path) -> None:
    async def story() -> None:
        known = messages()
        async with calling(tmp_path) as call:
            assert (await call("ServerLive")).live
            assert (await call("ServerReady")).ready
            about = await call("ServerMetadata")
            assert (about.name, "binary_tensor_data" in about.extensions) == ("flyball", True)
            for version, ready in (("", True), ("cc03", True), ("ffff", False)):
                assert (
                    await call("ModelReady", known["ModelReadyRequest"](name="shop", version=version))
                ).ready == ready
            assert not (await call("ModelReady", known["ModelReadyRequest"](name="nobody"))).ready
            metadata = await call("ModelMetadata", known["ModelMetadataRequest"](name="shop"))
            assert [(tensor.name, tensor.datatype, list(tensor.shape)) for tensor in metadata.inputs] == [
                ("card", "BYTES", [-1, 1]),
                ("amount", "FP64", [-1, 1]),
                ("items", "INT64", [-1, 1]),
            ]
            assert list(metadata.versions) == ["aa01", "cc03"]

            typed = await call("ModelInfer", infer([1.0, 2.0]))
            assert (typed.model_name, typed.model_version, typed.id) == ("shop", "aa01", "q1")
            assert len(typed.parameters["prediction_ids"].string_param.split(",")) == 2
            prediction, score = typed.outputs
            assert list(prediction.contents.int64_contents) == [1, 1]
            assert list(score.contents.fp64_contents) == [0.9, 0.9]

            bare = await call("ModelInfer", raw([1.0], model_version="cc03"))
            assert [tensor.name for tensor in bare.outputs] == ["prediction", "score"]
            assert read_tensor(bare.raw_output_contents[1], "FP64", 1) == [0.1]
            assert not bare.outputs[1].HasField("contents")

            wanted = infer([1.0])
            wanted.outputs.add(name="score")
            assert [tensor.name for tensor in (await call("ModelInfer", wanted)).outputs] == ["score"]

    asyncio.run(story())


def test_every_refusal_has_its_code_and_its_words(tmp_path: Path) -> None:
    async def story() -> None:
        code = grpc.StatusCode
        async with calling(tmp_path) as call:
            await refused(call, code.NOT_FOUND, "no model nobody", "ModelInfer", infer([1.0], model_name="nobody"))
            await refused(
                call, code.NOT_FOUND, "no model 'shop/infer'", "ModelInfer", infer([1.0], model_name="shop/infer")
            )
            await refused(call, code.NOT_FOUND, "no one version", "ModelInfer", infer([1.0], model_version="ffff"))
            await refused(call, code.INVALID_ARGUMENT, "row 1: amount", "ModelInfer", infer([1.0, float("nan")]))
            wrong = infer([1.0])
            wrong.inputs[1].datatype = "INT8"
            await refused(call, code.INVALID_ARGUMENT, "amount: expected int_contents", "ModelInfer", wrong)
            short = raw([1.0])
            del short.raw_input_contents[1]
            await refused(call, code.INVALID_ARGUMENT, "2 raw_input_contents", "ModelInfer", short)
            both = raw([1.0])
            both.inputs[0].contents.bytes_contents.append(b"c")
            await refused(
                call, code.INVALID_ARGUMENT, "card: expected contents or raw_input_contents", "ModelInfer", both
            )
            priority = (("x-flyball-priority", "royal"),)
            await refused(call, code.INVALID_ARGUMENT, "live or low", "ModelInfer", infer([1.0]), metadata=priority)
            late = (("x-request-deadline-ms", "0"),)
            await refused(call, code.DEADLINE_EXCEEDED, "", "ModelInfer", infer([1.0]), metadata=late)

    asyncio.run(story())


def test_the_calls_own_deadline_is_the_clients_and_its_metadata_are_headers() -> None:
    seen: list[dict[str, str]] = []
    clients: set[str] = set()

    async def application(scope: Any, _: Any, send: Any) -> None:
        seen.append({name.decode(): value.decode() for name, value in scope["headers"]})
        clients.add(scope["client"][0])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async def story() -> None:
        known = messages()
        server = GrpcServer("127.0.0.1", 0)
        await server.start(application)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            live = channel.unary_unary(
                f"/{SERVICE}/ServerLive",
                request_serializer=known["ServerLiveRequest"].SerializeToString,
                response_deserializer=known["ServerLiveResponse"].FromString,
            )
            request = known["ServerLiveRequest"]()
            assert (await live(request, timeout=60, metadata=(("authorization", "Bearer x"),))).live
            await live(request, timeout=60, metadata=(("x-request-deadline-ms", "7"),))
        await server.stop()

    asyncio.run(story())
    assert clients == {"127.0.0.1"}  # what strangers may do is counted by address
    assert seen[0]["authorization"] == "Bearer x"
    assert 0.0 < float(seen[0]["x-request-deadline-ms"]) < 58_000.0  # gRPC reads its clock in rough steps
    assert seen[1]["x-request-deadline-ms"] == "7"


def test_a_call_that_its_client_cancels_goes_on_to_its_end() -> None:
    async def story() -> None:
        begun, may_end, ended = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def application(_: Any, __: Any, send: Any) -> None:
            begun.set()
            await may_end.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"{}"})
            ended.set()

        known = messages()
        server = GrpcServer("127.0.0.1", 0)
        await server.start(application)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            live = channel.unary_unary(
                f"/{SERVICE}/ServerLive",
                request_serializer=known["ServerLiveRequest"].SerializeToString,
                response_deserializer=known["ServerLiveResponse"].FromString,
            )
            call = live(known["ServerLiveRequest"]())
            await asyncio.wait_for(begun.wait(), PATIENCE_S)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            stopping = asyncio.create_task(server.stop())
            done, _ = await asyncio.wait({stopping}, timeout=0.2)
            assert not done, "it waits for what is under way, and by now the cancellation is here"
            may_end.set()
            await asyncio.wait_for(ended.wait(), PATIENCE_S)
            await stopping

    asyncio.run(story())


def test_a_call_needs_the_credentials_that_a_request_needs(tmp_path: Path) -> None:
    (mine, entry), (other, foreign) = (made(bytes([n]) * 54, [f"{name}:predict"], now=0.0) for n, name in KEYS)
    entries = {entry.id: entry, foreign.id: foreign}

    async def ask() -> None:
        async with opened(tmp_path) as door:
            guard = Guard(
                door,
                lambda text, now: granted(entries, text, now=now),
                SystemClock(),
                lambda _: None,
                rate_rps=None,
                burst=1,
                only="shop",
            )
            server = GrpcServer("127.0.0.1", 0)
            await server.start(guard)
            async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
                known = messages()
                asked = channel.unary_unary(
                    f"/{SERVICE}/ModelInfer",
                    request_serializer=known["ModelInferRequest"].SerializeToString,
                    response_deserializer=known["ModelInferResponse"].FromString,
                )
                for key, code in (
                    (None, grpc.StatusCode.UNAUTHENTICATED),
                    (mine[:-3] + "AAA", grpc.StatusCode.UNAUTHENTICATED),
                    (other, grpc.StatusCode.PERMISSION_DENIED),
                ):
                    with pytest.raises(grpc.aio.AioRpcError) as caught:
                        await asked(infer([1.0]), metadata=[("authorization", f"Bearer {key}")] if key else [])
                    assert caught.value.code() == code
                answer = await asked(infer([1.0]), metadata=[("authorization", f"Bearer {mine}")])
                assert answer.model_name == "shop"
            await server.stop()

    asyncio.run(ask())


def test_a_fault_of_ours_is_told_without_its_words_and_no_path_of_the_protocol_is_a_model() -> None:
    said: list[str] = []

    async def broken(*_: Any) -> None:
        raise ValueError("4929-1111-2222-3333")

    async def statistics(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"model_stats": []}'})

    async def asked(application: Any) -> Any:
        known = messages()
        server = GrpcServer("127.0.0.1", 0, complain=said.append)
        await server.start(application)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            about = channel.unary_unary(
                f"/{SERVICE}/ModelMetadata",
                request_serializer=known["ModelMetadataRequest"].SerializeToString,
                response_deserializer=known["ModelMetadataResponse"].FromString,
            )
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await about(known["ModelMetadataRequest"](name="stats"))
        await server.stop()
        return caught.value.code(), caught.value.details()

    assert asyncio.run(asked(statistics)) == (grpc.StatusCode.NOT_FOUND, "no model 'stats'")
    assert not said
    assert asyncio.run(asked(broken)) == (grpc.StatusCode.INTERNAL, "internal error")
    assert len(said) == 1
    assert said[0].startswith("gRPC ModelMetadata: ValueError at")
    assert "4929" not in said[0]


def test_a_shared_port_is_taken_at_once_and_listened_on_when_the_worker_is_warm() -> None:
    async def application(_: Any, __: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"{}"})

    async def story() -> None:
        first = GrpcServer("127.0.0.1", 0, shared=True)
        second = GrpcServer("127.0.0.1", first.port, shared=True)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", first.port)
        with pytest.raises(Unavailable, match="for gRPC"):
            GrpcServer("127.0.0.1", first.port)
        await second.start(application)
        _, writer = await asyncio.open_connection("127.0.0.1", first.port)
        writer.close()
        await first.start(application)
        await first.stop()
        await second.stop()

    asyncio.run(story())


def test_several_workers_share_the_port(tmp_path: Path) -> None:
    with stage(tmp_path, workers=2) as made:
        made.release(CHAMPION)
        made.grpc_port = free_port()
        made.start()
        made.control.apply("first", routing(candidate=None, rollout=None, guardrails=None, step=None, previous=None))
        for _ in range(6):  # connections of their own: the kernel spreads them
            with grpc.insecure_channel(f"127.0.0.1:{made.grpc_port}") as channel:
                known = messages()
                asked = channel.unary_unary(
                    f"/{SERVICE}/ModelInfer",
                    request_serializer=known["ModelInferRequest"].SerializeToString,
                    response_deserializer=known["ModelInferResponse"].FromString,
                )
                answer = asked(infer([1.0]), wait_for_ready=True, timeout=PATIENCE_S)
            assert list(answer.outputs[1].contents.fp64_contents) == [0.9]
