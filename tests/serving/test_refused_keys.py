"""A real gateway that refuses keys: counted over its workers, and left for the controller; no stranger's word in it."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest
from tests.serving.parts import row
from tests.serving.safe import Safe, bearer, safe
from tests.serving.stage import PATIENCE_S, free_port, until

from flyball.adapters.refused_files import left, of_service
from flyball.serving.access.refusals import MANY

PREDICT = "/v1/services/shop/predict"
GUESS = "fbk_00000000beef_nobodyknowsthis"


def ask(gate: Safe, text: str | None, path: str = PREDICT) -> int:
    return gate.stage.ask("POST", path, row(), **(bearer(text) if text else {}))[0]


def counted(gate: Safe) -> dict[str, float]:
    """By why, over all workers."""
    text = gate.stage.ask("GET", "/metrics", **bearer(gate.texts["watcher"]))[1]
    lines = [line for line in text.splitlines() if line.startswith("flyball_refused_requests_total{")]
    return {line.split('"')[1]: float(line.rpartition(" ")[2]) for line in lines}


@pytest.mark.parametrize("workers", [1, 2])
def test_refused_requests_are_counted_by_why_and_a_key_that_has_run_out_is_left(tmp_path: Path, workers: int) -> None:
    with safe(tmp_path, workers=workers) as gate:
        assert counted(gate) == {}
        sent = {"expired": gate.texts["late"], "unknown": GUESS, "missing": None, "scope": gate.texts["other"]}
        for _ in range(3):
            assert [ask(gate, text) for text in sent.values()] == [401, 401, 401, 403]
        assert ask(gate, gate.token(exp=1_000_000_000)) == 401
        assert ask(gate, "no token at all") == 401
        assert ask(gate, gate.texts["shop"]) == 200
        assert counted(gate) == {"expired": 4, "unknown": 3, "missing": 3, "scope": 3, "token": 1}
        (found,) = left(gate.stage.home.refused, since=time.time() - 60)
        assert found.key == f"key-{gate.entries['late'].id}"
        assert of_service([found], "shop").keys() == {found.key}
        assert GUESS not in gate.told()


def test_many_guesses_are_one_word_and_no_file_a_guess(tmp_path: Path) -> None:
    with safe(tmp_path) as gate:
        for number in range(MANY + 5):
            assert ask(gate, f"fbk_{number:012x}_guess") == 401
        assert [one.key for one in left(gate.stage.home.refused, since=time.time() - 60)] == ["unknown"]
        assert counted(gate) == {"unknown": MANY + 5}


def test_a_killed_worker_takes_no_count_along_that_was_told_and_none_counts_twice(tmp_path: Path) -> None:
    with safe(tmp_path, workers=2) as gate:
        before = gate.stage.children()
        for _ in range(20):  # each on a connection of its own, so on whichever worker takes it
            assert ask(gate, gate.texts["late"]) == 401
        assert counted(gate) == {"expired": 20}
        for pid in before:
            replaced(gate, pid)
            assert counted(gate) == {"expired": 20}
        for _ in range(5):
            assert ask(gate, gate.texts["late"]) == 401
        assert counted(gate) == {"expired": 25}


def replaced(gate: Safe, pid: int) -> None:
    """Kill a worker, and wait for the one in its place."""
    living = set(gate.stage.children())
    os.kill(pid, signal.SIGKILL)
    until(lambda: len(set(gate.stage.children()) - living) == 1, "a fresh one is there")
    until(lambda: ask(gate, gate.texts["shop"]) == 200, "it is answered")


def test_calls_over_grpc_are_counted_beside_the_others(tmp_path: Path) -> None:
    grpc: Any = pytest.importorskip("grpc", reason="grpcio is not there")
    from tests.serving.serve.test_grpc_server import infer

    from flyball.serving.serve.grpc_messages import SERVICE, messages

    with safe(tmp_path, grpc_port=free_port()) as gate:
        known = messages()
        with grpc.insecure_channel(f"127.0.0.1:{gate.stage.grpc_port}") as channel:
            asked = channel.unary_unary(
                f"/{SERVICE}/ModelInfer",
                request_serializer=known["ModelInferRequest"].SerializeToString,
                response_deserializer=known["ModelInferResponse"].FromString,
            )
            for text in (gate.texts["late"], GUESS, gate.token(exp=1_000_000_000)):
                with pytest.raises(grpc.RpcError) as refused:
                    asked(infer([1.0]), timeout=PATIENCE_S, metadata=[("authorization", f"Bearer {text}")])
                assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
        assert counted(gate) == {"expired": 2, "unknown": 1}
        assert [one.key for one in left(gate.stage.home.refused, since=time.time() - 60)] == [
            f"key-{gate.entries['late'].id}"
        ]
