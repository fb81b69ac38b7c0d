"""A disk that is full under a running gateway: answers go on, drops are counted to the row, the controller hears it."""

import resource
from pathlib import Path

from tests.serving.parts import CHAMPION, routing, row
from tests.serving.stage import stage, until

from flyball.adapters.prediction_log.segments import Segments
from flyball.core.events import SignalCleared, SignalRaised
from flyball.decide.lost_records import LostRecords

UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def test_a_full_disk_costs_records_that_are_counted_and_told_and_never_an_answer(tmp_path: Path) -> None:
    with stage(tmp_path) as made:
        made.release(CHAMPION)
        made.start()
        made.control.apply("first", routing(previous=None, candidate=None, rollout=None, guardrails=None, step=None))
        losses, after = LostRecords(), -1

        def looked(*, standing: bool) -> SignalRaised | SignalCleared | None:
            """As the controller does at each tick."""
            nonlocal after
            for segment in Segments(made.home.telemetry("shop").parent).sealed("shop", after):
                losses.pane(segment.pane)
                after = segment.pane.index
            counts = made.control.observe("shop").counts
            assert counts is not None
            losses.counted(counts.dropped)
            return losses.fact("shop", CHAMPION, standing=standing)

        made.predict(*(row(card=f"c{i}") for i in range(10)))
        until(lambda: made.log_counts()["written"] == 10, "ten rows are in the log")
        assert looked(standing=False) is None
        resource.prlimit(made.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))  # no file takes a byte more
        for i in range(30):
            assert made.predict(row(card=f"c{i}"))[0]["prediction"] == 1
        until(lambda: made.log_counts()["dropped"] == 30, "thirty rows are counted as dropped")
        raised = looked(standing=False)
        assert isinstance(raised, SignalRaised)
        assert raised.signal.value == 30
        resource.prlimit(made.pid, resource.RLIMIT_FSIZE, UNLIMITED)
        rows = 0

        def cleared() -> bool:
            nonlocal rows
            made.predict(row())
            rows += 1
            return isinstance(looked(standing=True), SignalCleared)

        until(cleared, "whole panes end the signal")
        assert made.end() == 0
        panes = [segment.pane for segment in Segments(made.home.telemetry("shop").parent).sealed("shop", -1)]
        assert sum(pane.received for pane in panes) == 10 + 30 + rows
        assert sum(pane.dropped for pane in panes) == 30
        assert sum(pane.written for pane in panes) == 10 + rows
