"""Calls over gRPC while workers make room for fresh ones: a client that repeats a call which broke off loses none."""

import json
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.serving.parts import CHAMPION, routing
from tests.serving.stage import PATIENCE_S, free_port, stage, until
from tests.serving.test_recycling import ALONE, COUNTS, seen

grpc: Any = pytest.importorskip("grpc", reason="grpcio is not there")

from tests.serving.serve.test_grpc_server import infer  # noqa: E402

from flyball.serving.serve.grpc_messages import SERVICE, messages  # noqa: E402

REPEATS = {  # as docs/reference/grpc-api.md gives it
    "methodConfig": [
        {
            "name": [{"service": SERVICE}],
            "waitForReady": True,
            "retryPolicy": {
                "maxAttempts": 5,
                "initialBackoff": "0.05s",
                "maxBackoff": "1s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE", "CANCELLED"],
            },
        }
    ]
}


class Caller(threading.Thread):
    """Calls again and again on a channel that it keeps, and notes how each call ended."""

    def __init__(self, port: int, go_on: threading.Event) -> None:
        super().__init__()
        self._port, self._go_on = port, go_on
        self.ends: Counter[str] = Counter()

    def run(self) -> None:
        known, pause = messages(), threading.Event()
        options = [("grpc.service_config", json.dumps(REPEATS)), ("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(f"127.0.0.1:{self._port}", options=options) as channel:
            asked = channel.unary_unary(
                f"/{SERVICE}/ModelInfer",
                request_serializer=known["ModelInferRequest"].SerializeToString,
                response_deserializer=known["ModelInferResponse"].FromString,
            )
            while self._go_on.is_set():
                pause.wait(0.003)
                try:
                    asked(infer([1.0]), timeout=PATIENCE_S)
                    self.ends["answered"] += 1
                except grpc.RpcError as error:
                    self.ends[f"{error.code()}: {error.details()}"] += 1


@pytest.mark.slow
def test_a_client_that_repeats_what_broke_off_loses_no_call_while_workers_are_replaced(tmp_path: Path) -> None:
    with stage(tmp_path, workers=2, declared=COUNTS) as made:
        made.release(CHAMPION)
        made.grpc_port = free_port()
        made.start()
        made.control.apply("first", routing(**ALONE))
        go_on = threading.Event()
        go_on.set()
        callers = [Caller(made.grpc_port, go_on) for _ in range(4)]
        for caller in callers:
            caller.start()
        pids: set[int] = set()
        try:
            until(lambda: seen(made, pids) >= 5, "three workers have made room")
        finally:
            go_on.clear()
            for caller in callers:
                caller.join()
        ends = sum((caller.ends for caller in callers), Counter[str]())
        assert set(ends) == {"answered"}, ends
        assert made.end() == 0
