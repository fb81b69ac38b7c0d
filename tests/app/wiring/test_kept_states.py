"""The history of a live service: each pane in it once, whatever stops the controller and however the clock runs."""

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from msgspec.structs import replace
from tests.monitor.state.frames import a_frame, baseline, rows

from flyball.adapters.prediction_log.pane_states import STATES, PaneStates
from flyball.app.home import Home
from flyball.app.wiring.loop.kept_states import KeptStates, kept, not_counted
from flyball.core.errors import NotFound, Unavailable
from flyball.core.ports import Segment
from flyball.core.watching import Pane
from flyball.monitor.state.counting import counted
from flyball.monitor.state.frame import frame
from flyball.monitor.state.windows import total
from flyball.monitor.watch import Promise

FRAME = a_frame()
NOTHING = pl.DataFrame()


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
    store.record(0, [(FRAME.digest, 900.0, 300.0, b"FLYSTATE damaged")])
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
        arm: total(kept(home, "s", mine, since=0, until=300, arm=arm)[0], mine).rows
        for arm in ("champion", "candidate")
    }
    wanted = {"champion": counted(mine, pl.concat([log.segments[0].predictions, mixed.head(30)])).rows,
              "candidate": counted(mine, mixed.slice(30, 50)).rows}  # fmt: skip
    assert counts == wanted
    assert said == ["rows of candidate are not in the history of counts: there is no release of that root"]
    assert not_counted(home, "s", release="c", arm="candidate") == ("country",)
    assert not_counted(home, "s", release="gone", arm="candidate") is None
    assert not_counted(home, "s", release="c") is None
