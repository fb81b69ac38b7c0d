"""Laws of the judge: the worst sign wins, worse input never helps, and between two limits nothing moves."""

from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from tests.decide.health.material import ILL, SERVICE, VITALS, drift, lost, probes, well

from flyball.core.clock import moment, timestamp
from flyball.core.estimating import ConceptTrend
from flyball.core.health import Health, HealthState, gravest_of
from flyball.core.release import Estimate
from flyball.decide.health import Counted, Judging, Latency, Trend, Vitals, due, judge, readings, resumed, same
from flyball.decide.health.reading import RANK

RULES = SERVICE.monitor.health
START = moment("2026-11-27T00:00:00.000000Z")
BADNESS: dict[HealthState, int] = {"HEALTHY": 0, "UNKNOWN": 1, "DEGRADING": 2, "UNHEALTHY": 3, "FAILED": 4}
STEPS = st.lists(st.tuples(VITALS, st.floats(1, 2000)), max_size=6)


def at(seconds: float) -> str:
    return timestamp(START + timedelta(seconds=seconds))


def judged(vitals: Vitals, before: Judging | None = None, seconds: float = 0.0) -> Judging:
    return judge(readings(vitals, SERVICE), RULES, before or Judging(), at(seconds))


def after(steps: list[tuple[Vitals, float]]) -> tuple[Judging, float]:
    judging, now = Judging(), 0.0
    for vitals, passed_s in steps:
        now += passed_s
        judging = judged(vitals, judging, now)
    return judging, now


@pytest.mark.parametrize("name", ILL)
def test_every_ailment_is_called_what_it_should_be(name: str) -> None:
    state, vitals = ILL[name]
    found = judged(vitals).health
    assert found.state == state
    assert len(found.signs) == 1
    assert found.why == found.signs[0].why
    assert f"better: {found.signs[0].clears}" in found.would_change


@given(VITALS)
def test_no_sign_is_graver_than_its_kind_ever_is(vitals: Vitals) -> None:
    for reading in readings(vitals, SERVICE).found:
        gravest = RANK[gravest_of(reading.key)]
        assert max(RANK[reading.severity], RANK[reading.holds]) <= gravest


def test_every_state_has_an_input_that_reaches_it() -> None:
    reached = {judged(vitals).health.state for _, vitals in ILL.values()}
    reached |= {judged(well()).health.state, judged(Vitals()).health.state}
    assert reached == set(BADNESS)


def test_what_nobody_measured_is_unknown_and_never_healthy() -> None:
    assert judged(Vitals()).health.state == "UNKNOWN"
    assert judged(Vitals(windows=9)).health.state == "UNKNOWN"
    assert judged(well(champion=False)).health.why == "it has no champion"
    ill = judged(well(errors=Counted(events=150, rows=300)))
    assert judged(Vitals(), ill, 3000.0).health.signs == ill.health.signs  # nobody has seen that it is over
    assert judged(Vitals(), judged(Vitals(), ill, 3000.0), 7000.0).health.state == "UNKNOWN"


def test_probes_alone_tell_that_a_service_without_traffic_answers() -> None:
    assert judged(Vitals(around=probes(True))).health.state == "HEALTHY"


@settings(max_examples=40)
@given(STEPS, VITALS)
def test_asked_twice_it_answers_the_same(steps: list[tuple[Vitals, float]], vitals: Vitals) -> None:
    before, now = after(steps)
    assert judged(vitals, before, now + 9) == judged(vitals, before, now + 9)


@settings(max_examples=40)
@given(STEPS, VITALS)
def test_judging_again_at_once_changes_nothing(steps: list[tuple[Vitals, float]], vitals: Vitals) -> None:
    before, now = after(steps)
    once = judged(vitals, before, now + 9)
    assert judged(vitals, once, now + 9) == once


@settings(max_examples=40)
@given(STEPS, VITALS, st.data())
def test_worse_input_never_gives_a_better_state(
    steps: list[tuple[Vitals, float]], vitals: Vitals, data: st.DataObject
) -> None:
    before, now = after(steps)

    def more(found: Counted | None) -> Counted | None:
        return found and Counted(events=data.draw(st.integers(found.events, found.rows)), rows=found.rows)

    worse = replace(
        vitals,
        errors=more(vitals.errors),
        failing=tuple(more(part) or part for part in vitals.failing),
        unanswered=more(vitals.unanswered),
        fallbacks=more(vitals.fallbacks),
        latency=vitals.latency and replace(vitals.latency, beyond=more(vitals.latency.beyond) or vitals.latency.beyond),
        loss=vitals.loss and lost(vitals.loss.estimate.value + data.draw(st.floats(0, 0.1)), 0.0),
        signals=tuple(replace(signal, level="act", consecutive=9) for signal in vitals.signals),
        incident=vitals.incident or data.draw(st.sampled_from([None, "broken"])),
        around=replace(
            vitals.around,
            probes=tuple(replace(probe, ok=probe.ok and data.draw(st.booleans())) for probe in vitals.around.probes),
            disk_free=vitals.around.disk_free and data.draw(st.floats(0, vitals.around.disk_free)),
        ),
    )
    if vitals.loss is not None:
        worse = (
            replace(worse, loss=lost(worse.loss.estimate.value, vitals.loss.estimate.high - vitals.loss.estimate.value))
            if worse.loss
            else worse
        )
    here, there = judged(vitals, before, now + 9).health.state, judged(worse, before, now + 9).health.state
    assert BADNESS[there] >= BADNESS[here]


