"""A small service whose predictor does what the row tells it to: the real core around a model that can be ordered."""

from collections.abc import Sequence
from typing import Any

from flyball.contracts.rows import CompiledRows
from flyball.core.contract import Column, DataContract
from flyball.core.ids import Epoch, ReleaseRoot, RolloutId, ServiceName
from flyball.core.prediction import Answer, ArmReply, Failure
from flyball.core.routing import Routing
from flyball.core.service import (
    Constant,
    ConstantFallback,
    Data,
    Experiment,
    Guardrails,
    Metadata,
    Service,
    Serving,
)
from flyball.serving.accounting import Accounting
from flyball.serving.counter_file import in_memory
from flyball.serving.gateway import Gateway
from flyball.serving.identity import PredictionIds
from flyball.serving.redact import redactor

SECRET = b"a test's secret"
CHAMPION, CANDIDATE, PREVIOUS = ReleaseRoot("sha256:aa01"), ReleaseRoot("sha256:bb02"), ReleaseRoot("sha256:cc03")
CONTRACT = DataContract(
    id="shop",
    version="1.0.0",
    table="orders",
    columns=(
        Column(name="card", kind="string", required=True),
        Column(name="amount", kind="number", required=True, minimum=0.0, maximum=1000.0),
        Column(name="items", kind="integer"),
        Column(name="fraud", kind="integer"),
    ),
)
CONSTANT = ConstantFallback(constant=Constant(prediction=0, score=0.0))


def service(**serving: Any) -> Service:
    return Service(
        apiVersion="flyball/v1",
        kind="Service",
        metadata=Metadata(name="shop", owner="tests"),
        data=Data(contract="contract.yaml", source="orders.csv", label="fraud", key="card"),
        experiment=Experiment(task="binary", metric="roc_auc"),
        serving=Serving(**({"fallback": ("previous", CONSTANT)} | serving)),
    )


def checker() -> CompiledRows:
    return CompiledRows(CONTRACT, label="fraud")


def routing(**changes: Any) -> Routing:
    base: dict[str, Any] = {
        "service": ServiceName("shop"),
        "epoch": Epoch(1),
        "champion": CHAMPION,
        "previous": PREVIOUS,
        "candidate": CANDIDATE,
        "salt": "ro-1",
        "rollout": RolloutId("ro-1"),
        "step": 1,
        "guardrails": Guardrails(),
    }
    return Routing(**(base | changes))


def gateway(declared: Service | None = None, accounting: Accounting | None = None) -> Gateway:
    return Gateway(
        declared or service(),
        checker(),
        accounting or Accounting(in_memory()),
        PredictionIds("shop", SECRET, b"boot"),
        redactor(("card", "amount", "items"), frozenset(), SECRET),
    )


class Told:
    """Answers 1 with score `amount / 1000`; a row whose `items` is 13 fails, in every release named in `failing`."""

    def __init__(self, release: str, *, failing: bool = True, service_ms: float = 1.0) -> None:
        self._release, self._failing, self._service_ms = release, failing, service_ms

    @property
    def release(self) -> str:
        return self._release

    def predict(self, rows: Sequence[dict[str, Any]]) -> ArmReply:
        answers = tuple(self._answer(row) for row in rows)
        return ArmReply(answers=answers, service_ms=self._service_ms * len(rows))

    def _answer(self, row: dict[str, Any]) -> Answer | Failure:
        if self._failing and row.get("items") == 13:
            return Failure(reason="exception", message="thirteen")
        return Answer(prediction=1, score=row["amount"] / 1000.0)


def row(card: str = "c1", amount: Any = 10.0, **more: Any) -> dict[str, Any]:
    return {"card": card, "amount": amount} | more
