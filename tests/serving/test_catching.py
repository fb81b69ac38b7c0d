"""Rows without room at the champion that are answered all the same: a model that hangs, a burst, real connections."""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import polars as pl
from benchmarks._open_loop import request
from benchmarks.refusals import CHAINED, filled
from tests.serving.parts import CANDIDATE, CHAMPION, PREVIOUS, routing, row
from tests.serving.safe import ALONE
from tests.serving.stage import PATIENCE_S, SERVICE, Stage, stage, until

from flyball.adapters.prediction_log.files import sealed

PATH = "/v1/services/shop/predict"
HANGS = row(items=99)
LATE_MS = 4000
Told = tuple[int, dict[str, Any]]  # status, body


def burst(made: Stage, bodies: list[dict[str, Any]]) -> list[Told]:
    """All at once, each on a connection of its own."""

    async def one(body: dict[str, Any]) -> Told:
        reader, writer = await asyncio.open_connection("127.0.0.1", made.port)
        writer.write(request(body))
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.partition(b"content-length: ")[2].split(b"\r\n")[0])
        told = json.loads(await reader.readexactly(length))
        writer.close()
        return int(head.split()[1]), told

    async def run() -> list[Told]:
        async with asyncio.timeout(PATIENCE_S):
            return await asyncio.gather(*(one(body) for body in bodies))

    return asyncio.run(run())


def logged(made: Stage, ids: list[str]) -> pl.DataFrame:
    """Rows of sealed panes."""
    found = [pl.read_parquet(pane.table("predictions")) for pane in sealed(made.home.telemetry("shop"))]
    return pl.concat(found, how="diagonal").filter(pl.col("id").is_in(ids)) if found else pl.DataFrame()


def metric(made: Stage, start: str) -> float:
    _, text = made.ask("GET", "/metrics")
    return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(start))


def test_a_full_champion_costs_nobody_an_answer_where_a_constant_is_declared(tmp_path: Path) -> None:
    with stage(tmp_path, loader="benchmarks.refusals:load", declared=CHAINED) as made:
        made.release(CHAMPION)
        made.start()
        made.control.apply("first", routing(**ALONE))
        with filled(made):
            told = burst(made, [row(card=f"c{i}") for i in range(300)])
            assert Counter(status for status, _ in told) == {200: 300}
            answers = [body["predictions"][0] for _, body in told]
            assert {(each["prediction"], each["fallback"], each["arm"]) for each in answers} == {
                (0, "constant", "champion")
            }
            assert made.ask("POST", PATH, {"card": "c"})[0] == 400  # nobody may answer it, so no constant does
            assert made.ask("POST", PATH, {"rows": [row()] * 3}, **{"x-flyball-priority": "live"})[0] == 200
            infer = {"inputs": [
                {"name": "card", "shape": [1], "datatype": "BYTES", "data": ["c"]},
                {"name": "amount", "shape": [1], "datatype": "FP64", "data": [1.0]},
                {"name": "items", "shape": [1], "datatype": "INT64", "data": [1]},
            ]}  # fmt: skip
            assert made.ask("POST", "/v2/models/shop/infer", infer)[0] == 200
            ids = [each["id"] for each in answers]
            until(lambda: logged(made, ids).height == 300, "the panes are sealed")
            found = logged(made, ids)
            assert set(found["outcome"]) == {"fallback"}
            assert set(found["reason"]) == {"shed"}
            assert set(found["fallback"]) == {"constant"}
            assert found["answered_by"].null_count() == 300
            assert not found["error"].any()
            assert found["x.amount"].null_count() == 0  # they were read, so that the monitor sees whole rows
            assert metric(made, "flyball_caught_rows_total") == 304
            assert metric(made, "flyball_error_events_total") == 0


def test_a_model_that_hangs_loses_no_answer_and_its_predecessor_answers_as_far_as_it_has_room(tmp_path: Path) -> None:
    with stage(tmp_path, declared=SERVICE.replace("deadline_ms: 20000", f"deadline_ms: {LATE_MS}")) as made:
        made.release(CHAMPION, sick=True)
        made.release(PREVIOUS, score=0.1)
        made.start()
        made.control.apply("first", routing(**ALONE | {"previous": PREVIOUS}))
        full = metric(made, "flyball_limit_rows{")
        told = burst(made, [HANGS] * 400)  # the limit is 100 rows
        assert Counter(status for status, _ in told) == {200: 400}
        answers = [body["predictions"][0] for _, body in told]
        by = Counter(each["fallback"] for each in answers)
        assert set(by) <= {"constant", "previous"}
        assert by["constant"] >= 400 - full - 200  # at once: nobody knew yet that it hangs
        quick = sorted(each["latency_ms"] for each in answers if each["fallback"] == "constant")
        assert quick[len(quick) // 2] < LATE_MS / 2


def test_overload_alone_is_answered_to_a_bound_and_refused_beyond_it(tmp_path: Path) -> None:
    with stage(tmp_path, loader="benchmarks.refusals:load", declared=CHAINED) as made:
        made.release(CHAMPION)
        made.start()
        made.control.apply("first", routing(**ALONE))
        with filled(made):
            status, body = made.ask("POST", PATH, {"rows": [row()] * 9_000})  # one request may overdraw what is there
            assert status == 200
            assert {each["fallback"] for each in body["predictions"]} == {"constant"}
            assert Counter(status for status, _ in burst(made, [row()] * 50)) == {503: 50}


def test_a_client_that_can_wait_is_told_to(tmp_path: Path) -> None:
    with stage(
        tmp_path, loader="benchmarks.refusals:load", declared=CHAINED.replace("max_in_flight: 8", "max_in_flight: 9")
    ) as made:
        made.release(CHAMPION)
        made.start()
        made.control.apply("first", routing(**ALONE))
        with filled(made):  # 8 of 9: live ones have room, low ones have not
            assert made.ask("POST", PATH, row(), **{"x-flyball-priority": "low"})[0] == 429


def test_a_candidate_that_is_full_has_its_rows_answered_by_the_champion(tmp_path: Path) -> None:
    with stage(tmp_path, declared=SERVICE.replace("deadline_ms: 20000", "deadline_ms: 6000")) as made:
        made.release(CHAMPION, score=0.1)
        made.release(CANDIDATE, sick=True)
        made.start()
        made.control.apply("first", routing(weight=10_000, previous=None))
        told = burst(made, [row(card=f"c{i}", items=99) for i in range(160)])
        assert Counter(status for status, _ in told) == {200: 160}
        answers = [body["predictions"][0] for _, body in told]
        assert {each["fallback"] for each in answers} <= {"previous", "constant"}
        assert sum(each["fallback"] == "previous" for each in answers) >= 60
        ids = [each["id"] for each in answers]
        until(lambda: logged(made, ids).height == 160, "the panes are sealed")
        found = logged(made, ids).filter(pl.col("reason") == "shed")
        assert found.height >= 50
        assert not found["error"].any()
