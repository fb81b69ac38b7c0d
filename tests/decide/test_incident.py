"""When the supply breaks, and when the broken state has become normal."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Literal

from msgspec.structs import replace
from tests.decide.windows import MONITOR, START, report

from flyball.core.clock import timestamp
from flyball.core.events import IncidentClosed, IncidentOpened
from flyball.core.ids import ServiceName
from flyball.core.watching import QualityFinding, WindowReport
from flyball.decide.accepted import Accepted
from flyball.decide.incident import incident_fact, supply

Kind = Literal["violations", "missing", "was_constant", "now_constant", "far_outside", "columns_mixed"]
OPEN = IncidentOpened(
    service=ServiceName("s"), incident="in-1", kind="data_quality", reason="", features=("a",), row=2000
)


def broken(kind: Kind = "was_constant", feature: str | None = "a") -> QualityFinding:
    return QualityFinding(kind=kind, feature=feature, value=1.0, limit=0.05, detail=f"{feature}: {kind}")


def switched(index: int, versus_last: Mapping[str, float], kind: Kind = "was_constant") -> WindowReport:
    return report(index, psi={"a": 16.0}, quality=[broken(kind)], versus_last=versus_last)


def story(steady_windows: int, kind: Kind = "was_constant") -> list[WindowReport]:
    """Two good windows, the break at 2000, then windows that stay near each other."""
    return [report(0), report(1), switched(2, {"a": 4.0}, kind)] + [
        switched(3 + k, {"a": 0.2}, kind) for k in range(steady_windows)
    ]


def test_the_window_of_the_break_opens_an_incident() -> None:
    fact = incident_fact("s", story(0), MONITOR, running=None)
    assert isinstance(fact, IncidentOpened)
    assert (fact.features, fact.row) == (("a",), 2000)
    assert fact.began == timestamp(datetime.fromtimestamp(START + 2000, UTC)), "when the first row of that window came"


def test_a_window_that_does_not_say_when_it_was_has_no_beginning_to_give() -> None:
    older = [replace(each, start=0.0, end=0.0) for each in story(0)]
    fact = incident_fact("s", older, MONITOR, running=None)
    assert isinstance(fact, IncidentOpened)
    assert fact.began == ""


def test_good_windows_open_nothing() -> None:
    assert incident_fact("s", [report(0), report(1)], MONITOR, running=None) is None


def test_a_running_incident_is_not_opened_again() -> None:
    assert incident_fact("s", story(2), MONITOR, running=OPEN) is None


def test_five_steady_windows_make_it_the_new_normal_and_training_starts_there() -> None:
    assert incident_fact("s", story(4), MONITOR, running=OPEN) is None
    fact = incident_fact("s", story(5), MONITOR, running=OPEN)
    assert isinstance(fact, IncidentClosed)
    assert (fact.how, fact.row) == ("new_normal", 3000)


def test_once_normal_it_does_not_open_again_by_itself() -> None:
    assert incident_fact("s", story(9), MONITOR, running=None) is None
    assert supply(story(9), MONITOR).settled == {"a"}


def test_another_jump_of_a_settled_feature_is_a_new_incident() -> None:
    fact = incident_fact("s", [*story(6), switched(9, {"a": 5.0})], MONITOR, running=None)
    assert isinstance(fact, IncidentOpened)
    assert fact.row == 9000


def test_a_state_that_keeps_jumping_does_not_settle() -> None:
    restless = story(0) + [switched(3 + k, {"a": 3.0}) for k in range(9)]
    assert supply(restless, MONITOR).broken


def test_a_supply_that_is_repaired_recovers_once_nothing_was_found_for_as_long_and_good_rows_begin_there() -> None:
    repaired = [*story(1), *(report(4 + k) for k in range(4))]
    assert incident_fact("s", repaired, MONITOR, running=OPEN) is None
    fact = incident_fact("s", [*repaired, report(8)], MONITOR, running=OPEN)
    assert isinstance(fact, IncidentClosed)
    assert (fact.how, fact.row) == ("recovered", 4000)
    assert fact.over == timestamp(datetime.fromtimestamp(START + 4000, UTC))


def test_rows_that_broke_the_contract_and_keep_it_again_have_recovered() -> None:
    violated = [report(k, quality=[broken("violations", None)]) for k in range(3)]
    fact = incident_fact("s", [*violated, *(report(3 + k) for k in range(5))], MONITOR, running=OPEN)
    assert isinstance(fact, IncidentClosed)
    assert (fact.how, fact.row) == ("recovered", 3000)


def test_what_recovered_is_not_known_when_it_breaks_again() -> None:
    again = [*story(1), *(report(4 + k) for k in range(5)), switched(9, {"a": 0.01})]
    fact = incident_fact("s", again, MONITOR, running=None)
    assert isinstance(fact, IncidentOpened)
    assert fact.row == 9000


def test_a_finding_that_comes_and_goes_becomes_normal_where_it_is_seen_again_and_does_not_recover_between() -> None:
    flickers = [*story(2), report(5), switched(6, {"a": 0.2}), report(7)]
    assert incident_fact("s", flickers, MONITOR, running=OPEN) is None
    fact = incident_fact("s", [*flickers, switched(8, {"a": 0.2})], MONITOR, running=OPEN)
    assert isinstance(fact, IncidentClosed)
    assert (fact.how, fact.row) == ("new_normal", 3000)


def test_rows_that_break_the_contract_are_never_normal() -> None:
    violated = [report(k, quality=[broken("violations", None)]) for k in range(20)]
    assert supply(violated, MONITOR).broken


def test_mixed_columns_and_another_unit_do_not_become_normal_by_lasting() -> None:
    assert supply(story(20, "columns_mixed"), MONITOR).broken
    assert supply(story(20, "far_outside"), MONITOR).broken


def test_a_person_may_declare_it_normal() -> None:
    closed = supply(
        [*story(1, "columns_mixed"), switched(4, {"a": 0.01}, "columns_mixed")],
        MONITOR,
        word=Accepted(row=3999, at=START + 4000),
    )
    assert not closed.broken
    assert closed.settled == {"a"}


def test_an_incident_of_an_earlier_champion_closes_when_the_new_one_sees_steady_windows() -> None:
    windows = [report(20 + k) for k in range(5)]
    fact = incident_fact("s", windows, MONITOR, running=OPEN, moved=True)
    assert isinstance(fact, IncidentClosed)
    assert (fact.how, fact.row) == ("new_normal", 20_000)
    assert "reference" in fact.reason


def test_windows_read_again_through_a_repair_show_a_supply_that_recovered() -> None:
    fact = incident_fact("s", [report(k) for k in range(5)], MONITOR, running=OPEN)
    assert isinstance(fact, IncidentClosed)
    assert (fact.how, fact.row) == ("recovered", 0)


def test_what_a_person_accepted_of_one_rule_hides_no_other() -> None:
    """Red before: rows that break the contract were one share, and another rule was hidden up to twice that."""

    def rules(index: int, **shares: float) -> WindowReport:
        whole = replace(broken("violations", None), value=sum(shares.values()), rules=shares)
        return report(index, quality=[whole])

    known = [rules(k, range=0.3) for k in range(3)]
    word = Accepted(row=2999, at=START + 3000)
    for said, opens in (
        ({"range": 0.35}, False),
        ({"range": 0.3, "type": 0.04}, False),
        ({"range": 0.3, "type": 0.06}, True),
    ):
        found = supply([*known, rules(3, **said)], MONITOR, word=word)
        assert found.broken == opens, said


def test_a_rule_that_was_kept_again_for_a_window_is_accepted_no_more() -> None:
    def rules(index: int, **shares: float) -> WindowReport:
        whole = replace(broken("violations", None), value=sum(shares.values()), rules=shares)
        return report(index, quality=[whole])

    word = Accepted(row=2999, at=START + 3000)
    known = [rules(k, range=0.3, type=0.3) for k in range(3)]
    assert not supply([*known, rules(3, range=0.3, type=0.3)], MONITOR, word=word).broken
    assert not supply([*known, rules(3, type=0.3)], MONITOR, word=word).broken
    assert supply([*known, rules(3, type=0.3), rules(4, range=0.3, type=0.3)], MONITOR, word=word).broken
