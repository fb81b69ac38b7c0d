"""Columns taken together, from the baseline that a training makes to the report of a window."""

import math

import msgspec
import numpy as np
import polars as pl
from msgspec.structs import replace
from tests.monitor.streams import Stream

from flyball.core.release import Baseline
from flyball.core.service import Detector
from flyball.monitor.joint import closed, log10_e, opened, signals, taken
from flyball.monitor.windows import Span
from flyball.pipeline.baseline import reference, together

DECLARED = Detector()
SPAN = Span(release="r", index=0, first_row=0, last_row=999, start=0.0, end=1.0)


def table(seed: int, rows: int, turn: float = 0.0) -> pl.DataFrame:
    a, b = np.random.default_rng(seed).normal(size=(2, rows))
    return pl.DataFrame({"a": a, "b": turn * a + math.sqrt(1 - turn**2) * b, "c": ["u", "v"] * (rows // 2)})


def logged(rows: pl.DataFrame, outcome: str = "answered") -> pl.DataFrame:
    return rows.rename(lambda name: f"x.{name}").with_columns(outcome=pl.lit(outcome))


def known(rows: pl.DataFrame) -> Baseline:
    features = {name: reference(rows[name]) for name in rows.columns}
    return Baseline(rows=rows.height, features=features, prediction={}, together=together(rows, features))


BASELINE = known(table(1, 4000))


def test_a_rotation_warns_while_it_stands_and_is_forgotten_when_it_is_over() -> None:
    joint = opened(BASELINE, DECLARED)
    assert joint is not None
    told = []
    for seed, turn in enumerate([0.0, 0.0, 0.8, 0.8, 0.0, 0.0, 0.0, 0.0]):
        for rows in table(10 + seed, 1000, turn).iter_slices(100):
            joint = taken(joint, logged(rows))
        joint = closed(joint, DECLARED, beside=3)
        told.append([(each.feature, each.level, each.consecutive) for each in signals(joint, DECLARED, SPAN, beside=3)])
    standing = [[("a with b", "warn", at)] for at in range(1, 5)]
    assert told == [[], [], *standing, [], []]
    assert joint.evidence.known.rows == 4000 + 2 * 1000 + 1000 + 1000  # windows of a standing alarm are not learned


def test_panes_and_schemas_do_not_matter() -> None:
    rows = table(2, 1000, 0.3)
    begun = opened(BASELINE, DECLARED)
    assert begun is not None
    parts = begun
    for at, part in enumerate(rows.iter_slices(70)):
        parts = taken(parts, logged(part.cast({"a": pl.Float32}).cast({"a": pl.Float64}) if at % 2 else part))
    nothing = pl.DataFrame({"a": [None], "b": [None], "c": [None]})
    parts = taken(parts, logged(nothing))
    whole = taken(taken(begun, logged(rows)), logged(nothing))
    one, other = closed(parts, DECLARED, beside=3), closed(whole, DECLARED, beside=3)
    assert one.evidence.known.rows == other.evidence.known.rows == 5001
    assert abs(log10_e(one) - log10_e(other)) < 0.01


def test_rows_that_the_contract_refused_are_not_asked() -> None:
    joint = opened(BASELINE, DECLARED)
    assert joint is not None
    joint = closed(taken(joint, logged(table(3, 1000, 0.9), "quarantined")), DECLARED, beside=3)
    assert joint.alarm is None
    assert joint.evidence.known.rows == 4000


def test_a_baseline_of_an_older_version_is_read_and_nothing_is_asked() -> None:
    plain = msgspec.json.decode(msgspec.json.encode({"rows": 1, "features": {}, "prediction": {}}), type=Baseline)
    assert plain.together is None
    assert opened(plain, DECLARED) is None
    assert opened(BASELINE, DECLARED, unwatched={"c"}) is None
    strange = replace(BASELINE, features={"a": BASELINE.features["a"]})
    assert opened(strange, DECLARED) is None


def test_times_are_not_asked_about_and_the_record_is_small() -> None:
    rows = table(4, 2000).with_columns(pl.Series("t", np.arange(2000)).cast(pl.Datetime("us")))
    kept = known(rows).together
    assert kept is not None
    assert kept.columns == ("a", "b", "c")
    wide = known(pl.DataFrame(np.random.default_rng(5).normal(size=(500, 100)), schema=[f"n{at}" for at in range(100)]))
    assert len(msgspec.json.encode(wide.together)) < 20_000


def test_a_watched_service_reports_the_rotation_and_nothing_else() -> None:
    def labelled(seed: int, rows: int, turn: float) -> pl.DataFrame:
        return table(seed, rows, turn).with_columns(
            y=pl.Series(np.random.default_rng(seed).integers(0, 2, rows)), answer=pl.lit(0), score=pl.lit(0.5)
        )

    stream = Stream(
        reference=labelled(20, 5000, 0.0),
        table=pl.concat([labelled(21, 2000, 0.0), labelled(22, 2000, 0.7)]),
        features=["a", "b", "c"],
        label="y",
        prediction="answer",
        score="score",
        task="binary",
        metric="accuracy",
        classes=(0, 1),
    )
    reports = stream.watched()
    told = [[(each.signal, each.level, each.feature) for each in report.signals] for report in reports]
    assert told == [[], [], *[[("shift", "warn", "a with b")]] * 2]
    assert [report.together is not None and report.together > 4 for report in reports] == [False, False, True, True]
