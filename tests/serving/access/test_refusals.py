"""Refused requests are counted by few words, and little is left for the controller, whatever strangers send."""

from hypothesis import given
from hypothesis import strategies as st

from flyball.core.access import Denied
from flyball.serving.access.api_keys import granted, made
from flyball.serving.access.refusals import EVERY_S, MANY, WITHIN_S, Refusals

OLD_TEXT, OLD = made(bytes(range(54)), ["fraud:predict"], now=0.0, expires=1.0)
NEW_TEXT, NEW = made(bytes(range(1, 55)), ["fraud:predict"], now=0.0)
KEYS = {OLD.id: OLD, NEW.id: NEW}


def told(*sent: tuple[str, float]) -> tuple[Refusals, list[tuple[str, float]]]:
    left: list[tuple[str, float]] = []
    found = Refusals(lambda key, at: left.append((key, at)))
    for text, at in sent:
        if isinstance(denied := granted(KEYS, text, now=at), Denied):
            found.tell(denied, at)
    return found, left


def test_a_key_that_has_run_out_is_left_at_once_and_then_once_in_a_while() -> None:
    found, left = told(*((OLD_TEXT, 100.0 + second) for second in range(11)))
    assert left == [(f"key-{OLD.id}", at) for at in (100.0, 100.0 + EVERY_S, 100.0 + 2 * EVERY_S)]
    assert found.counts == {"expired": 11}


def test_one_unknown_key_is_nothing_and_many_soon_are_one_word() -> None:
    slow = [(f"fbk_{number:012x}_x", 1000.0 + number * WITHIN_S / (MANY - 2)) for number in range(3 * MANY)]
    assert told(*slow)[1] == []
    fast = [(f"fbk_{number:012x}_x", 1000.0 + number * 0.1) for number in range(MANY)]
    assert told(*fast)[1] == [("unknown", fast[-1][1])]


def test_a_wrong_secret_does_not_say_that_the_owner_of_the_key_is_refused() -> None:
    guesses = [(f"fbk_{OLD.id}_guess{number}", 1000.0 + number) for number in range(MANY)]
    found, left = told(*guesses)
    assert [key for key, _ in left] == ["unknown"]
    assert found.counts == {"unknown": MANY}


def test_a_clock_that_jumps_back_leaves_it_again() -> None:
    assert [at for _, at in told((OLD_TEXT, 10_000.0), (OLD_TEXT, 500.0), (OLD_TEXT, 501.0))[1]] == [10_000.0, 500.0]


@given(st.lists(st.tuples(st.one_of(st.text(max_size=80), st.just(OLD_TEXT)), st.floats(2.0, 1e6)), max_size=60))
def test_nothing_that_a_stranger_sends_becomes_a_name(sent: list[tuple[str, float]]) -> None:
    found, left = told(*sent)
    assert {key for key, _ in left} <= {"unknown", f"key-{OLD.id}"}
    assert found.counts.keys() <= {"expired", "unknown"}
    assert sum(found.counts.values()) == len(sent)
