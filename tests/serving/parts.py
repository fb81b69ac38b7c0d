"""A small service whose predictor does what the row tells it to: the real core around a model that can be ordered."""

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

from flyball.contracts.rows.compiled import CompiledRows
from flyball.core.arms import Arm
from flyball.core.contract import Column, DataContract
from flyball.core.declared.serving import AnswerCache
from flyball.core.ids import Epoch, ReleaseRoot, RolloutId, ServiceName
from flyball.core.prediction import Answer, ArmReply, Failure
from flyball.core.routing import Routing
from flyball.core.service import (
    Constant,
    Data,
    Experiment,
    FallbackLink,
    Guardrails,
    Metadata,
    Service,
    Serving,
)
from flyball.serving.counting.accounting import Accounting
from flyball.serving.counting.counter_file import in_memory
from flyball.serving.gateway import Gateway
from flyball.serving.identity import PredictionIds
from flyball.serving.redact import redactor
from flyball.serving.resilience.answer_cache import AnswerCache as Answers
from flyball.serving.routing.allotment import allotted

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
ARMS = "bcdefghijklmnopq"
SPLITS = st.tuples(*[st.integers(0, 3300)] * 3)  # weights of b, c and d
CONSTANT = FallbackLink(constant=Constant(prediction=0, score=0.0))


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


def split(*weights: int, **changes: Any) -> Routing:
    """An A/B test of as many arms as there are weights (of 10,000): b, c, d ... with a release each."""
    arms = [Arm(name=name, release=arm_release(name)) for name in ARMS[: len(weights)]]
    held = allotted(arms, dict(zip(ARMS, weights, strict=False)))
    base = {"candidate": None, "rollout": RolloutId("ab-1"), "salt": "ab-1", "step": None, "arms_": held}
    return routing(**(base | changes))


def arm_release(name: str) -> ReleaseRoot:
    return ReleaseRoot(f"sha256:{name}{name}09")


def gateway(declared: Service | None = None, accounting: Accounting | None = None, *, workers: int = 1) -> Gateway:
    return Gateway(
        declared or service(),
        checker(),
        accounting or Accounting(in_memory()),
        PredictionIds("shop", SECRET, b"boot"),
        redactor(("card", "amount", "items"), frozenset(), SECRET),
        workers=workers,
    )


def with_links(links: tuple[Any, ...], cache: AnswerCache | None = None) -> Gateway:
    """A gateway with this fallback chain and cache, whose champion takes everything."""
    kinds = {column.name: column.kind for column in CONTRACT.columns if column.name != "fraud"}
    core = Gateway(
        service(fallback=links, **({"cache": cache} if cache else {})),
        checker(),
        Accounting(in_memory()),
        PredictionIds("shop", SECRET, b"boot"),
        redactor(("card", "amount", "items"), frozenset(), SECRET),
        kinds=kinds,
        cache=Answers(cache, kinds, SECRET) if cache else None,
    )
    core.route(routing(weight=0))
    return core


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
