"""What budgets say of a course of traffic: they burn, calm down, are spent and come back."""

import pytest
from msgspec.structs import replace

from flyball.core import events as e
from flyball.core.declared.objectives import Events, Objective, Slo
from flyball.core.ids import ServiceName
from flyball.decide.objectives.budgets import FOREIGN, NOTHING, Budgets
from flyball.decide.objectives.telling import budget_facts

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0
UP = Objective(name="up", sli="availability", target=0.999, window_s=28 * DAY_S)


class Course:
    """One objective under traffic, and the ledger's memory of it."""

    def __init__(self, objective: Objective = UP, *, per_minute: int = 600) -> None:
        self.objective, self.per_minute = objective, per_minute
        self.budgets, self.now = Budgets((objective,), Slo()), 0.0
        self.spent: dict[str, e.BudgetSpent] = {}
        self.burning: dict[str, e.BudgetBurning] = {}
        self.told: list[e.AnyFact] = []

    def minutes(self, minutes: float, *, bad: float = 0.0) -> "Course":
        """So many minutes of traffic with a share of bad events; the ledger is asked after each."""
        for _ in range(round(minutes)):
            lost = round(bad * self.per_minute)
            events = Events(good=float(self.per_minute - lost), total=float(self.per_minute))
            self.budgets.take(self.now, {self.objective.name: events})
            self.now += MINUTE_S
            self.ask()
        return self

    def days(self, days: float, *, bad: float = 0.0) -> "Course":
        """A past that nobody was asked about, ten minutes at a time."""
        for _ in range(round(days * 144)):
            events = Events(good=10 * self.per_minute * (1 - bad), total=10.0 * self.per_minute)
            self.budgets.take(self.now, {self.objective.name: events})
            self.now += 10 * MINUTE_S
        return self

    def ask(self) -> None:
        facts = budget_facts(
            "fraud", self.budgets.standing(self.now), declared=True, spent=self.spent, burning=self.burning
        )
        for fact in facts:
            match fact:
                case e.BudgetSpent(objective=name):
                    self.spent = self.spent | {name: fact}
                case e.BudgetRestored(objective=name):
                    self.spent = {key: value for key, value in self.spent.items() if key != name}
                case e.BudgetBurning(objective=name):
                    self.burning = self.burning | {name: fact}
                case e.BudgetCalm(objective=name):
                    self.burning = {key: value for key, value in self.burning.items() if key != name}
                case _:
                    raise AssertionError(fact)
        self.told += facts

    def types(self) -> list[str]:
        return [type(fact).__name__ for fact in self.told]


def test_an_hour_at_twenty_times_the_budget_pages_and_is_calm_soon_after() -> None:
    course = Course().days(4).minutes(60, bad=0.02)
    (fact,) = (each for each in course.told if isinstance(each, e.BudgetBurning))
    assert (fact.urgency, fact.long_s, fact.short_s, fact.cause) == ("page", HOUR_S, 300.0, "budget/up")
    assert fact.rate > fact.limit == pytest.approx(14.4)
    course.minutes(7)
    assert course.types()[-1] == "BudgetCalm", "the short window ends it, while the long one still remembers"


@pytest.mark.parametrize(
    ("hours", "times", "found"),
    [
        (1, 14.3, None),
        (1, 14.5, ("page", 14.4, 3600.0, 300.0)),
        (6, 5.9, None),
        (6, 6.1, ("page", 6.0, 21_600.0, 1800.0)),
        (24, 2.9, None),
        (24, 3.1, ("ticket", 3.0, 86_400.0, 7200.0)),
        (72, 0.95, None),
        (72, 1.05, ("ticket", 1.0, 259_200.0, 21_600.0)),
    ],
)
def test_each_pair_of_windows_has_its_burn_rate_and_its_urgency(
    hours: float, times: float, found: tuple[str, float, float, float] | None
) -> None:
    """After days of peace, so many times the budget for as long as the long window: no other pair holds so soon."""
    course = Course(per_minute=20_000).days(4).days(hours / 24, bad=times / 1000).minutes(1, bad=times / 1000)
    (standing,) = course.budgets.standing(course.now)
    told = standing.burning
    assert (told and (told.urgency, round(told.limit, 9), told.long_s, told.short_s)) == found


def test_a_burst_that_is_over_before_the_long_window_notices_pages_nobody() -> None:
    assert Course().days(4).minutes(1, bad=0.3).minutes(30).told == []


def test_a_long_steady_burn_is_a_ticket_and_not_a_page() -> None:
    course = Course(per_minute=2_000).days(4).days(0.9, bad=0.004).minutes(200, bad=0.004)
    urgencies = {fact.urgency for fact in course.told if isinstance(fact, e.BudgetBurning)}
    assert urgencies == {"ticket"}


