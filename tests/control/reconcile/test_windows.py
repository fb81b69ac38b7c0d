"""Windows that are let go leave their folds behind: what is decided is the same as if all of them were still there."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flyball.control.reconcile import TelemetrySensor
from flyball.control.reconcile.windows import Windows
from flyball.control.state.service_state import ServiceState
from flyball.core.metric_evidence import MetricEvidence, MetricTrial
from flyball.core.ports import Segment
from flyball.core.service import Data, Experiment, Metadata, Monitor, Service
from flyball.core.watching import Pane, QualityFinding, Signal, WindowReport
from flyball.decide.accepted import Accepted
from flyball.decide.incident import supply
from flyball.decide.triggers import streaks

MONITOR, ROWS = Monitor(), 100
FINDINGS = st.lists(st.sampled_from(["a", "b"]), max_size=2, unique=True)
WORDS = st.builds(Accepted, row=st.integers(0, 2500), at=st.floats(0.0, 2500.0))
SIGNALS = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.booleans(), st.integers(1, 4)), max_size=2)


def report(index: int, broken: list[str], moved: list[tuple[str, bool, int]]) -> WindowReport:
    first, last = index * ROWS, index * ROWS + ROWS - 1
    signals = tuple(
        Signal(
            signal="psi",
            level="act" if act else "warn",
            value=0.5,
            limit=0.25,
            release="r",
            window=index,
            first_row=first,
            last_row=last,
            feature=feature,
            consecutive=consecutive,
        )
        for feature, act, consecutive in {each[0]: each for each in moved}.values()
    )
    quality = tuple(QualityFinding(kind="missing", value=0.5, limit=0.1, detail="d", feature=name) for name in broken)
    return WindowReport(
        index=index,
        release="r",
        first_row=first,
        last_row=last,
        rows=ROWS,
        signals=signals,
        quality=quality,
        start=float(first),
        end=float(last + 1),
    )


@given(st.lists(st.tuples(FINDINGS, SIGNALS), max_size=25), st.integers(1, 8), st.none() | WORDS)
def test_the_folds_go_on_where_the_windows_are_gone(
    told: list[tuple[list[str], list[tuple[str, bool, int]]]], kept: int, word: Accepted | None
) -> None:
    reports = [report(index, *each) for index, each in enumerate(told)]
    windows = Windows(MONITOR, kept=kept)
    for each in reports:
        windows.add([each], word=word)
    assert windows.reports == reports[-kept:]
    assert windows.taken == len(reports)
    now = supply(windows.reports, MONITOR, word=word, after=windows.supply_before)
    assert now == supply(reports, MONITOR, word=word)
    consecutive = MONITOR.psi.consecutive
    assert streaks(windows.reports, consecutive, after=windows.streaks_before) == streaks(reports, consecutive)


class Counting:
    """A monitor that closes a window with each pane, and counts how often it is asked for labelled rows."""

    def __init__(self) -> None:
        self.asked = 0

    def feed(self, segment: Segment, *, champion: str) -> list[WindowReport]:
        return [report(segment.pane.index, ["a"], [])]

    def matured_rows(self, _: int) -> int:
        self.asked += 1
        return self.asked

    def compare(self, trial: MetricTrial | None) -> None:
        assert trial is None

    def arm_metrics(self) -> tuple[MetricEvidence, ...]:
        return ()


class Sealed:
    def __init__(self) -> None:
        self.panes = 1

    def sealed(self, service: str, after: int) -> list[Segment]:
        import polars as pl

        empty = pl.DataFrame()
        return [
            Segment(
                pane=Pane(service=service, index=n, start=0.0, end=1.0), predictions=empty, shadows=empty, labels=empty
            )
            for n in range(after + 1, self.panes)
        ]


def test_a_look_that_finds_nothing_new_counts_and_folds_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(
        apiVersion="flyball/v1",
        kind="Service",
        metadata=Metadata(name="s", owner="o"),
        data=Data(contract="c.yaml", source="d.parquet", label="y"),
        experiment=Experiment(task="binary", metric="roc_auc"),
    )
    watching: Any = Counting()
    telemetry, folded = Sealed(), list[int]()
    sensor = TelemetrySensor(service, telemetry, watching)
    monkeypatch.setattr(sensor, "_wish", _noting(sensor._wish, folded))
    state = ServiceState(service="s", champion="r")
    first = sensor.look(state, "2026-11-26T00:00:00.000000Z")
    assert [sensor.look(state, f"2026-11-26T00:00:0{n}.000000Z") for n in range(1, 5)] == [first] * 4
    assert (watching.asked, len(folded)) == (1, 1)
    telemetry.panes = 3
    assert sensor.look(state, "2026-11-26T00:01:00.000000Z") != first
    other = ServiceState(service="s", champion="r", version=7)  # the ledger has something new
    sensor.look(other, "2026-11-26T00:02:00.000000Z")
    assert (watching.asked, len(folded)) == (2, 3)


def _noting(asked: Any, noted: list[int]) -> Any:
    def also(*words: Any) -> Any:
        noted.append(1)
        return asked(*words)

    return also
