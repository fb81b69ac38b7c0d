"""The history of a live service: each pane in it once, whatever stops the controller and however the clock runs."""

import weakref
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from msgspec.structs import replace
from tests.monitor.state.frames import a_frame, baseline, rows

from flyball.adapters.prediction_log.pane_states import STATES, PaneStates, Series
from flyball.app.home import Home
from flyball.app.monitor.kept_windows import arm_windows
from flyball.app.wiring.asking import kept_counts
from flyball.app.wiring.asking.kept_counts import kept_series
from flyball.app.wiring.loop.kept_states import KEEP_S, KeptStates
from flyball.core.arms import CHAMPION
from flyball.core.errors import NotFound, Unavailable
from flyball.core.ports import Segment
from flyball.core.service import Psi
from flyball.core.watching import Pane
from flyball.monitor.state.binary import decoded, encoded
from flyball.monitor.state.counting import counted
from flyball.monitor.state.frame import Frame, frame
from flyball.monitor.state.state import State
from flyball.monitor.state.windows import TimedState, total
from flyball.monitor.watch import Promise

FRAME = a_frame()
NOTHING = pl.DataFrame()
OLD = Series(release="r", arm="champion", name=FRAME.digest, without=())  # of before releases were in names


class Dies(BaseException):
    """A crash."""


class DyingStore(PaneStates):
    """A store whose process dies before or after its n-th write."""

    left, after = 0, False

    def record(self, pane: int, buckets, *, forget_before: float | None = None) -> None:  # type: ignore[no-untyped-def]
        self.left -= 1
        if self.left == 0 and not self.after:
            raise Dies
        super().record(pane, buckets, forget_before=forget_before)
        if self.left == 0:
            raise Dies


class AwayStore(PaneStates):
    """A store that cannot be written three times."""

    left = 3

    def record(self, pane: int, buckets, *, forget_before: float | None = None) -> None:  # type: ignore[no-untyped-def]
        if self.left:
            self.left -= 1
            raise Unavailable("no space left")
        super().record(pane, buckets, forget_before=forget_before)


class Log:
    """Sealed segments."""

    def __init__(self, starts: list[float]) -> None:
        self.segments = [
            Segment(
                pane=Pane(service="s", index=index, start=start, end=start + 10),
                predictions=rows(20, seed=index).with_columns(arm=pl.lit("champion"), release=pl.lit("r")),
                shadows=NOTHING,
                labels=NOTHING,
            )
            for index, start in enumerate(starts)
        ]

    def sealed(self, service: str, after: int) -> Iterator[Segment]:
        return (segment for segment in self.segments if segment.pane.index > after)


def _kept_states(log: Log, store: PaneStates, said: list[str]) -> KeptStates:
    return KeptStates(log, store, lambda _: Promise(baseline=baseline()), complain=said.append)


def kept(
    home: Home, service: str, mine: Frame, *, since: float, until: float, arm: str = CHAMPION, release: str = "r"
) -> tuple[list[TimedState], list[str]]:
    """Buckets, and what could not be read."""
    series = kept_series(home, service, release=release, arm=arm)
    assert series is not None
    told = list[str]()
    return list(kept_counts.kept(home, service, series, mine, told.append, since=since, until=until)), told


def _arm_rows(n: int, seed: int, release: str) -> pl.DataFrame:
    return rows(n, seed=seed).with_columns(arm=pl.lit("champion"), release=pl.lit(release))


def _store(home: Home, kind: type[PaneStates] = PaneStates) -> PaneStates:
    return kind(home.telemetry("s") / STATES)


@pytest.mark.parametrize("after", [False, True])
def test_a_controller_that_dies_at_any_write_leaves_a_history_that_the_next_one_completes(
    tmp_path: Path, after: bool
) -> None:
    log = Log([n * 100.0 for n in range(8)])
    whole = counted(FRAME, pl.concat([segment.predictions for segment in log.segments]))
    for write in range(1, 9):
        home = Home(tmp_path / f"{write}-{after}")
        dying = _store(home, DyingStore)
        dying.left, dying.after = write, after  # type: ignore[attr-defined]
        with pytest.raises(Dies):
            list(_kept_states(log, dying, []).sealed("s", -1))
        assert len(list(_kept_states(log, _store(home), []).sealed("s", -1))) == 8  # all are handed on once more
        found, told = kept(home, "s", FRAME, since=0, until=1e9)
        assert (total(found, FRAME), told) == (whole, [])
        assert [bucket.start for bucket in found] == [0.0, 300.0, 600.0]