@settings(max_examples=40)
@given(STEPS)
def test_the_state_is_that_of_the_worst_sign_or_of_the_hour_after_it(steps: list[tuple[Vitals, float]]) -> None:
    judging, now = after(steps)
    severities = [sign.severity for sign in judging.health.signs]
    held = judging.critical_at and (moment(at(now)) - moment(judging.critical_at)).total_seconds() < RULES.critical_s
    if "failed" in severities:
        assert judging.health.state == "FAILED"
    elif "critical" in severities or held:
        assert judging.health.state == "UNHEALTHY"
    elif severities:
        assert judging.health.state == "DEGRADING"
    else:
        assert judging.health.state in ("HEALTHY", "UNKNOWN")


@settings(max_examples=40)
@given(st.lists(st.floats(0.81, 0.999), min_size=2, max_size=30), st.booleans())
def test_between_the_two_limits_nothing_moves(shares: list[float], stands: bool) -> None:
    before = judged(well(fallbacks=Counted(events=100, rows=300))) if stands else judged(well())
    found, now = [before], 0.0
    for share in shares:
        now += 400.0  # longer than a sign has to be gone
        events = round(share * RULES.fallback * 100_000)
        found.append(judged(well(fallbacks=Counted(events=events, rows=100_000)), found[-1], now))
    assert all(same(one.health, other.health) for one, other in pairwise(found))


@settings(max_examples=40)
@given(st.lists(st.booleans(), min_size=1, max_size=200))
def test_what_comes_and_goes_faster_than_a_sign_ends_is_one_sign(there: list[bool]) -> None:
    judging, changes = judged(well(signals=(drift(0.4),))), 0
    for index, again in enumerate(there):
        vitals = well(signals=(drift(0.4),)) if again or index % 9 == 0 else well()
        following = judged(vitals, judging, (index + 1) * 30.0)
        changes += not same(judging.health, following.health)
        judging = following
    assert changes == 0


def test_a_sign_that_is_gone_long_enough_is_dropped_and_no_sooner() -> None:
    ill = judged(well(signals=(drift(0.4),)))
    going = judged(well(), ill, 10.0)
    assert going.gone == {"drift/amount": at(10.0)}
    assert due(going, RULES) == at(10.0 + RULES.clear_s)
    assert judged(well(), going, 10.0 + RULES.clear_s - 1).health.signs == ill.health.signs
    assert judged(well(), going, 10.0 + RULES.clear_s).health.state == "HEALTHY"


def test_an_hour_after_a_critical_sign_it_is_not_well_yet() -> None:
    ill = judged(well(errors=Counted(events=150, rows=300)))
    going = judged(well(), ill, 60.0)
    better = judged(well(), going, 60.0 + RULES.clear_s)
    assert (better.health.state, better.health.signs) == ("UNHEALTHY", ())
    assert better.health.why == f"there was a critical sign until {at(0)}"
    assert better.health.would_change[0] == f"better: no critical sign until {at(RULES.critical_s)}"
    assert judged(well(), better, RULES.critical_s).health.state == "HEALTHY"


@pytest.mark.parametrize(("seconds", "state"), [(3599.0, "UNHEALTHY"), (3600.0, "HEALTHY")])
def test_the_hour_after_a_critical_sign_is_an_hour_to_the_second(seconds: float, state: str) -> None:
    gone = judged(well(), judged(well(), judged(well(errors=Counted(events=150, rows=300))), 60.0), 600.0)
    assert (gone.health.signs, due(gone, RULES)) == ((), at(3600.0))
    assert judged(well(), gone, seconds).health.state == state


