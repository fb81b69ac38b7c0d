"""Where the time of a row went: its record tells the wait for the arm, the arm's own time and the whole stay apart."""

from pathlib import Path

from tests.serving.parts import CANDIDATE, CHAMPION, row
from tests.serving.stage import stage, until
from tests.serving.test_faults import HALF, HANGS, MINE, MISSED_MS, SOON_LATE

from flyball.adapters.prediction_log.query import tables


def test_the_wait_for_the_arm_is_told_apart_from_its_own_time(tmp_path: Path) -> None:
    with stage(tmp_path, declared=SOON_LATE) as made:
        made.release(CHAMPION, score=0.8)
        made.release(CANDIDATE, sick=True, score=0.9)
        made.start()
        made.control.apply("half", HALF)
        (quick,) = made.predict(row(card=MINE[0]))
        (hung,) = made.predict(row(card=MINE[0], items=HANGS))
        until(lambda: made.log_counts()["written"] == 2, "both rows are in the log")
        rows = tables(made.home.telemetry("shop"), ("predictions",))["predictions"].collect()
        split = {
            name: (queue, own, stay)
            for name, queue, own, stay in rows.select("id", "queue_ms", "service_ms", "latency_ms").rows()
        }
    queue, own, stay = split[quick["id"]]
    assert queue > 0  # the candidate is a process of its own: a question takes its time to get there
    assert queue + own <= stay
    queue, own, stay = split[hung["id"]]
    assert (own, hung["fallback"]) == (0.0, "previous")
    assert MISSED_MS - 10 < queue <= stay  # until the deadline
