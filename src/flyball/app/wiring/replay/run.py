"""The run of a replay: first release, the stream in panes, then the other regimes on the same rows, and the report."""

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import polars as pl

from flyball.adapters.content.keys import signing_key
from flyball.adapters.ids import TimeIds
from flyball.adapters.ledger.memory import SimulatedClock
from flyball.adapters.window_book import SqliteWindows
from flyball.app.declared import Declared
from flyball.app.home import Home
from flyball.app.replay.peers import answers, course, scheduled, window
from flyball.app.replay.report import CurvePoint, Deeds, LedgerLine, Report, deeds
from flyball.app.replay.tracks import Scale, Track
from flyball.app.wiring.ledger import audit, recorder
from flyball.app.wiring.replay.refit import refitter
from flyball.app.wiring.replay.world import World, build, on_rows
from flyball.app.wiring.training.executors import Executors
from flyball.app.wiring.training.pipeline import Pipeline
from flyball.contracts.rows.as_sent import as_sent
from flyball.core.errors import BadInput, Fault, Refused
from flyball.core.model import Label, Model
from flyball.core.prediction import LabelRecord
from flyball.core.record import Record
from flyball.core.release import refusals

PANE_ROWS = 100


class Options(Record):
    """What `flyball replay` was asked for, the declaration's defaults filled in."""

    train_rows: int
    label_delay_rows: int
    approve_after_rows: int | None  # None: nobody ever approves


Advance = Callable[[int], None]


def replay(declared: Declared, stream: pl.DataFrame, options: Options, home: Home, advance: Advance) -> Report:
    """Raises: BadInput: too few rows. Refused: the first release does not pass its gates."""
    began = time.perf_counter()
    _check_length(stream, options)
    declared = on_rows(declared, options.label_delay_rows)
    clock = SimulatedClock()
    # signatures and heads are of the real ledger: what a replay did can be verified afterwards
    with closing(recorder(home.made(), clock=clock, told=False)) as ledger, closing(Executors()) as trainer:
        pipeline = Pipeline(home, ledger, clock, TimeIds(clock), signing_key(home.keys), trainer, explains=False)
        source = stream[: options.train_rows]
        _first(declared, pipeline, source)
        book = SqliteWindows(home.windows(declared.service.metadata.name))
        world = build(declared, pipeline, ledger, clock, source, options.train_rows + 1, book)
        world.reconciler.tick()
        governed, row_at, governed_s = _govern(world, stream, options, advance)
        world.windows.write()
        done = deeds(ledger.read(), row_at, options.train_rows)
        first = world.gateways.loaded(_first_root(world)).model
    tracks = _peers(declared, stream, options, done, first) | {"governed": governed}
    return _report(declared, stream, options, home, tracks, done, first.facts.classes, (began, governed_s))


def _check_length(stream: pl.DataFrame, options: Options) -> None:
    if stream.height <= options.train_rows:
        fault = Fault(
            where="--data",
            path="rows",
            expected=f"more than the {options.train_rows} rows that the first release learns from",
            found=f"{stream.height}",
            fix="give a smaller --train-rows, or more files",
        )
        raise BadInput("The stream is too short.", (fault,))


def _first(declared: Declared, pipeline: Pipeline, source: pl.DataFrame) -> None:
    """The release that serves when the stream begins."""
    pipeline.declare(declared)
    snapshot = pipeline.snapshot_frame(declared, source, source="source")
    trained = pipeline.train(declared, snapshot, reason="first")
    if pipeline.registry(declared.service.metadata.name).champion is None:
        failed = "; ".join(refusals(trained.release.gates, trained.release.tests)) or "autonomy.first"
        raise Refused(f"the first release does not serve: {failed}")


def _first_root(world: World) -> str:
    releases = world.reconciler.state.releases.values()
    return next(release.root for release in releases if release.reason == "first")


