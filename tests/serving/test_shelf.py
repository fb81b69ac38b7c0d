"""Records by name in a shared buffer: what was written is there, in a bounded number of places."""

import multiprocessing
from collections import OrderedDict
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from flyball.serving.serve import shared
from flyball.serving.serve.shared import SharedFile, shared_shelf
from flyball.serving.shelf import WAYS, Shelf, bytes_for, tag_of

STEPS = 20_000


@given(st.lists(st.integers(0, 20), max_size=200))
def test_a_set_is_a_map_that_forgets_whom_nobody_touched_for_longest(names: list[int]) -> None:
    shelf = Shelf(bytearray(bytes_for(sets=1, numbers=2)), sets=1, numbers=2)
    model: OrderedDict[int, float] = OrderedDict()
    for now, name in enumerate(names, start=1):
        with shelf.record(tag_of(name), float(now)) as numbers:
            assert numbers[1] == model.get(name, 0.0)
            numbers[1] += 1.0
        model[name] = model.get(name, 0.0) + 1.0
        model.move_to_end(name)
        if len(model) > WAYS:
            model.popitem(last=False)
        assert len(shelf) == len(model)
    for name in set(names) - set(model):
        assert shelf.glance(tag_of(name)) is None


def _adds(path: Path, together: "multiprocessing.synchronize.Barrier") -> None:
    shared._TRIES = 10**9  # one that stands still while it holds is waited for: what is lost to that is another story
    shelf = shared_shelf(path, sets=2, numbers=1)
    together.wait()
    for _ in range(STEPS):
        with shelf.record(tag_of("a"), 1.0) as numbers:
            numbers[0] += 1.0


def test_processes_that_add_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    fresh = multiprocessing.get_context("spawn")
    together = fresh.Barrier(3)
    adders = [fresh.Process(target=_adds, args=(tmp_path / "shelf", together)) for _ in range(3)]
    for adder in adders:
        adder.start()
    for adder in adders:
        adder.join()
    found = shared_shelf(tmp_path / "shelf", sets=2, numbers=1).glance(tag_of("a"))
    assert found is not None
    assert found[0] == len(adders) * STEPS


def _holds(path: Path, held: "multiprocessing.synchronize.Event", go: "multiprocessing.synchronize.Event") -> None:
    with SharedFile(path, 16).hold(0):
        held.set()
        go.wait()


def test_nobody_waits_for_good_for_one_that_was_stopped_while_it_held(tmp_path: Path) -> None:
    fresh = multiprocessing.get_context("spawn")
    held, go = fresh.Event(), fresh.Event()
    holder = fresh.Process(target=_holds, args=(tmp_path / "file", held, go))
    holder.start()
    held.wait()
    with SharedFile(tmp_path / "file", 16).hold(0):  # it goes on all the same
        go.set()
    holder.join()
    assert holder.exitcode == 0
