"""NVIDIA's HTTP client against the gateway, as shipped: what it reads must be what we mean."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.clients.served import shop
from tests.serving.stage import Stage

triton: Any = pytest.importorskip("tritonclient.http", reason="tritonclient is not there")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with shop(tmp_path_factory.mktemp("triton")) as made:
        yield made


@pytest.fixture
def client(served: Stage) -> Iterator[Any]:
    found = triton.InferenceServerClient(f"127.0.0.1:{served.port}")
    yield found
    found.close()


def inputs(cards: list[str], amounts: list[float], *, binary: bool = True) -> list[Any]:
    card = triton.InferInput("card", [len(cards), 1], "BYTES")
    card.set_data_from_numpy(np.array([[name] for name in cards], dtype=object), binary_data=binary)
    amount = triton.InferInput("amount", [len(amounts), 1], "FP32")
    amount.set_data_from_numpy(np.array([[value] for value in amounts], dtype=np.float32), binary_data=binary)
    return [card, amount]


def test_it_finds_the_server_and_the_model(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("shop")
    assert not client.is_model_ready("nobody")
    assert client.get_server_metadata()["name"] == "flyball"
    metadata = client.get_model_metadata("shop")
    assert [(each["name"], each["datatype"]) for each in metadata["inputs"]] == [
        ("card", "BYTES"),
        ("amount", "FP64"),
        ("items", "INT64"),
    ]
    assert client.get_model_repository_index()[0]["state"] == "READY"


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("named", [True, False])
def test_it_infers(client: Any, named: bool, binary: bool) -> None:
    outputs = [triton.InferRequestedOutput(name, binary_data=binary) for name in ("prediction", "score")]
    result = client.infer(
        "shop",
        inputs(["a", "b", "ü"], [1.0, 2.0, 3.0], binary=binary),
        request_id="q7",
        outputs=outputs if named else None,
    )
    assert result.get_response()["id"] == "q7"
    assert result.as_numpy("prediction").tolist() == [1, 1, 1]
    assert result.as_numpy("score").tolist() == [0.9, 0.9, 0.9]
    raw = ["binary_data_size" in output.get("parameters", {}) for output in result.get_response()["outputs"]]
    assert raw == [binary or not named] * 2


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_it_packs_both_ways(client: Any, coding: str) -> None:
    n = 500
    result = client.infer(
        "shop",
        inputs([f"c{i}" for i in range(n)], [1.0] * n),
        request_compression_algorithm=coding,
        response_compression_algorithm=coding,
    )
    assert result.as_numpy("score").tolist() == [0.9] * n


def test_half_precision_comes_raw(client: Any) -> None:
    card, _ = inputs(["a"], [1.0])
    amount = triton.InferInput("amount", [1, 1], "FP16")
    amount.set_data_from_numpy(np.array([[1.5]], dtype=np.float16))
    assert client.infer("shop", [card, amount]).as_numpy("score").tolist() == [0.9]


def test_it_reads_statistics_and_configuration(client: Any) -> None:
    before = client.get_inference_statistics("shop", model_version="aa01")["model_stats"][0]
    client.infer("shop", inputs(["a", "b"], [1.0, 2.0]))
    (after,) = client.get_inference_statistics("shop", model_version="aa01")["model_stats"]
    assert after["inference_count"] - before["inference_count"] == 2
    assert after["inference_stats"]["success"]["count"] - before["inference_stats"]["success"]["count"] == 1
    assert {one["version"] for one in client.get_inference_statistics()["model_stats"]} == {"aa01", "cc03"}
    assert client.get_model_config("shop")["max_batch_size"] == 10_000
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]


def test_loading_is_the_controllers(client: Any) -> None:
    with pytest.raises(triton.InferenceServerException, match="controller") as caught:
        client.load_model("shop")
    assert caught.value.status() == "501"


def test_a_version_reaches_another_release(client: Any) -> None:
    result = client.infer("shop", inputs(["a"], [1.0]), model_version="cc03")
    assert result.as_numpy("score").tolist() == [0.1]


def test_one_bad_row_is_named_and_nothing_is_predicted(client: Any) -> None:
    with pytest.raises(triton.InferenceServerException, match=r"row 1: amount: expected a value") as caught:
        client.infer("shop", _with_missing())
    assert caught.value.status() == "400"


def test_a_missing_value_in_raw_bytes_is_nan(client: Any) -> None:
    with pytest.raises(triton.InferenceServerException, match=r"row 0: amount: expected a value"):
        client.infer("shop", inputs(["a"], [float("nan")]))


def _with_missing() -> list[Any]:
    """Two rows, the second without an amount."""
    card, amount = inputs(["a", "b"], [1.0, 2.0], binary=False)
    amount._data = [1.0, None]
    return [card, amount]
