"""What KServe's own clients say to a gateway; run by `test_kserve` with the Python of `.venv-clients`.

    python kserve_story.py http://127.0.0.1:PORT 127.0.0.1:GRPC_PORT

Prints `told` at the end; everything before is an assertion of its own. It imports nothing of ours.
"""

import asyncio
import importlib
import sys
from typing import Any

kserve: Any = importlib.import_module("kserve")
np: Any = importlib.import_module("numpy")
inference: Any = importlib.import_module("kserve.inference_client")


def request(cards: list[str], amounts: list[float], *, binary: bool) -> Any:
    card = kserve.InferInput("card", [len(cards), 1], "BYTES")
    card.set_data_from_numpy(np.array([[name] for name in cards], dtype=object), binary_data=binary)
    amount = kserve.InferInput("amount", [len(amounts), 1], "FP64")
    amount.set_data_from_numpy(np.array([[value] for value in amounts]), binary_data=binary)
    return kserve.InferRequest(model_name="shop", infer_inputs=[card, amount], request_id="q7")


def scores(response: Any) -> list[float]:
    found = {output.name: output.as_numpy().tolist() for output in response.outputs}
    assert found["prediction"] == [1] * len(found["score"]), found
    assert (response.model_name, response.id) == ("shop", "q7")
    return list(found["score"])


async def v2(url: str) -> None:
    client = kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v2", timeout=30))
    assert await client.is_server_live(url) is True
    assert await client.is_server_ready(url) is True
    assert await client.is_model_ready(url, "shop") is True
    assert await client.is_model_ready(url, "nobody") is False
    for binary in (True, False):
        assert scores(
            await client.infer(url, request(["a", "\u00fc"], [1.0, 2.0], binary=binary), model_name="shop")
        ) == [0.9, 0.9]
    refusal = ""
    try:
        await client.infer(url, request(["a"], [float("nan")], binary=True), model_name="shop")
    except Exception as error:  # the client's own kind of error, whatever it is called
        refusal = str(error)
    assert refusal.startswith("row 0: amount: expected a value"), refusal
    await client.close()


async def v1(url: str) -> None:
    client = kserve.InferenceRESTClient(kserve.RESTConfig(protocol="v1", timeout=30))
    assert await client.is_server_live(url) is True
    assert await client.is_model_ready(url, "shop") is True
    for rows in ([{"card": "a", "amount": 1.0}], [["b", 2.0, 3]]):
        answer = await client.infer(url, {"instances": rows}, model_name="shop")
        assert answer["predictions"] == [1], answer
    await client.close()


async def over_grpc(address: str) -> None:
    client = inference.InferenceGRPCClient(address)
    assert await client.is_server_live() is True
    assert await client.is_server_ready() is True
    assert await client.is_model_ready("shop") is True
    for binary in (True, False):
        assert scores(await client.infer(request(["a", "b"], [1.0, 2.0], binary=binary))) == [0.9, 0.9]
    await client.close()


async def main(url: str, address: str) -> None:
    await v2(url)
    await v1(url)
    await over_grpc(address)
    sys.stdout.write("told\n")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
