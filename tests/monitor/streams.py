"""A labelled table as the gateway would have logged it: panes of 100 rows, each label some rows late."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from msgspec.structs import replace

from flyball.core.contract import Column, DataContract, Kind
from flyball.core.ports import Segment
from flyball.core.release import Baseline, Estimate, Reference
from flyball.core.service import Data, Experiment, LiveMetric, Metadata, Monitor, Psi, Service, Task
from flyball.core.watching import Pane, WindowReport
from flyball.monitor.watch import Promise, Watcher
from flyball.pipeline.baseline import in_order, reference, together
from flyball.pipeline.labelled import labelled
from flyball.stats.binning.bins import CategoryBins
from flyball.stats.risk.outcomes import outcomes
from flyball.stats.scoring.intervals import interval

PANE_ROWS = 100
NOTHING = pl.DataFrame()


def service(task: Task, metric: str, *, label: str, max_loss: float | str = 0.05, window_rows: int = 1000) -> Service:
    return Service(
        apiVersion="flyball/v1",
        kind="Service",
        metadata=Metadata(name="s", owner="o"),
        data=Data(contract="contract.yaml", source="data.parquet", label=label),
        experiment=Experiment(task=task, metric=metric),
        monitor=Monitor(
            window_rows=window_rows,
            psi=Psi(warn=0.10, act=0.25, consecutive=3),
            live_metric=LiveMetric(name=metric, max_loss=max_loss),
        ),
    )


def contract(table: pl.DataFrame, columns: Sequence[str]) -> DataContract:
    kinds = tuple(Column(name=name, kind=_kind(table[name].dtype)) for name in columns)
    return DataContract(id="c", version="1.0.0", table="t", columns=kinds)


@dataclass(kw_only=True)
class Stream:
    """A table with answers of some model, and what that model promised on the reference rows."""

    reference: pl.DataFrame
    table: pl.DataFrame
    features: Sequence[str]
    label: str
    prediction: str
    task: Task
    metric: str
    classes: Sequence[object] = ()
    score: str | None = None
    scores: Sequence[str] = ()  # columns of class probabilities, in the order of `classes`
    max_loss: float | str = 0.05
    delay: int = 500  # rows until a label comes
    first_row: int = 0
    window_rows: int = 1000
    held: int = 2000  # newest rows of the reference, which the model has not seen
    held_out: pl.DataFrame | None = None  # other rows that it has not seen
    sensitivity: Mapping[str, float] = field(default_factory=dict)
    service: Service = field(init=False)

    def __post_init__(self) -> None:
        self.service = service(
            self.task, self.metric, label=self.label, max_loss=self.max_loss, window_rows=self.window_rows
        )

    def watched(self) -> list[WindowReport]:
        """Every window of the whole stream."""
        watcher = Watcher(self.service, contract(self.table, [*self.features, self.label]), lambda _: self.promise())
        return [report for segment in self.segments() for report in watcher.feed(segment, champion="r1")]

    def segments(self) -> Iterator[Segment]:
        rows = self.table.height
        ids = pl.Series("id", [f"p{row}" for row in range(rows)])
        log = self._log(ids)
        labels = pl.DataFrame({"id": ids, "label": self.table[self.label], "at": log["at"]})
        for index, start in enumerate(range(0, rows - PANE_ROWS + 1, PANE_ROWS)):
            due = slice(max(0, start - self.delay), max(0, start - self.delay + PANE_ROWS))
            yield segment(index, log[start : start + PANE_ROWS], labels[due], first_row=self.first_row + start)

    def promise(self) -> Promise:
        held_out = self.reference.tail(self.held) if self.held_out is None else self.held_out
        if self.task == "regression":
            answers = {"prediction": reference(held_out[self.prediction].cast(pl.Float64))}
            score, classes = None, None
            truth, prediction = (held_out[name].to_numpy() for name in (self.label, self.prediction))
        else:
            names = [str(value) for value in self.classes]
            bins = CategoryBins(values=tuple(names))
            counts = bins.count([str(value) for value in held_out[self.prediction].to_list()])
            answers = {"prediction": Reference(kind="category", values=bins.values, counts=tuple(counts.tolist()))}
            truth, prediction = (
                np.array([names.index(str(value)) for value in held_out[name].to_list()])
                for name in (self.label, self.prediction)
            )
            score, classes = None, tuple(range(len(names)))
            if self.score:
                answers["score"], score = reference(held_out[self.score]), held_out[self.score].to_numpy()
            if self.scores:
                top = held_out.select(pl.max_horizontal(self.scores)).to_series()
                answers["top_score"], score = reference(top), held_out.select(self.scores).to_numpy()
        found = interval(self.metric, truth, prediction, score, rng=np.random.default_rng(0), classes=classes)
        promised = Estimate(value=found.value, low=found.low, high=found.high, n=found.n)
        features = {name: in_order(self.reference[name]) for name in self.features}
        said = labelled(
            self.task,
            tuple(range(len(self.classes))),
            truth,
            prediction,
            score,
            answers=answers,
            rng=np.random.default_rng(0),
        )
        baseline = Baseline(
            rows=self.reference.height,
            features=features,
            prediction=answers,
            labelled=said,
            together=together(self.reference, features),
        )
        known = outcomes(
            held_out.select(self.features).to_dict(as_series=True),
            baseline,
            task=self.task,
            truth=truth,
            prediction=prediction,
            score=score,
        )
        baseline = replace(baseline, outcomes=known, sensitivity=dict(self.sensitivity))
        return Promise(baseline=baseline, metrics={self.metric: promised})

    def _log(self, ids: pl.Series) -> pl.DataFrame:
        columns = [self.table[self.prediction].alias("prediction")]
        if self.score:
            columns.append(self.table[self.score].alias("score"))
        if self.scores:
            fields = [pl.col(name).alias(str(value)) for name, value in zip(self.scores, self.classes, strict=True)]
            columns.append(self.table.select(pl.struct(fields).alias("scores")).to_series())
        columns += [self.table[name].alias(f"x.{name}") for name in self.features]
        return log(ids).with_columns(columns)


def log(
    ids: pl.Series, *, release: str = "r1", arm: str = "champion", outcome: str = "answered", latency_ms: float = 1.0
) -> pl.DataFrame:
    """The columns of the prediction log that every row has."""
    n = ids.len()
    return pl.DataFrame(
        {
            "id": ids,
            "at": np.arange(n, dtype=np.float64),
            "unit": ids,
            "arm": pl.Series([arm] * n, dtype=pl.String),
            "release": pl.Series([release] * n, dtype=pl.String),
            "epoch": pl.Series([1] * n, dtype=pl.Int64),
            "outcome": pl.Series([outcome] * n, dtype=pl.String),
            "error": pl.Series([False] * n, dtype=pl.Boolean),
            "slow": pl.Series([False] * n, dtype=pl.Boolean),
            "excluded": pl.Series([False] * n, dtype=pl.Boolean),
            "latency_ms": pl.Series([latency_ms] * n, dtype=pl.Float64),
            "service_ms": pl.Series([latency_ms] * n, dtype=pl.Float64),
        }
    )


def segment(
    index: int,
    predictions: pl.DataFrame,
    labels: pl.DataFrame = NOTHING,
    shadows: pl.DataFrame = NOTHING,
    *,
    first_row: int,
) -> Segment:
    rows = predictions.height
    pane = Pane(
        service="s",
        index=index,
        start=float(first_row),
        end=float(first_row + rows),
        first_row=first_row,
        last_row=first_row + max(0, rows - 1),
        received=rows,
        written=rows,
    )
    return Segment(pane=pane, predictions=predictions, shadows=shadows, labels=labels)


def _kind(dtype: pl.DataType) -> Kind:
    if dtype == pl.Boolean:
        return "boolean"
    if dtype.is_temporal():
        return "timestamp"
    if dtype.is_numeric():
        return "number" if dtype.is_float() else "integer"
    return "string"
