"""Laws of the sweep: nothing reachable is planned away, and nothing goes that was not marked for the whole grace."""

from hypothesis import given
from hypothesis import strategies as st

from flyball.registry.sweep import Stored, marks, plan, reach

NAMES = tuple("abcdefghij")
names = st.sampled_from(NAMES)
graphs = st.dictionaries(names, st.sets(names, max_size=3))
roots = st.dictionaries(names, st.just("champion"), max_size=3)
GRACE = 100.0


def stored(name: str, at: float = 0.0) -> Stored:
    return Stored(kind="blob", name=name, place=f"blobs/{name}", digests=(name,), size=1, at=at)


def closure(start: set[str], graph: dict[str, set[str]]) -> set[str]:
    """The same answer by another way: grow until nothing is new."""
    found = set(start)
    while new := {other for name in found for other in graph.get(name, set())} - found:
        found |= new
    return found


@given(roots, graphs)
def test_what_is_reached_is_the_closure_of_the_roots(start: dict[str, str], graph: dict[str, set[str]]) -> None:
    assert set(reach(start, lambda name: graph.get(name, ()))) == closure(set(start), graph)


@given(st.lists(st.tuples(st.floats(0, 300), roots, graphs, st.sets(names)), max_size=8), st.sampled_from([0.0, GRACE]))
def test_no_history_of_sweeps_deletes_what_is_reached_used_or_not_marked_long_enough(
    history: list[tuple[float, dict[str, str], dict[str, set[str]], set[str]]], grace_s: float
) -> None:
    now, marked = 1000.0, dict[str, float]()
    things = {name: stored(name) for name in NAMES}
    unreached_since: dict[str, float] = {}
    for step, start, graph, used in history:
        now += step
        for name in used & set(things):
            things[name] = stored(name, at=now)
        live = reach(start, lambda name, graph=graph: graph.get(name, ()))  # type: ignore[misc]
        judged = plan(things.values(), live, marked, now=now, grace_s=grace_s)
        again = plan(things.values(), live, marked, now=now, grace_s=grace_s)
        assert judged == again
        for each in judged:
            name = each.item.name
            if name in closure(set(start), graph):
                assert each.fate == "keep"
                unreached_since.pop(name, None)
            if each.fate == "delete":
                assert now - unreached_since[name] >= grace_s
                assert now - each.item.at >= grace_s
                assert unreached_since[name] < now
        marked = marks(judged, marked, now=now)
        assert marks(plan(things.values(), live, marked, now=now, grace_s=grace_s), marked, now=now) == marked
        unreached_since = {
            place.removeprefix("blobs/"): unreached_since.get(place.removeprefix("blobs/"), now) for place in marked
        }
        for each in judged:
            if each.fate == "delete":
                del things[each.item.name]
                marked.pop(each.item.place)


def test_a_thing_that_is_used_after_it_was_marked_begins_anew() -> None:
    marked = {"blobs/a": 1000.0}
    (young,) = plan([stored("a", at=1050.0)], {}, marked, now=1120.0, grace_s=GRACE)
    assert young.fate == "young"
    (anew,) = plan([stored("a", at=1050.0)], {}, marked, now=1160.0, grace_s=GRACE)
    assert (anew.fate, anew.due) == ("mark", 1260.0)


def test_a_mark_from_the_future_is_no_mark() -> None:
    (judged,) = plan([stored("a")], {}, {"blobs/a": 2000.0}, now=1000.0, grace_s=0.0)
    assert judged.fate == "mark"