def test_a_ticket_that_turns_into_an_outage_pages_at_once() -> None:
    course = Course(per_minute=2_000).days(4).days(1, bad=0.004).minutes(1, bad=0.004)
    course.minutes(60, bad=0.5)
    assert [fact.urgency for fact in course.told if isinstance(fact, e.BudgetBurning)] == ["ticket", "page"]


def test_one_error_at_little_traffic_pages_nobody_and_neither_do_four_in_six_hours() -> None:
    quiet = Course(per_minute=1).days(4)
    quiet.minutes(1, bad=1.0).minutes(60)
    assert quiet.told == []
    for _ in range(3):
        quiet.minutes(1, bad=1.0).minutes(20)
    assert quiet.told == []


def test_the_fifth_error_at_little_traffic_pages_and_an_end_of_errors_ends_it() -> None:
    quiet = Course(per_minute=1).days(4)
    for _ in range(5):
        quiet.minutes(1, bad=1.0).minutes(10)
    (fact,) = quiet.told
    assert isinstance(fact, e.BudgetBurning)
    assert fact.low_traffic
    assert "5 of only" in fact.why
    quiet.minutes(40)
    assert quiet.types()[-1] == "BudgetCalm"


def test_a_budget_is_spent_once_and_restored_when_old_errors_have_left_the_window() -> None:
    day = replace(UP, window_s=DAY_S)
    course = Course(day).days(1).minutes(6, bad=0.5)
    spent = [fact for fact in course.told if isinstance(fact, e.BudgetSpent)]
    assert len(spent) == 1
    assert spent[0].left <= 0
    course.days(20 / 24).ask()
    assert "BudgetRestored" not in course.types()
    course.days(6 / 24).ask()
    assert [kind for kind in course.types() if kind in ("BudgetSpent", "BudgetRestored")] == [
        "BudgetSpent",
        "BudgetRestored",
    ]


def test_a_brink_does_not_fill_the_ledger() -> None:
    course = Course(replace(UP, window_s=DAY_S)).days(1)
    for _ in range(200):  # one bad event in a thousand, for hours: the budget hovers around nothing
        course.minutes(4).minutes(1, bad=1 / 600 * 3)
    assert len(course.told) <= 4


def test_a_foreign_objective_is_unknown_with_its_reason_and_never_full() -> None:
    foreign = Objective(name="theirs", sli="query", target=0.9, good="a", total="b", window_s=DAY_S)
    found = Budgets((foreign, UP), Slo()).standing(0.0)
    assert [(each.left, each.unknown) for each in found] == [(None, FOREIGN), (None, NOTHING)]


def test_what_is_no_objective_any_more_is_taken_off_the_ledger_and_nobody_looking_changes_nothing() -> None:
    course = Course().days(4).minutes(60, bad=0.9)
    assert course.spent
    assert course.burning
    facts = budget_facts("fraud", (), declared=False, spent=course.spent, burning=course.burning)
    assert sorted(type(fact).__name__ for fact in facts) == ["BudgetCalm", "BudgetRestored"]
    assert all(fact.service == ServiceName("fraud") for fact in facts)


@pytest.mark.parametrize(
    ("method", "slice_target", "good"),
    [("Timeslices", 0.99, 8.0), ("RatioTimeslices", None, 9.0)],
)
def test_slices_are_good_as_a_whole_or_in_part(method: str, slice_target: float | None, good: float) -> None:
    sliced = replace(UP, method=method, slice_s=300.0, slice_target=slice_target)
    course = Course(sliced, per_minute=100)
    course.minutes(20).minutes(10, bad=0.5).minutes(21)  # ten whole slices, and one that runs
    (found,) = course.budgets.standing(course.now)
    assert (found.events.good, found.events.total) == (good, 10.0)


def test_the_first_seconds_of_a_service_spend_no_budget_and_its_first_hour_may() -> None:
    cold = Course(replace(UP, sli="latency", target=0.99, limit_ms=100.0), per_minute=12_000).minutes(1, bad=0.05)
    (standing,) = cold.budgets.standing(cold.now)
    assert standing.left is not None
    assert standing.left < 0
    assert standing.early_s == HOUR_S - MINUTE_S
    cold.minutes(70)
    assert "BudgetSpent" not in cold.types(), "an hour of traffic has made up for it"
    bad = Course(replace(UP, sli="latency", target=0.99, limit_ms=100.0), per_minute=12_000).minutes(59, bad=0.05)
    assert "BudgetSpent" not in bad.types()
    assert bad.minutes(2, bad=0.05).types().count("BudgetSpent") == 1


def test_what_burns_is_told_in_the_first_hour_too() -> None:
    course = Course().minutes(10, bad=0.3)
    assert course.types() == ["BudgetBurning"]