@pytest.mark.parametrize(("lost_in_a_week", "signs"), [(0.029, []), (0.031, [("trend", 0.03)])])
def test_a_trend_warns_from_three_points_in_seven_days(lost_in_a_week: float, signs: list[tuple[str, float]]) -> None:
    a_day = lost_in_a_week / 7
    slope = Estimate(value=a_day, low=a_day, high=a_day, n=40)  # so sure that the limit alone decides
    told = ConceptTrend(verdict="DRIFT", reason="it falls", windows=40, slope=slope)
    found = judged(well(trend=Trend(told=told, base=None))).health
    assert [(sign.kind, sign.limit) for sign in found.signs] == signs
    assert found.state == ("DEGRADING" if signs else "HEALTHY")


def test_a_failed_service_that_fails_less_is_unhealthy_and_not_well() -> None:
    _, failed = ILL["all fail for a quarter of an hour"]
    before = judged(failed)
    assert judged(well(errors=Counted(events=135, rows=3000)), before, 60.0).health.state == "FAILED"  # 4.5 %
    less = judged(well(errors=Counted(events=60, rows=3000)), before, 60.0)  # 2 %
    assert less.health.state == "UNHEALTHY"
    assert less.health.signs[0].since == before.health.signs[0].since


def test_a_quarter_of_an_hour_with_one_quiet_part_is_not_failed() -> None:
    bad, quiet = Counted(events=300, rows=300), Counted(events=0, rows=300)
    assert judged(well(errors=bad, failing=(bad, quiet, bad))).health.state == "UNHEALTHY"
    assert judged(well(errors=bad, failing=(Counted(events=0, rows=0), bad, bad))).health.state == "UNHEALTHY"


def test_one_error_in_twenty_rows_is_no_rate() -> None:
    assert judged(well(errors=Counted(events=1, rows=20))).health.state == "HEALTHY"


def test_a_noisy_window_of_drift_is_none_and_a_standing_sign_lasts_until_below_warn() -> None:
    assert judged(well(signals=(drift(0.4, consecutive=1),))).health.state == "HEALTHY"
    ill = judged(well(signals=(drift(0.4),)))
    assert not judged(well(signals=(drift(0.15, consecutive=1),)), ill, 5000.0).gone


def test_an_unsure_loss_is_none() -> None:
    wide = lost(0.06, half=0.03)
    assert judged(well(loss=wide)).health.state == "HEALTHY"
    assert judged(well(loss=wide), judged(well(loss=lost(0.08))), 60.0).gone == {}


def test_what_a_clock_ahead_has_written_holds_no_longer_than_what_is_written_now() -> None:
    years = 4 * 365 * 86_400.0
    ill = judged(ILL["half of the rows fail"][1], seconds=years)
    back = judged(well(), ill, 0.0)
    gone = judged(well(), back, RULES.clear_s)
    assert (back.health.state, gone.health.signs) == ("UNHEALTHY", ())
    assert judged(well(), gone, RULES.clear_s + RULES.critical_s).health.state == "HEALTHY"


def test_what_the_ledger_says_is_where_it_goes_on() -> None:
    ill = judged(well(errors=Counted(events=150, rows=300)))
    again = resumed(ill.health, at(0), Judging())
    assert again == Judging(health=ill.health, critical_at=at(0))
    (stands,), (told,) = judged(well(), again, 60.0).health.signs, ill.health.signs
    assert (stands.key, stands.severity, stands.since) == (told.key, told.severity, told.since)
    assert resumed(ill.health, at(0), ill) is ill
    assert same(Health(), Health(why="other words"))


@pytest.mark.parametrize(
    ("refused", "rows", "felt"),
    [(0, 2000, False), (99, 2000, False), (110, 2000, False), (200, 2000, True), (4, 20, False)],
)
@pytest.mark.parametrize("why", ["12 of 400 rows break the data contract", "amount: 12 % are missing"])
def test_clients_feel_broken_data_by_how_many_of_their_rows_get_no_answer_of_the_model_whatever_broke(
    why: str, refused: int, rows: int, felt: bool
) -> None:
    (sign,) = judged(well(incident=why, refused=Counted(events=refused, rows=rows))).health.signs
    assert (sign.key, sign.severity, sign.felt) == ("data_quality", "critical", felt)
    assert (f"{refused} of {rows} rows" in sign.why) == felt
    assert not judged(well(refused=Counted(events=refused, rows=rows))).health.signs, (
        "without a finding there is no sign"
    )


@pytest.mark.parametrize(("slower", "sign"), [(200, False), (400, True)])
def test_a_p95_beyond_twice_the_baseline_is_more_than_a_twentieth_of_the_rows_beyond_it(
    slower: int, sign: bool
) -> None:
    """Of 5,000 rows: 8 % are surely more than 5 %, 4 % are not; by a p90 neither would be."""
    seen = Latency(baseline_ms=50.0, beyond=Counted(events=slower, rows=5000), p95_ms=120.0)
    assert ("latency" in {each.kind for each in judged(well(latency=seen)).health.signs}) is sign