def _govern(
    world: World, stream: pl.DataFrame, options: Options, advance: Advance
) -> tuple[Track, dict[int, int], float]:
    """Stream every row past the first ones; returns the answers, the ledger's size after each pane, and the time."""
    track, row_at = Track(), {world.reconciler.state.version: options.train_rows}
    inputs = world.inputs
    labels = stream[world.service.data.label].to_list()
    ids: list[str] = []
    told = options.train_rows  # labels of rows before this have been delivered
    spent_s = 0.0
    for start in range(options.train_rows, stream.height, PANE_ROWS):
        stop = min(start + PANE_ROWS, stream.height)
        begun = time.perf_counter()
        records = world.answer(as_sent(stream[start:stop], inputs), start + 1)
        ids += [record.id for record in records]
        track.predictions += [record.prediction for record in records]
        track.scores += [record.score if record.scores is None else list(record.scores.values()) for record in records]
        spent_s += time.perf_counter() - begun
        due = max(told, stop - options.label_delay_rows)
        at = world.clock.now().timestamp() + stop - start
        world.label(
            [
                LabelRecord(id=ids[row - options.train_rows], label=labels[row], at=at)
                for row in range(told, due)
                if labels[row] is not None
            ]
        )
        told = due
        world.settle(stop - start, approve_after_rows=options.approve_after_rows)
        row_at.setdefault(world.reconciler.state.version, stop - 1)  # the pane in which it was written, not a later one
        advance(stop - start)
    return track, row_at, spent_s


def _peers(declared: Declared, stream: pl.DataFrame, options: Options, done: Deeds, first: Model) -> dict[str, Track]:
    """The frozen first release and the fixed schedule, with and without the governed run's lag."""
    live = stream[options.train_rows :]
    plan = course(stream.height, options.train_rows, done.retrainings, done.lags)
    fit = refitter(declared, first)
    fits: list[tuple[int, Model]] = []
    for row in plan.at:
        rows = window(
            stream,
            row,
            label_delay_rows=options.label_delay_rows,
            window_rows=declared.service.retrain.window_rows,
        )
        fits.append((row, fit(rows)))
    return {
        "frozen": answers(first, live),
        "scheduled": scheduled(stream, first, fits, options.train_rows, lag=plan.lag),
        "scheduled_instant": scheduled(stream, first, fits, options.train_rows, lag=0),
    }


def _report(
    declared: Declared,
    stream: pl.DataFrame,
    options: Options,
    home: Home,
    tracks: dict[str, Track],
    done: Deeds,
    classes: Sequence[Label],
    spent: tuple[float, float],
) -> Report:
    service = declared.service
    truth: list[Any] = stream[service.data.label][options.train_rows :].to_list()
    scale = Scale(metric=service.experiment.metric, truth=truth, classes=classes)
    step = service.monitor.window_rows
    curve = [
        CurvePoint(
            row=options.train_rows + min(start + step, len(truth)) - 1,
            frozen=scale.value(tracks["frozen"], start, start + step),
            scheduled=scale.value(tracks["scheduled"], start, start + step),
            governed=scale.value(tracks["governed"], start, start + step),
        )
        for start in range(0, len(truth), step)
    ]
    verdict = audit(home)
    began, governed_s = spent
    return Report(
        service=service.metadata.name,
        rows=stream.height,
        train_rows=options.train_rows,
        metric=scale.metric,
        better=scale.better,
        frozen=scale.value(tracks["frozen"]),
        scheduled=scale.value(tracks["scheduled"]),
        scheduled_instant=scale.value(tracks["scheduled_instant"]),
        governed=scale.value(tracks["governed"]),
        curve=tuple(curve),
        trainings=done.trainings,
        rollouts=done.rollouts,
        signals=done.signals,
        incidents=done.incidents,
        unanswered=sum(prediction is None for prediction in tracks["governed"].predictions),
        seconds=time.perf_counter() - began,
        rows_per_s=len(truth) / governed_s,
        home=str(home.root),
        ledger=LedgerLine(events=verdict.events, verified=verdict.ok),
    )
