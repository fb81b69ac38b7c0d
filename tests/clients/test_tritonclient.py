"""NVIDIA's HTTP client against the gateway, as shipped: what it reads must be what we mean."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tests.serving.parts import CHAMPION, PREVIOUS, routing
from tests.serving.stage import Stage, stage

triton: Any = pytest.importorskip("tritonclient.http", reason="tritonclient is not there")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with stage(tmp_path_factory.mktemp("triton")) as made:
        made.release(CHAMPION)
        made.release(PREVIOUS, score=0.1)
        made.start()
        made.control.apply("first", routing(candidate=None, rollout=None, guardrails=None, step=None))
        yield made


@pytest.fixture
def client(served: Stage) -> Iterator[Any]:
    found = triton.InferenceServerClient(f"127.0.0.1:{served.port}")
    yield found
    found.close()


def inputs(cards: list[str], amounts: list[float]) -> list[Any]:
    card = triton.InferInput("card", [len(cards), 1], "BYTES")
    card.set_data_from_numpy(np.array([[name] for name in cards], dtype=object), binary_data=False)
    amount = triton.InferInput("amount", [len(amounts), 1], "FP64")
    amount.set_data_from_numpy(np.array([[value] for value in amounts]), binary_data=False)
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


@pytest.mark.parametrize("named", [True, False])
def test_it_infers(client: Any, named: bool) -> None:
    outputs = [triton.InferRequestedOutput(name, binary_data=False) for name in ("prediction", "score")]
    result = client.infer(
        "shop", inputs(["a", "b", "c"], [1.0, 2.0, 3.0]), request_id="q7", outputs=outputs if named else None
    )
    assert result.get_response()["id"] == "q7"
    assert result.as_numpy("prediction").tolist() == [1, 1, 1]
    assert result.as_numpy("score").tolist() == [0.9, 0.9, 0.9]


def test_a_version_reaches_another_release(client: Any) -> None:
    result = client.infer("shop", inputs(["a"], [1.0]), model_version="cc03")
    assert result.as_numpy("score").tolist() == [0.1]


def test_one_bad_row_is_named_and_nothing_is_predicted(client: Any) -> None:
    with pytest.raises(triton.InferenceServerException, match=r"row 1: amount: expected a value") as caught:
        client.infer("shop", _with_missing())
    assert caught.value.status() == "400"


def test_binary_tensors_are_refused_in_words(client: Any) -> None:
    amount = triton.InferInput("amount", [1, 1], "FP64")
    amount.set_data_from_numpy(np.array([[1.0]]), binary_data=True)
    with pytest.raises(triton.InferenceServerException, match="binary"):
        client.infer("shop", [amount])


def _with_missing() -> list[Any]:
    """Two rows, the second without an amount."""
    card, amount = inputs(["a", "b"], [1.0, 2.0])
    amount._data = [1.0, None]
    return [card, amount]
