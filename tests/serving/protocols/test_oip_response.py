"""Answers as tensors: in JSON, in bytes, mixed, and as the classes that come first."""

from typing import Any

import msgspec
import pytest
from tests.serving.parts import CHAMPION, gateway, routing, row
from tests.serving.protocols.test_oip import SHOP

from flyball.core.prediction import Answer, ArmReply
from flyball.serving.protocols.binary_tensors import read_tensor
from flyball.serving.protocols.oip_model import Signature
from flyball.serving.protocols.oip_request import InferRequest, Wanted
from flyball.serving.protocols.oip_response import output_faults, response_of

PETS = Signature(service="pets", task="multiclass", columns=SHOP.columns, label="string")


def answered(request: InferRequest, signature: Signature, *answers: Answer) -> tuple[dict[str, Any], bytes]:
    """The JSON and what is behind it."""
    core = gateway()
    core.route(routing())
    batch, (ask,) = core.begin(
        [row(card=f"c{i}") for i in range(len(answers))], request_id="r", at=[1.0] * len(answers)
    )
    assert ask.release == CHAMPION
    core.take(batch, ask, ArmReply(answers=answers, service_ms=1.0))
    body, size = response_of(request, batch, core.finish(batch, ended=0.0), signature)
    return msgspec.json.decode(body[:size]), b"" if size is None else body[size:]


YES, NO = Answer(prediction=1, score=0.75), Answer(prediction=0, score=0.25)
CAT = Answer(prediction="cat", scores={"cat": 0.5, "dog": 0.125, "eel": 0.375})


def test_every_output_comes_raw_where_the_request_says_so() -> None:
    head, rest = answered(InferRequest(inputs=[], parameters={"binary_data_output": True}), SHOP, YES, NO)
    sizes = [output["parameters"]["binary_data_size"] for output in head["outputs"]]
    assert (sizes, len(rest)) == ([16, 16], 32)
    assert all("data" not in output for output in head["outputs"])
    assert read_tensor(rest[:16], "INT64", 2) == [1, 0]
    assert read_tensor(rest[16:], "FP64", 2) == [0.75, 0.25]


def test_an_output_may_say_otherwise() -> None:
    request = InferRequest(
        inputs=[],
        outputs=[Wanted(name="score", parameters={"binary_data": True}), Wanted(name="prediction")],
    )
    head, rest = answered(request, SHOP, YES)
    score, prediction = head["outputs"]
    assert (score["name"], score["parameters"]) == ("score", {"binary_data_size": 8})
    assert (prediction["data"], len(rest)) == ([1], 8)
    request.parameters = {"binary_data_output": True}
    request.outputs = [Wanted(name="score", parameters={"binary_data": False})]
    assert answered(request, SHOP, YES)[0]["outputs"][0]["data"] == [0.75]


def test_classes_come_as_text_the_most_probable_first() -> None:
    request = InferRequest(inputs=[], outputs=[Wanted(name="scores", parameters={"classification": 2})])
    head, _ = answered(request, PETS, CAT)
    (scores,) = head["outputs"]
    assert (scores["datatype"], scores["shape"]) == ("BYTES", [1, 2])
    assert scores["data"] == ["0.500000:0:cat", "0.375000:2:eel"]
    request.outputs = [Wanted(name="scores", parameters={"classification": 9, "binary_data": True})]
    head, rest = answered(request, PETS, CAT)
    assert read_tensor(rest, "BYTES", 3)[2] == "0.125000:1:dog"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        (Wanted(name="colour"), "no such output"),
        (Wanted(name="score", parameters={"classification": 1}), "multiclass"),
        (Wanted(name="score", parameters={"binary_data": 1}), "true or false"),
    ],
)
def test_outputs_that_cannot_be_given_are_named(wanted: Wanted, words: str) -> None:
    (fault,) = output_faults(InferRequest(inputs=[], outputs=[wanted]), SHOP)
    assert words in str(fault)