def test_panes_of_two_workers_overlap_and_no_clock_is_blamed(tmp_path: Path) -> None:
    """Red before: with several workers every second pane was complained about, once a second, for ever."""
    said = list[str]()
    log = Log([1000.0, 1000.9, 1000.1, 1001.9, 1001.2])
    list(_kept_states(log, _store(Home(tmp_path)), said).sealed("s", -1))
    assert said == []


def test_a_worker_that_had_no_processor_for_a_while_is_no_clock(tmp_path: Path) -> None:
    """Red before: under load nine of ten lines that `flyball up` wrote blamed the clock."""
    said = list[str]()
    log = Log([1000.0, 1012.0, 1001.0, 1070.0, 1009.5])
    list(_kept_states(log, _store(Home(tmp_path)), said).sealed("s", -1))
    assert said == []


def test_a_clock_that_runs_backwards_is_told_and_its_pane_counted_at_its_own_time(tmp_path: Path) -> None:
    home, said = Home(tmp_path), list[str]()
    log = Log([1000.0, 1010.0, 400.0])
    list(_kept_states(log, _store(home), said).sealed("s", -1))
    assert [line.split(";")[0] for line in said] == [
        "s: the clock ran backwards: pane 2 began 610.0 s before the one ahead of it"
    ]
    found, _ = kept(home, "s", FRAME, since=300, until=600)
    assert total(found, FRAME) == counted(FRAME, log.segments[2].predictions)


def test_a_clock_that_jumps_ahead_does_not_make_history_forgotten(tmp_path: Path) -> None:
    home = Home(tmp_path)
    list(_kept_states(Log([1000.0, 1e9, 1010.0]), _store(home), []).sealed("s", -1))
    assert [bucket.state.rows > 0 for bucket in kept(home, "s", FRAME, since=0, until=2000)[0]] == [True]


def test_a_damaged_bucket_is_told_and_begun_anew(tmp_path: Path) -> None:
    home, said = Home(tmp_path), list[str]()
    store = _store(home)
    store.record(0, [(OLD, 900.0, 300.0, b"FLYSTATE damaged")])
    assert kept(home, "s", FRAME, since=0, until=1e9)[1]
    list(_kept_states(Log([990.0, 1000.0]), store, said).sealed("s", -1))
    assert "begin anew" in said[0]
    assert kept(home, "s", FRAME, since=0, until=1e9)[1] == []


def test_a_store_that_is_away_for_a_while_holds_nothing_up_and_is_caught_up(tmp_path: Path) -> None:
    home, said = Home(tmp_path), list[str]()
    log = Log([n * 10.0 for n in range(6)])
    store = _store(home, AwayStore)
    assert len(list(_kept_states(log, store, said).sealed("s", -1))) == 6
    assert len(said) == 3
    assert "3 panes wait" in said[-1]
    whole = counted(FRAME, pl.concat([segment.predictions for segment in log.segments]))
    assert total(kept(home, "s", FRAME, since=0, until=1e9)[0], FRAME) == whole
    assert store.mark() == 5


def test_each_arm_is_counted_for_itself_and_what_is_left_out_is_told(tmp_path: Path) -> None:
    home, said = Home(tmp_path), list[str]()
    log = Log([0.0, 10.0])
    mixed = pl.concat(
        [
            rows(30, seed=7).with_columns(arm=pl.lit("champion"), release=pl.lit("r")),
            rows(50, seed=8).with_columns(arm=pl.lit("candidate"), release=pl.lit("c")),
            rows(10, seed=9).with_columns(arm=pl.lit("candidate"), release=pl.lit("gone")),
            rows(10, seed=9).with_columns(arm=pl.lit(None, pl.String), release=pl.lit("r")),
        ]
    )
    log.segments[1] = replace(log.segments[1], predictions=mixed)

    def promised(release: str) -> Promise:
        if release == "gone":
            raise NotFound("there is no release of that root")
        return Promise(baseline=baseline())

    states = KeptStates(log, _store(home), promised, without=("country",), complain=said.append)
    list(states.sealed("s", -1))
    mine = frame(baseline(), ("country",))
    counts = {
        arm: total(kept(home, "s", mine, since=0, until=300, arm=arm, release=release)[0], mine).rows
        for arm, release in (("champion", "r"), ("candidate", "c"))
    }
    wanted = {"champion": counted(mine, pl.concat([log.segments[0].predictions, mixed.head(30)])).rows,
              "candidate": counted(mine, mixed.slice(30, 50)).rows}  # fmt: skip
    assert counts == wanted
    assert said == ["rows of candidate are not in the history of counts: there is no release of that root"]
    series = kept_series(home, "s", release="c", arm="candidate")
    assert series is not None
    assert series.without == ("country",)
    assert kept_series(home, "s", release="gone", arm="candidate") is None
    assert kept_series(home, "s", release="c") is None


