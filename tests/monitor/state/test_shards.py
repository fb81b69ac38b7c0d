"""Shards counted anywhere and added in any order give the bytes of one pass."""

import functools
import multiprocessing
import operator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest
from tests.monitor.state.frames import a_frame, rows

from flyball.monitor.state.binary import decoded, encoded
from flyball.monitor.state.counting import counted
from flyball.monitor.state.frame import Frame
from flyball.monitor.state.state import State

FRAME = a_frame()
TABLE = rows(20_000, seed=9)
SHARDS = [TABLE[first : first + 3_333] for first in range(0, 20_000, 3_333)]
WHOLE = encoded(counted(FRAME, TABLE))


def of_shard(frame: Frame, shard: pl.DataFrame) -> bytes:
    """What a worker sends."""
    return encoded(counted(frame, shard))


def of_all(parts: list[bytes]) -> bytes:
    states: list[State] = [decoded(part, FRAME) for part in reversed(parts)]
    return encoded(functools.reduce(operator.add, states))


def test_threads_count_what_one_pass_counts() -> None:
    with ThreadPoolExecutor(4) as pool:
        assert of_all(list(pool.map(functools.partial(of_shard, FRAME), SHARDS))) == WHOLE


def test_processes_count_what_one_pass_counts() -> None:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        assert of_all(list(pool.map(functools.partial(of_shard, FRAME), SHARDS))) == WHOLE


@pytest.mark.slow
def test_ray_tasks_count_what_one_pass_counts() -> None:
    ray = pytest.importorskip("ray")
    root = str(Path(__file__).resolve().parents[3])
    ray.init(num_cpus=2, include_dashboard=False, runtime_env={"env_vars": {"PYTHONPATH": f"{root}/src:{root}"}})
    try:
        task = ray.remote(of_shard)
        assert of_all(ray.get([task.remote(FRAME, shard) for shard in SHARDS])) == WHOLE
    finally:
        ray.shutdown()
