"""The two arms of a rollout, compared on matured labels: who counts, for which arm, and what quick labels cannot do."""

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace
from tests.monitor.streams import contract, log, segment, service
from tests.monitor.test_watch import promise, world

from flyball.core.declared.guardrails import ArmMetric, Guardrails, MetricGuardrail
from flyball.core.ids import ReleaseRoot, RolloutId
from flyball.core.metric_evidence import MetricEvidence, MetricTrial
from flyball.core.ports import Segment
from flyball.core.release import Reference
from flyball.core.service import BusinessValue, Data, Rollout, Service
from flyball.monitor.metric_values import opened
from flyball.monitor.watch import Promise, Watcher

ROWS = 100


def declared(*metrics: ArmMetric, slices: tuple[str, ...] = (), label_window_s: float = 1000.0) -> Service:
    made = service("binary", "accuracy", label="label")
    rails = tuple(MetricGuardrail(name=name, max_loss=0.02) for name in metrics)
    return replace(
        made,
        data=Data(contract="c", source="s", label="label", label_window_s=label_window_s),
        monitor=replace(made.monitor, slices=slices, value=BusinessValue(right=1.0, wrong=0.0, fn=-4.0)),
        rollout=Rollout(guardrails=Guardrails(metrics=rails)),
    )


def trial(weights: dict[int, int], *, epoch: int, rollout: str = "ro-1") -> MetricTrial:
    return MetricTrial(rollout=RolloutId(rollout), candidate=ReleaseRoot("r2"), epoch=epoch, weights=weights)


def watcher(made: Service) -> Watcher:
    return Watcher(made, contract(world(np.random.default_rng(0), 1), ["a", "label"]), promised)


def promised(release: str) -> Promise:
    """As `promise`, with the classes in the order in which releases have them: 1 is the positive one."""
    found = promise(release)
    said = found.baseline.prediction | {
        "prediction": Reference(kind="category", values=("0", "1"), counts=(1, 1, 0, 0))
    }
    return replace(found, baseline=replace(found.baseline, prediction=said))


