"""Which rows without room the chain catches: as many as the champion's own answers allow, all where it stalls."""

from hypothesis import given
from hypothesis import strategies as st
from tests.serving.parts import CANDIDATE, CHAMPION, CONSTANT, PREVIOUS, gateway, routing, row, service

from flyball.core.declared.serving import Overload, Serving
from flyball.core.prediction import Failure
from flyball.serving.resilience.catching import PER_S, RESERVE, Catching
from flyball.serving.resilience.overload import Overloads
from flyball.serving.resilience.retry_budget import repeated

TABLE = routing()
STALLS_S = 0.5  # half of the deadline


def catching(*fallback: object, waiting: int = 100) -> tuple[Catching, Overloads]:
    """Rows wait at the champion since second 0."""
    overloads = Overloads(Overload(), deadline_s=1.0)
    overloads.limit(CHAMPION).begin(waiting, 0.0)
    declared = Serving(fallback=fallback, deadline_ms=1000.0)  # type: ignore[arg-type]
    return Catching(declared, overloads, links=CONSTANT in fallback), overloads


@given(st.lists(st.tuples(st.floats(0, 0.1), st.integers(1, 40)), max_size=200))
def test_while_the_champion_answers_what_is_caught_stays_below_the_reserve_the_rate_and_one_request(
    steps: list[tuple[float, int]],
) -> None:
    found, overloads = catching(CONSTANT)
    now, caught = 0.0, 0
    for pause_s, rows in steps:
        now += pause_s
        overloads.limit(CHAMPION).heard(now)
        would = found.would(TABLE, now)
        by = found.catch(TABLE, rows, now)
        assert (by == "links") == would
        caught += rows if by else 0
        assert caught <= RESERVE + PER_S * now + 40


@given(st.integers(1, 1_000_000))
def test_a_champion_that_stalls_has_all_of_them_caught(rows: int) -> None:
    found, _ = catching(CONSTANT)
    assert [found.catch(TABLE, rows, STALLS_S) for _ in range(3)] == ["links"] * 3


def test_one_answer_in_time_and_it_is_overload_again() -> None:
    found, overloads = catching("previous", CONSTANT)
    assert found.catch(TABLE, 1, STALLS_S) == "chain"
    overloads.limit(CHAMPION).heard(STALLS_S)
    assert found.catch(TABLE, 1, STALLS_S) == "links"
    assert found.catch(TABLE, 1, 2 * STALLS_S) == "chain"


def test_a_burst_after_an_idle_time_is_no_stall() -> None:
    found, overloads = catching("previous", waiting=0)
    overloads.limit(CHAMPION).begin(100, 50.0)
    assert not found.would(TABLE, 50.1)
    assert found.would(TABLE, 50.6)


def test_the_release_before_is_asked_while_it_has_room_of_its_own() -> None:
    found, overloads = catching("previous")
    assert found.catch(TABLE, 1, STALLS_S) == "chain"
    overloads.limit(PREVIOUS).begin(70, 0.0)
    assert found.catch(TABLE, 1, STALLS_S) is None
    assert not found.would(TABLE, STALLS_S)  # so that they are refused unread again
    assert not found.would(routing(previous=None), STALLS_S)
    assert not found.would(routing(previous=CHAMPION), STALLS_S)


def test_nobody_is_asked_who_works_for_others_by_a_chain_that_has_no_link_of_its_own() -> None:
    found, _ = catching("previous")
    assert found.catch(TABLE, 1, 0.1) is None
    assert catching()[0].catch(TABLE, 1, STALLS_S) is None


def test_rows_that_are_caught_cost_no_retries_and_are_nobodys_events() -> None:
    core = gateway(service(idempotent=False))
    core.route(routing(weight=0))
    batch, asks = core.begin([row(), row()], request_id="r", at=[1.0] * 2, shed=True)
    assert (asks, core.stand_ins(batch)) == ([], [])
    batch.caught = "chain"
    core.room = lambda root: root != PREVIOUS
    assert core.stand_ins(batch) == []
    core.room = lambda _: True
    (ask,) = core.stand_ins(batch)  # surely nobody was asked before
    assert (ask.release, repeated(batch, ask)) == (PREVIOUS, 0)
    core.take(batch, ask, Failure(reason="dead"))
    records = core.finish(batch, ended=1.0)
    assert {(each.outcome, each.fallback, each.reason, each.error) for each in records} == {
        ("fallback", "constant", "shed", False)
    }
    counts = core.accounting.counts(core.routing or TABLE)
    assert (counts.champion.requests, counts.champion.errors) == (0, 0)


def test_a_row_of_a_full_candidate_goes_to_a_champion_with_room_and_is_no_exposure() -> None:
    core = gateway()
    core.route(routing(weight=10_000))
    batch, _ = core.begin([row()], request_id="r", at=[1.0])
    batch.turned_away, batch.refusal, batch.caught = frozenset({0}), "priority", "chain"
    (ask,) = core.stand_ins(batch)
    assert ask.release == CHAMPION
    (record,) = core.finish(batch, ended=1.0)
    assert (record.outcome, record.reason, record.release, record.error) == ("fallback", "shed", CANDIDATE, False)
    assert core.accounting.counts(core.routing or TABLE).candidate.requests == 0
