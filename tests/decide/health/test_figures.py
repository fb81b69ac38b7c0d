"""A sign says when its figures were measured: newest ones while it is well again, old ones only as such."""

from datetime import timedelta

from msgspec.structs import replace
from tests.decide.health.material import SERVICE, well

from flyball.core.clock import moment, timestamp
from flyball.core.health import Sign
from flyball.decide.health import Counted, Judging, Vitals, judge, readings, resumed

RULES = SERVICE.monitor.health
BEGIN = "2026-11-27T10:00:00.000000Z"
BROKEN = well(errors=Counted(events=150, rows=300))
UNSEEN = well(errors=None, unanswered=None, fallbacks=None)


def later(seconds: float) -> str:
    return timestamp(moment(BEGIN) + timedelta(seconds=seconds))


def judged(vitals: Vitals, before: Judging, at_s: float) -> Judging:
    return judge(readings(vitals, SERVICE), RULES, before, later(at_s))


def errors(judging: Judging) -> Sign:
    (found,) = [sign for sign in judging.health.signs if sign.kind == "errors"]
    return found


def test_the_figures_are_of_the_newest_measure_and_say_when_it_was_taken() -> None:
    first = judged(BROKEN, Judging(), 0)
    assert errors(first).as_of == BEGIN
    second = judged(well(errors=Counted(events=270, rows=300)), first, 60)
    assert (errors(second).why[:14], errors(second).value) == ("270 of 300 row", 0.9)
    assert (errors(second).since, errors(second).as_of) == (BEGIN, later(60))


def test_a_sign_that_waits_to_be_dropped_has_the_figures_that_are_well_and_says_since_when() -> None:
    first = judged(BROKEN, Judging(), 0)
    second = judged(well(), judged(well(), first, 60), 120)
    assert errors(second).why.startswith("1 of 2000 rows")
    assert f"well below its limit since {later(60)}" in errors(second).why
    assert (errors(second).severity, errors(second).as_of) == ("critical", later(120))


def test_figures_that_nobody_took_since_are_told_as_old_ones() -> None:
    """After a start the ledger's sign stands until there are rows to judge it by."""
    first = judged(BROKEN, Judging(), 0)
    anew = resumed(first.health, BEGIN, Judging())
    second = judged(UNSEEN, judged(UNSEEN, anew, 600), 660)
    assert errors(second).as_of == BEGIN
    assert errors(second).why == errors(first).why
    assert second.health.why == f"{errors(first).why}, measured at {BEGIN} and not since"
    written_before = replace(errors(first), as_of="")  # by a controller that did not say
    older = resumed(replace(first.health, signs=(written_before,)), BEGIN, Judging())
    assert judged(UNSEEN, older, 600).health.why == f"{errors(first).why}, not measured now"
