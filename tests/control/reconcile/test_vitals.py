"""From sealed panes to facts of health: how soon, what a restart forgets, and what a look costs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import polars as pl
from msgspec.structs import replace
from tests.control.world import FIRST, NAME, SECOND, entries, first_champion, service

from flyball.control.reconcile.tallies import _tally, refused
from flyball.control.reconcile.vitals import HealthWatch
from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import timestamp
from flyball.core.contract import ServiceLevel
from flyball.core.ledger import Entry
from flyball.core.ports import Segment
from flyball.core.realised import LabelState
from flyball.core.surroundings import Probed, Surroundings
from flyball.core.watching import Pane, WindowReport
from flyball.decide.health import Counted

PANE_S, ROWS = 10.0, 50


def now(seconds: float) -> str:
    return timestamp(datetime.fromtimestamp(seconds, UTC))


def segment(
    end: float,
    *,
    rows: int = ROWS,
    errors: int = 0,
    outcome: str = "answered",
    latency_ms: float = 10.0,
    labels: int = 0,
    release: str = FIRST,
    arm: str = "champion",
    **columns: Any,
) -> Segment:
    """A pane that ends then; the rows with errors are the first ones and got no answer."""
    frame = pl.DataFrame(
        {
            "arm": [arm] * rows,
            "release": [release] * rows,
            "outcome": ["failed"] * errors + [outcome] * (rows - errors),
            "error": [True] * errors + [False] * (rows - errors),
            "latency_ms": [latency_ms] * rows,
            "excluded": [False] * rows,
        }
        | {name: [value] * rows for name, value in columns.items()},
        schema_overrides={"excluded": pl.Boolean, "error": pl.Boolean, "outcome": pl.String, "arm": pl.String},
    )
    pane = Pane(service=NAME, index=round(end / PANE_S), start=end - PANE_S, end=end)
    return Segment(pane=pane, predictions=frame, shadows=pl.DataFrame(), labels=pl.DataFrame({"id": ["i"] * labels}))


@dataclass
class World:
    """A service under watch whose ledger takes what the watch says at once."""

    watch: HealthWatch = field(default_factory=lambda: HealthWatch(service()))
    state: ServiceState = field(default_factory=lambda: ServiceState(service=NAME))
    told: list[e.HealthChanged] = field(default_factory=list)
    reports: tuple[WindowReport, ...] = ()
    at: float = 1_800_000_000.0

    def __post_init__(self) -> None:
        for entry in entries(first_champion()):
            self.state = fold(self.state, entry)

    def pane(self, **what: Any) -> str:
        """One pane on; the state that the ledger has then."""
        self.at += PANE_S
        champion = what.get("release", FIRST)
        self.watch.take(segment(self.at, **what), champion)
        return self.look()

    def look(self, later_s: float = 0.0) -> str:
        self.at += later_s
        for fact in self.watch.look(self.state, now(self.at), self.reports):
            assert isinstance(fact, e.HealthChanged)
            self.told.append(fact)
            self.write(fact)
        return self.state.health.health.state

    def write(self, fact: e.AnyFact) -> None:
        entry = Entry(
            seq=self.state.version + 1, at=now(self.at), type="?", subject=NAME, fact=fact, prev_hash="", hash=""
        )
        self.state = fold(self.state, entry)

    def panes(self, many: int, **what: Any) -> Iterator[str]:
        return (self.pane(**what) for _ in range(many))

    @property
    def called(self) -> str:
        return self.state.health.health.state

    @property
    def signs(self) -> list[str]:
        return [sign.key for sign in self.state.health.health.signs]


def test_a_service_that_fails_wholly_is_unhealthy_with_its_next_pane() -> None:
    world = World()
    assert set(world.panes(30)) == {"HEALTHY"}
    assert world.pane(errors=ROWS) == "UNHEALTHY"
    assert world.signs == ["availability", "errors"]


def test_at_a_row_each_pane_it_takes_a_minute() -> None:
    world = World()
    assert set(world.panes(30, rows=1)) == {"HEALTHY"}
    states = list(world.panes(6, rows=1, errors=1))
    assert (states[0], states[-1]) == ("HEALTHY", "UNHEALTHY")  # one error is no rate


def test_a_quarter_of_an_hour_of_failures_is_failed_and_no_less() -> None:
    world = World()
    list(world.panes(10))
    states = list(world.panes(91, errors=ROWS // 10))
    assert states.index("FAILED") >= 60
    assert states[-1] == "FAILED"
    assert [fact.health.state for fact in world.told] == ["HEALTHY", "UNHEALTHY", "FAILED"]


def test_a_month_of_the_same_is_one_fact() -> None:
    world = World()
    list(world.panes(300, errors=2))  # 4 %: another figure in each span, never another answer
    assert [fact.health.state for fact in world.told] == ["HEALTHY", "UNHEALTHY"]


def test_after_the_repair_the_signs_go_and_the_hour_passes() -> None:
    world = World()
    list(world.panes(10))
    list(world.panes(5, errors=ROWS))
    list(world.panes(60))
    assert world.signs == []
    assert world.called == "UNHEALTHY"
    assert world.look(2 * 3600.0) == "DEGRADING"  # nothing came in two hours
    assert world.signs == ["freshness"]
    assert world.pane() == "DEGRADING"
    list(world.panes(31))
    assert world.called == "HEALTHY"


def test_a_controller_that_starts_anew_goes_on_from_the_ledger() -> None:
    one, other = World(), World()
    for world in (one, other):
        list(world.panes(10))
        list(world.panes(5, errors=ROWS))
    other.watch = HealthWatch(service())
    for index in range(15):  # it is fed the log again
        end = other.at - PANE_S * (14 - index)
        other.watch.take(segment(end, errors=ROWS if index >= 10 else 0), FIRST)
    assert other.look() == "UNHEALTHY"
    for world in (one, other):
        list(world.panes(62))
    assert one.told == other.told
    assert one.state.health == other.state.health


def test_whoever_starts_anew_goes_on_from_the_ledger_with_a_kept_memory_or_with_the_whole_log() -> None:
    world = World()
    began = world.at
    list(world.panes(10))
    list(world.panes(2, errors=ROWS))
    list(world.panes(50))
    kept, whole = HealthWatch(service()), HealthWatch(service())
    kept.recall(world.watch.memory())
    for pane in range(62):
        at = began + (pane + 1) * PANE_S
        whole.take(segment(at, errors=ROWS if pane in (10, 11) else 0), FIRST)
    for _ in range(400):
        world.at += PANE_S
        for watch in (kept, whole):
            watch.take(segment(world.at), FIRST)
        facts = kept.look(world.state, now(world.at), ())
        assert facts == whole.look(world.state, now(world.at), ())
        for fact in facts:
            world.write(fact)
    assert world.called == "HEALTHY"


def test_nothing_is_judged_again_where_nothing_came_and_no_moment_has_passed() -> None:
    looked = []

    def around() -> Surroundings:
        return STILL

    world = World(watch=HealthWatch(service(), around=around))
    list(world.panes(3))
    original = world.watch._look

    def counted(*asked: Any) -> tuple[e.AnyFact, ...]:
        looked.append(asked)
        return original(*asked)

    world.watch._look = counted  # type: ignore[method-assign,assignment]
    for _ in range(100):
        world.look(0.2)
    assert len(looked) <= 2  # what the ledger took, and once for the time that passed
    world.look(3600.0)
    looked.clear()
    for _ in range(100):
        world.look(60.0)
    assert len(looked) <= 3


STILL = Surroundings()


def test_silence_is_a_sign_where_rows_used_to_come_and_unknown_where_none_ever_did() -> None:
    never, used = World(), World()
    assert never.look(7200.0) == "UNKNOWN"
    assert never.told == []
    used.pane()
    assert used.look(600.0) == "HEALTHY"
    assert used.look(600.0) == "DEGRADING"
    assert used.signs == ["freshness"]


def test_p95_is_held_against_the_champions_own_first_rows() -> None:
    world = World()
    list(world.panes(40))
    assert set(world.panes(40, latency_ms=18.0)) == {"HEALTHY"}  # less than twice
    list(world.panes(10, latency_ms=25.0))
    assert world.signs == ["latency"]
    assert world.called == "DEGRADING"


def test_a_quick_service_that_takes_twice_as_long_is_still_quick() -> None:
    world = World()
    list(world.panes(40, latency_ms=0.3))
    assert set(world.panes(40, latency_ms=1.0)) == {"HEALTHY"}


def test_answers_of_others_are_told_though_no_client_notices() -> None:
    world = World()
    list(world.panes(5))
    world.pane(outcome="fallback")
    assert world.signs == ["fallback"]


def test_a_candidate_in_trouble_is_its_rollouts_matter_unless_clients_get_no_answer() -> None:
    world = World()
    list(world.panes(5))
    world.watch.take(segment(world.at + 1, rows=ROWS, arm="candidate", release=SECOND, outcome="fallback"), FIRST)
    world.at += 1
    assert "errors" not in world.signs


def test_testers_do_not_count() -> None:
    world = World()
    world.pane()
    mine = segment(world.at + 1, errors=ROWS)
    world.watch.take(replace(mine, predictions=mine.predictions.with_columns(excluded=pl.lit(value=True))), FIRST)
    world.at += 1
    assert world.look() == "HEALTHY"


def test_another_champion_begins_with_nothing_of_the_one_before() -> None:
    world = World()
    list(world.panes(10, errors=ROWS))
    world.write(e.ChampionAppointed(service=NAME, release=SECOND, previous=FIRST))
    assert world.look() == "UNHEALTHY"  # nobody has seen the new one answer
    list(world.panes(31, release=SECOND))
    assert world.signs == []
    assert world.state.champion == SECOND


def test_labels_that_used_to_come_are_missed() -> None:
    world = World()
    waits = LabelState(new=500, p99_s=300.0)
    world.reports = (WindowReport(index=0, release=FIRST, first_row=0, last_row=9, rows=10, labels=waits),)
    assert set(world.panes(30, labels=20)) == {"HEALTHY"}
    states = list(world.panes(359))
    assert set(states) == {"HEALTHY"}  # less than an hour
    list(world.panes(3))
    assert world.signs == ["labels"]
    list(world.panes(32, labels=1))
    assert world.signs == []


def test_a_day_without_traffic_owes_no_labels() -> None:
    world = World()
    waits = LabelState(new=500, p99_s=300.0)
    world.reports = (WindowReport(index=0, release=FIRST, first_row=0, last_row=9, rows=10, labels=waits),)
    list(world.panes(30, labels=20))
    world.pane(rows=0, labels=20)
    world.look(86_400.0)
    assert world.signs == ["freshness"]


def test_rows_that_are_older_than_the_contract_promises_are_late() -> None:
    level = ServiceLevel(id="latency of t.seen", name="latency", limit=3600.0, column="seen")
    world = World(watch=HealthWatch(service(), levels=[level]))
    fresh = datetime.fromtimestamp(world.at, UTC).replace(tzinfo=None)
    assert world.pane(**{"x.seen": fresh}) == "HEALTHY"
    old = datetime.fromtimestamp(world.at - 9000.0, UTC).replace(tzinfo=None)
    assert world.pane(**{"x.seen": old}) == "DEGRADING"
    assert world.signs == ["freshness/seen"]


def test_probes_are_measured_beside_the_log_and_old_ones_say_nothing() -> None:
    world = World()
    bad = tuple(Probed(endpoint="predict", at=world.at, ok=False, latency_ms=1.0, said="503") for _ in range(3))
    world.watch = HealthWatch(service(), around=lambda: found)
    found = Surroundings(probes=bad)
    assert world.look() == "UNHEALTHY"
    assert world.state.health.health.why == "3 of the last 3 probes of predict failed: 503"
    assert world.look(2 * 3600.0) == "UNHEALTHY"  # nobody has seen since that it answers
    assert world.look(3601.0) == "UNKNOWN"


def test_no_name_of_a_rollout_depends_on_how_often_health_was_told() -> None:
    world = World()
    turn, version = world.state.turn, world.state.version
    list(world.panes(5, errors=ROWS))
    assert world.state.version > version
    assert world.state.turn == turn


def test_rows_that_found_no_room_and_were_answered_hide_no_champion_that_hangs() -> None:
    world = World()
    frame = segment(world.at, rows=100, errors=30, outcome="fallback", reason="shed")
    reasons = ["deadline"] * 30 + ["shed"] * 70
    tally = _tally(frame.predictions.with_columns(pl.Series("reason", reasons)), 0.0, 1.0)
    assert (tally.rows, tally.errors, tally.asked, tally.fallbacks) == (30, 30, 100, 70)


def test_rows_that_the_contract_kept_from_the_model_are_counted_among_all_that_came() -> None:
    frame = segment(World().at, rows=100, errors=0)
    outcomes = ["answered"] * 70 + ["quarantined"] * 10 + ["rejected"] * 20
    tally = _tally(frame.predictions.with_columns(pl.Series("outcome", outcomes)), 0.0, 1.0)
    assert refused([tally, tally]) == Counted(events=60, rows=200)