def arms(
    table: pl.DataFrame,
    mine: Sequence[bool],
    *,
    epochs: int | Sequence[int] = 2,
    units: Sequence[str] | None = None,
    delays: Sequence[int] | None = None,
) -> list[Segment]:
    """Rows a second apart in panes of 100, each assigned to an arm; labels come their own number of seconds later."""
    n = table.height
    ids = pl.Series("id", [f"p{row}" for row in range(n)], dtype=pl.String)
    arm = pl.Series("arm", ["candidate" if each else "champion" for each in mine], dtype=pl.String)
    rows = log(ids).with_columns(
        table["prediction"],
        table["score"],
        table["a"].alias("x.a"),
        arm,
        pl.Series("release", ["r2" if each else "r1" for each in mine], dtype=pl.String),
        pl.Series("epoch", [epochs] * n if isinstance(epochs, int) else list(epochs), dtype=pl.Int64),
        pl.Series("unit", list(units) if units is not None else ids, dtype=pl.String),
    )
    due: dict[int, list[int]] = {}
    for row in range(n):
        due.setdefault((row + (delays[row] if delays is not None else 0)) // ROWS, []).append(row)
    found = []
    for pane in range(n // ROWS + 12):
        part = rows[pane * ROWS : (pane + 1) * ROWS]
        ready = due.get(pane, [])
        labels = pl.DataFrame({"id": ids[ready], "label": table["label"][ready], "at": rows["at"][ready]})
        one = segment(pane, part, labels, first_row=pane * ROWS)
        found.append(replace(one, pane=replace(one.pane, end=float((pane + 1) * ROWS))))
    return found


def told(made: Service, follows: MetricTrial | None, segments: Sequence[Segment]) -> dict[str, MetricEvidence]:
    seen = watcher(made)
    seen.compare(follows)
    for one in segments:
        seen.feed(one, champion="r1")
    return {f"{each.name} {each.group}".strip(): each for each in seen.arm_metrics()}


def test_each_metric_is_the_mean_of_its_arm() -> None:
    rng = np.random.default_rng(1)
    table, mine = world(rng, 2000), (rng.random(2000) < 0.3).tolist()
    found = told(declared("accuracy", "conversion", "value"), trial({2: 3000}, epoch=2), arms(table, mine))
    right = (table["prediction"] == table["label"]).to_numpy()
    missed = ((table["prediction"] == 0) & (table["label"] == 1)).to_numpy()
    for each, here in (("candidate", np.array(mine)), ("champion", ~np.array(mine))):
        assert getattr(found["accuracy"], each) == here.sum()
        assert getattr(found["accuracy"], f"{each}_mean") == pytest.approx(right[here].mean())
        assert getattr(found["conversion"], f"{each}_mean") == pytest.approx(table["label"].to_numpy()[here].mean())
        worth = np.where(missed, -4.0, right.astype(float))
        assert getattr(found["value"], f"{each}_mean") == pytest.approx(worth[here].mean())


def test_a_candidate_that_errs_more_is_found_and_an_equal_one_is_not() -> None:
    rng = np.random.default_rng(2)
    mine = (rng.random(6000) < 0.5).tolist()
    hit, label = rng.random(6000), rng.integers(0, 2, 6000)
    for right, worse in ((0.9, False), (0.75, True)):
        prediction = np.where(hit < np.where(mine, right, 0.9), label, 1 - label)
        table = world(rng, 6000).with_columns(pl.Series("prediction", prediction), pl.Series("label", label))
        seen = told(declared("accuracy"), trial({2: 5000}, epoch=2), arms(table, mine))["accuracy"]
        assert (seen.log_e_worse > 4.1) == worse
        assert seen.log_e_arms < 1


def test_a_unit_counts_once_in_a_rollout_and_once_in_a_step() -> None:
    rng = np.random.default_rng(3)
    table, mine = world(rng, 2000), (rng.random(2000) < 0.5).tolist()
    units = [f"u{row % 500}" for row in range(2000)]
    epochs = [2] * 1000 + [3] * 1000
    follows = trial({2: 5000, 3: 5000}, epoch=3)
    seen = told(declared("accuracy"), follows, arms(table, mine, units=units, epochs=epochs))["accuracy"]
    assert seen.candidate + seen.champion == 500
    assert seen.step_candidate + seen.step_champion == 500


def test_rows_that_chance_did_not_assign_do_not_count() -> None:
    """Of another rollout's epoch, of a shadow step (weight 0), and with everything on the candidate."""
    rng = np.random.default_rng(4)
    table, mine = world(rng, 400), [True, False] * 200
    epochs = [1] * 100 + [2] * 100 + [3] * 100 + [4] * 100
    follows = trial({2: 0, 3: 10_000, 4: 5000}, epoch=4)
    seen = told(declared("accuracy"), follows, arms(table, mine, epochs=epochs))["accuracy"]
    assert seen.candidate + seen.champion == 100


def test_another_rollout_begins_with_nothing_and_another_step_keeps_the_rollouts() -> None:
    rng = np.random.default_rng(5)
    segments = arms(world(rng, 2000), (rng.random(2000) < 0.5).tolist())
    seen = watcher(declared("accuracy", label_window_s=100.0))
    for index, one in enumerate(segments):
        seen.compare(trial({2: 5000}, epoch=2))
        seen.feed(one, champion="r1")
        if index == 10:
            (before,) = seen.arm_metrics()
            assert before.step_candidate == before.candidate > 300
            seen.compare(trial({2: 5000, 3: 6000}, epoch=3))
            (after,) = seen.arm_metrics()
            assert (after.candidate, after.step_candidate) == (before.candidate, 0)
            seen.compare(trial({5: 5000}, epoch=5, rollout="ro-2"))
            assert seen.arm_metrics() == ()
            return


def test_a_step_keeps_its_units_when_its_shares_change_each_with_the_weight_of_its_row() -> None:
    """Rows at 90 %, then at even shares: what was said of the step stays, a unit counts once in it, and whoever sees
    all rows anew says the same."""
    rng = np.random.default_rng(12)
    n = 3000
    table, epochs = world(rng, n), [3] * 1500 + [4] * 1500
    mine = rng.random(n) < np.where(np.array(epochs) == 3, 0.9, 0.5)
    units = [f"u{row}" for row in range(2000)] + [f"u{row}" for row in range(1000)]
    segments = arms(table, mine.tolist(), units=units, epochs=epochs)
    made, first, changed = declared("accuracy"), trial({3: 9000}, epoch=3), trial({3: 9000, 4: 5000}, epoch=3)
    seen = watcher(made)
    for index, one in enumerate(segments):
        seen.compare(first if index < 15 else changed)
        seen.feed(one, champion="r1")
    (found,) = seen.arm_metrics()
    assert found.step_candidate + found.step_champion == 2000
    assert (found.step_candidate, found.step_champion) == (found.candidate, found.champion)
    assert found.step_candidate == mine[:2000].sum()
    assert found == told(made, changed, segments)["accuracy"]
    right = (table["prediction"] == table["label"]).to_numpy().astype(float)[:2000]
    shares = np.array([0.9] * 1500 + [0.5] * 500)
    means = opened(made.rollout.guardrails.metrics[0], made).plus(right, mine[:2000], shares)
    assert found.log_e_fine == pytest.approx(means.most_fine)


def test_a_row_that_the_fallback_answered_counts_for_the_arm_that_it_was_assigned_to() -> None:
    """The candidate fails on half of the rows that it would get wrong: the client got the constant 0, or nothing."""
    rng = np.random.default_rng(11)
    table, mine = world(rng, 3000), rng.random(3000) < 0.5
    failed = mine & (rng.random(3000) < 0.5) & (table["label"].to_numpy() == 1)
    segments = []
    for one in arms(table, mine.tolist()):
        here = one.predictions
        if here.height:
            rows = pl.Series(failed[one.pane.first_row : one.pane.first_row + here.height])
            here = here.with_columns(
                pl.when(rows).then(pl.lit("fallback")).otherwise(pl.col("outcome")).alias("outcome"),
                pl.when(rows).then(None).otherwise(pl.col("score")).alias("score"),
                pl.when(rows).then(0).otherwise(pl.col("prediction")).alias("prediction"),
            )
        segments.append(replace(one, predictions=here))
    found = told(declared("accuracy", "conversion"), trial({2: 5000}, epoch=2), segments)
    got = np.where(failed, 0, table["prediction"].to_numpy())
    label = table["label"].to_numpy()
    assert found["conversion"].candidate == mine.sum()
    assert found["conversion"].candidate_mean == pytest.approx(label[mine].mean())
    assert found["accuracy"].candidate_mean == pytest.approx((got == label)[mine].mean())
    assert found["accuracy"].log_e_arms < 1


def test_quick_labels_of_one_arm_are_no_sample_of_their_own() -> None:
    """The candidate's wrong answers are told within ten seconds, everything else after 900: inside the window all the
    same, and an equal candidate looks equal. Before the window has passed nothing is said at all."""
    rng = np.random.default_rng(6)
    table, mine = world(rng, 3000, right=0.9), (rng.random(3000) < 0.5).tolist()
    wrong = (table["prediction"] != table["label"]).to_list()
    delays = [10 if theirs and bad else 900 for theirs, bad in zip(mine, wrong, strict=True)]
    segments = arms(table, mine, delays=delays)
    early = told(declared("accuracy"), trial({2: 5000}, epoch=2), segments[:9])
    assert early == {}
    seen = told(declared("accuracy"), trial({2: 5000}, epoch=2), segments)["accuracy"]
    assert seen.candidate_mean == pytest.approx(0.9, abs=0.03)
    assert seen.log_e_worse < 3
    assert seen.log_e_arms < 1


def test_labels_that_come_for_one_arm_only_are_told() -> None:
    """A broken join loses two thirds of the candidate's labels: no metric of it is believed."""
    rng = np.random.default_rng(7)
    table, mine = world(rng, 3000), (rng.random(3000) < 0.5).tolist()
    never = 10**6
    delays = [never if theirs and row % 3 else 10 for row, theirs in enumerate(mine)]
    seen = told(declared("accuracy"), trial({2: 5000}, epoch=2), arms(table, mine, delays=delays))["accuracy"]
    assert seen.log_e_arms > 6.9


def test_groups_of_slices_have_evidence_of_their_own() -> None:
    rng = np.random.default_rng(8)
    table, mine = world(rng, 2000), (rng.random(2000) < 0.5).tolist()
    found = told(declared("accuracy", slices=("a",)), trial({2: 5000}, epoch=2), arms(table, mine))
    groups = [each for each in found.values() if each.group]
    assert len(groups) == 4
    assert sum(each.candidate for each in groups) == found["accuracy"].candidate


def test_without_a_declared_metric_or_a_rollout_nothing_is_kept() -> None:
    rng = np.random.default_rng(9)
    segments = arms(world(rng, 500), [True, False] * 250)
    assert told(declared(), trial({2: 5000}, epoch=2), segments) == {}
    assert told(declared("accuracy"), None, segments) == {}
