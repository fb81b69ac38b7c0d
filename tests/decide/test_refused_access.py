"""Clients that are refused: a beginning and an end on the ledger, whatever lies between."""

from hypothesis import given
from hypothesis import strategies as st

from flyball.core.clock import moment
from flyball.core.facts.access import AccessCalm, AccessRefused
from flyball.decide.refused_access import refused_access

NOW = "2026-11-27T10:00:00.000000Z"
NOW_S = moment(NOW).timestamp()
KEY = "key-0a1b2c3d4e5f"


def standing(*keys: str) -> dict[str, AccessRefused]:
    return {key: AccessRefused(service="fraud", key=key, why="before") for key in keys}  # type: ignore[arg-type]


def test_it_begins_once_and_is_over_when_none_has_come_for_the_time() -> None:
    (begun,) = refused_access("fraud", {}, {KEY: NOW_S - 1}, now=NOW, calm_s=300)
    assert isinstance(begun, AccessRefused)
    assert refused_access("fraud", standing(KEY), {KEY: NOW_S - 299}, now=NOW, calm_s=300) == ()
    (over,) = refused_access("fraud", standing(KEY), {KEY: NOW_S - 300}, now=NOW, calm_s=300)
    assert isinstance(over, AccessCalm)
    assert "since 2026-11-27T09:55:00" in over.why


def test_what_is_found_no_more_is_over_too_and_what_is_old_never_began() -> None:
    (over,) = refused_access("fraud", standing(KEY), {}, now=NOW, calm_s=300)
    assert isinstance(over, AccessCalm)
    assert refused_access("fraud", {}, {KEY: NOW_S - 4000}, now=NOW, calm_s=300) == ()


def test_a_clock_that_was_put_back_keeps_nobody_refused_until_it_has_caught_up() -> None:
    (over,) = refused_access("fraud", standing(KEY), {KEY: NOW_S + 3600}, now=NOW, calm_s=300)
    assert isinstance(over, AccessCalm)
    assert "since" not in over.why
    assert refused_access("fraud", {}, {KEY: NOW_S + 3600}, now=NOW, calm_s=300) == ()


def test_unknown_credentials_are_told_as_what_they_are() -> None:
    (begun,) = refused_access("fraud", {}, {"unknown": NOW_S}, now=NOW, calm_s=300)
    assert "nobody knows" in begun.why


@given(
    st.dictionaries(st.sampled_from("abc"), st.floats(-1000, 1000)),
    st.sets(st.sampled_from("abc")),
    st.floats(1, 500),
)
def test_after_its_facts_there_is_nothing_left_to_say(found: dict[str, float], keys: set[str], calm_s: float) -> None:
    at = {key: NOW_S + ago for key, ago in found.items()}
    stands = standing(*keys)
    for fact in refused_access("fraud", stands, at, now=NOW, calm_s=calm_s):
        if isinstance(fact, AccessRefused):
            stands[fact.key] = fact
        else:
            del stands[fact.key]
    assert refused_access("fraud", stands, at, now=NOW, calm_s=calm_s) == ()