def test_releases_of_one_frame_that_share_a_pane_each_keep_all_of_their_rows(tmp_path: Path) -> None:
    home, log = Home(tmp_path), Log([0.0, 10.0])
    mixed = pl.concat([_arm_rows(30, 7, "r1"), _arm_rows(50, 8, "r2")])
    log.segments[0] = replace(log.segments[0], predictions=mixed)
    log.segments[1] = replace(log.segments[1], predictions=_arm_rows(5, 9, "r2"))
    list(_kept_states(log, _store(home), []).sealed("s", -1))
    wanted = {
        "r1": mixed.head(30),
        "r2": pl.concat([mixed.tail(50), log.segments[1].predictions]),
    }
    for release, its in wanted.items():
        assert total(kept(home, "s", FRAME, since=0, until=1e9, release=release)[0], FRAME) == counted(FRAME, its)


def test_buckets_from_before_releases_were_in_names_are_read_and_gone_on_with(tmp_path: Path) -> None:
    home, log = Home(tmp_path), Log([10.0, 320.0])
    store, before = _store(home), counted(FRAME, rows(40, seed=3))
    store.record(-1, [(OLD, 0.0, 300.0, encoded(before))])
    assert total(kept(home, "s", FRAME, since=0, until=1e9)[0], FRAME) == before
    for _ in range(2):  # a restart finds them again
        list(_kept_states(log, store, []).sealed("s", -1))
    whole = before + counted(FRAME, pl.concat([segment.predictions for segment in log.segments]))
    assert total(kept(home, "s", FRAME, since=0, until=1e9)[0], FRAME) == whole


def test_old_buckets_that_may_have_rows_of_two_releases_are_no_ones_from_now_on(tmp_path: Path) -> None:
    home, log = Home(tmp_path), Log([10.0])
    store = _store(home)
    mixed = encoded(counted(FRAME, rows(40, seed=3)))
    store.record(
        -1,
        [
            (OLD, 0.0, 300.0, mixed),
            (Series(release="predecessor", arm="champion", name=OLD.name, without=()), 0.0, 300.0, mixed),
        ],
    )
    list(_kept_states(log, store, []).sealed("s", -1))
    found = total(kept(home, "s", FRAME, since=0, until=1e9)[0], FRAME)
    assert found == counted(FRAME, log.segments[0].predictions)


def test_a_release_whose_counts_were_all_forgotten_is_counted_again_when_it_comes_back(tmp_path: Path) -> None:
    home, step = Home(tmp_path), 80_000.0
    log = Log([n * step for n in range(int(KEEP_S / step) + 3)])
    last = len(log.segments) - 1
    for at in range(1, last + 1):
        its = "r" if at == last else "other"
        log.segments[at] = replace(log.segments[at], predictions=_arm_rows(5, at, its))
    states = _kept_states(log, _store(home), [])
    passing = states.sealed("s", -1)
    for _ in range(last):
        next(passing)
    assert kept_series(home, "s", release="r") is None
    list(passing)
    assert total(kept(home, "s", FRAME, since=0, until=1e9)[0], FRAME).rows > 0


def test_buckets_are_let_go_as_they_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, alive, most = Home(tmp_path), list[weakref.ref[State]](), 0
    data = encoded(counted(FRAME, rows(40, seed=3)))
    _store(home).record(0, [(OLD, n * 300.0, 300.0, data) for n in range(100)])

    def seen(data: bytes, mine: Frame) -> State:
        nonlocal most
        found = decoded(data, mine)
        alive[:] = [*(each for each in alive if each() is not None), weakref.ref(found)]
        most = max(most, len(alive))
        return found

    monkeypatch.setattr(kept_counts, "decoded", seen)
    panes = kept_counts.kept(home, "s", OLD, FRAME, lambda _: None, since=0, until=1e9)
    found = arm_windows("champion", "r", panes, FRAME, at=29_900.0, limits=Psi())
    assert found.windows[3].rows == 100 * counted(FRAME, rows(40, seed=3)).rows
    assert most < 20  # a span of one pane is that pane's state
