"""The same canary under the documented threshold rule and under ours: what each does, how soon, and what it cost.

Each story is a table as text, the same to the letter for the same seed and number of runs.
"""

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
from tests.decide.rollouts import BATCH, World, routing, seen
from tests.scenarios.backtest_story import backtest, backtest_of_labels
from tests.scenarios.threshold_rule import CHECKS, MOST_FAILED, by_threshold
from tests.simulation.crashing import ended, ending, memory

from flyball.core.declared.guardrails import MetricGuardrail
from flyball.core.metric_evidence import MetricEvidence
from flyball.core.routing import ArmCounts, TestSums
from flyball.core.service import Canary, Guardrail, Guardrails, Rollout, Shadow, Step
from flyball.decide.metric_rails import harmed
from flyball.decide.rollout import advance
from flyball.serving.routing.assign import to_candidate, unit_hash
from flyball.stats.sequential_tests.arm_means import ArmMeans
from flyball.stats.sequential_tests.sequential import increment

WEIGHT = 0.1
STRICT = Guardrails(errors=Guardrail(ratio=2, ceiling=0.005))
CANARY = Rollout(steps=(Step(canary=Canary(weight=WEIGHT)),))


def _row(name: str, *figures: str) -> str:
    return f"{name:<30}" + "".join(f"{figure:>15}" for figure in figures)


def nine_times_worse(runs: int, seed: int = 1) -> Iterator[str]:
    """Errors of the champion 0.1 %; of the candidate as told. 1,000 requests of the candidate in each check."""
    yield "Nine times worse: the champion errs in 0.1 % of its answers"
    yield _row("candidate errs in, rule", "promoted", "rolled back", "still held", "own errors")
    rng = np.random.default_rng(seed)
    live = (Step(canary=Canary(weight=0.1)), Step(canary=Canary(weight=0.5)))
    ours = {"default steps": Rollout(), "ceiling of 0.5 %": Rollout(steps=live, guardrails=STRICT)}
    for share in (0.001, 0.009):
        checked = [by_threshold(rng.binomial(1000, share, CHECKS), 1000) for _ in range(runs)]
        promoted = sum(one.promoted for one in checked)
        shares, errors = _shares(runs, promoted, runs - promoted), np.mean([one.own_errors for one in checked])
        yield _row(f"{share:.1%}, threshold of 99 %", *shares, f"{errors:.1f}")
        for name, declared in ours.items():
            ends, stopped = Counter[str](), []
            for _ in range(runs):
                world = World(rng=rng, errors=(0.001, share), slow=(0.001, 0.001), declared=declared)
                end = world.run().kind
                ends[end] += 1
                stopped += [world.own_errors] if end == "ROLL_BACK" else []
            told = f"{np.mean(stopped):.1f}" if stopped else "-"
            yield _row(f"{share:.1%}, {name}", *_shares(runs, ends["PROMOTE"], ends["ROLL_BACK"]), told)


def _shares(runs: int, promoted: int, back: int) -> tuple[str, str, str]:
    return f"{promoted / runs:.1%}", f"{back / runs:.1%}", f"{(runs - promoted - back) / runs:.1%}"


def one_a_second() -> Iterator[str]:
    """One request a second: is anything said that nobody can know?"""
    yield "One request a second, no errors: what is said after so many seconds"
    yield _row("seconds", "threshold, 10 %", "canary, ours", "shadow of 1.0") + "  the canary waits for"
    canary, shadow = Step(canary=Canary(weight=WEIGHT)), Step(shadow=Shadow(share=1.0))
    for seconds in (60, 200, 600, 3000, 3600):
        own = round(seconds * WEIGHT)
        found = seen(
            champion=ArmCounts(requests=seconds - own, units=seconds - own),
            candidate=ArmCounts(requests=own, units=own),
        )
        beside = seen(champion=ArmCounts(requests=seconds, units=seconds), pairs=seconds)
        checks = min(CHECKS, seconds // 60)
        rule = by_threshold(np.zeros(CHECKS, dtype=np.int64), round(60 * WEIGHT))
        told = "promoted" if checks >= rule.checks else "goes on"
        ours = advance(canary, routing(), found, elapsed_s=seconds)
        row = _row(f"{seconds}", told, ours.kind, advance(shadow, routing(weight=0), beside, elapsed_s=seconds).kind)
        yield row + (f"  {ours.waiting_for[0]}" if ours.waiting_for else "")


def common_cause(seed: int = 3) -> Iterator[str]:
    """Every answer of both arms fails while a database is gone. 100 units a minute: `max_errors` is not reached."""
    rng = np.random.default_rng(seed)
    yield "A dependency of both arms is gone for six of ten minutes, 100 units a minute"
    yield _row("minute", "threshold", "ours", "log e")
    log_e, failed, ours, theirs = 0.0, 0, ArmCounts(), ArmCounts()
    for minute in range(1, CHECKS + 1):
        out = minute in range(3, 9)
        mine = int(rng.binomial(100, WEIGHT))
        rest = 100 - mine
        log_e += (mine * increment(True, WEIGHT, 2) + rest * increment(False, WEIGHT, 2)) * out
        theirs = theirs.plus(ArmCounts(requests=mine, units=mine, errors=mine * out))
        ours = ours.plus(ArmCounts(requests=rest, units=rest, errors=rest * out))
        failed += out
        sums = TestSums(errors=log_e)
        found = seen(champion=ours, candidate=theirs, step_tests=sums, rollout_tests=sums)
        verdict = advance(Step(canary=Canary(weight=WEIGHT, timeout_s=1e6)), routing(), found, elapsed_s=60 * minute)
        told = "rolled back" if failed >= MOST_FAILED else "goes on"
        yield _row(f"{minute}{' (out)' if out else ''}", told, verdict.kind, f"{log_e:+.2f}")


def sticky_units(units: int = 20_000) -> Iterator[str]:
    """Weights 1, 5, 25 and 100 %: does anybody who had the candidate meet the champion again?"""
    yield f"{units} units over the steps of a rollout"
    yield _row("weight", "of the candidate", "came back")
    had: set[int] = set()
    for weight in (100, 500, 2500, 10_000):
        now = {unit for unit in range(units) if to_candidate(unit_hash("ro-1", f"card-{unit}"), weight)}
        yield _row(f"{weight / 100:g} %", f"{len(now) / units:.2%}", f"{len(had - now)}")
        had = now


def slow_to_see() -> Iterator[str]:
    """How long until a candidate that errs ten times as often is gone, at 100 requests a second?"""
    yield "Ten times as many errors as 1 %: seconds until weight 0, at 100 requests a second (mean of 200)"
    yield _row("rule", "seconds", "own errors")
    rng = np.random.default_rng(5)
    own, units = [], []
    for _ in range(200):
        world = World(rng=rng, errors=(0.01, 0.10), slow=(0.001, 0.001), declared=CANARY)
        assert world.run().kind == "ROLL_BACK"
        own.append(world.own_errors)
        units.append(world.batches * BATCH)
    yield _row("ours (to the next 500 units)", f"{np.mean(units) / 100:.1f}", f"{np.mean(own):.1f}")
    checked = [by_threshold(rng.binomial(600, 0.10, CHECKS), 600) for _ in range(200)]
    yield _row(
        "threshold of 99 %",
        f"{60 * np.mean([one.checks for one in checked]):.1f}",
        f"{np.mean([one.own_errors for one in checked]):.1f}",
    )


def fast_labels(seed: int = 8) -> Iterator[str]:
    """Both arms are right in 90 %. A wrong answer of the candidate is told within a minute (somebody complains), all
    else after an hour: what follows from the labels that are there, and from those whose window has passed?"""
    rng = np.random.default_rng(seed)
    yield "Equal arms, 40 units a minute; the candidate's wrong answers are told at once, all else in an hour"
    yield _row("minute", "candidate", "champion", "by what came", "ours", "log e")
    mine, right = rng.random(40 * 180) < 0.5, (rng.random(40 * 180) < 0.9).astype(float)
    came = np.arange(right.size) // 40
    known = came + np.where(mine & (right == 0), 1, 60)
    rails = Guardrails(metrics=(MetricGuardrail(name="accuracy", max_loss="5%"),))
    for minute in (5, 15, 30, 59, 75, 120, 180):
        there, mature = known <= minute, came + 60 <= minute
        means = [float(right[there & arm].mean()) if (there & arm).any() else None for arm in (mine, ~mine)]
        worse = means[0] is not None and (means[1] or 0.9) - means[0] > 0.05
        test = ArmMeans(relative=0.05).plus(right[mature], mine[mature], np.full(int(mature.sum()), 0.5))
        seen = MetricEvidence(name="accuracy", log_e_worse=test.most_worse, log_e_fine=test.most_fine)
        ours = harmed(rails, [seen], {})
        yield _row(
            f"{minute}",
            *("-" if mean is None else f"{mean:.1%}" for mean in means),
            "rolled back" if worse else "goes on",
            "ROLL_BACK" if ours else "goes on",
            f"{test.most_worse:.2f}",
        )


def killed() -> Iterator[str]:
    """The controller is killed (SIGKILL: nothing of it runs any more) before an effect, and another one takes over."""
    yield "Two rollouts, the second 300 times worse; the controller dies before an effect of theirs, another takes over"
    yield _row("dies before effect", "effects then", "champion", "withdrawn", "as without")
    whole = ended("rollouts", memory, None)
    effects, end = whole.world.points.effects, ending(whole)
    yield _row("none", f"{len(effects)}", end["champion"], *end["withdrawn"], "-")
    for number in range(3, len(effects) + 1, 7):
        crashed = ended("rollouts", memory, (number, "before"))
        found = ending(crashed)
        same = "yes" if found == end else "NO"
        name = f"{number} ({effects[number - 1]})"
        yield _row(name, f"{len(crashed.world.points.effects)}", found["champion"], *found["withdrawn"], same)


STORIES: dict[str, Callable[[], Iterator[str]]] = {
    "nine_times_worse": lambda: nine_times_worse(60),
    "one_a_second": one_a_second,
    "common_cause": common_cause,
    "sticky_units": lambda: sticky_units(5000),
    "slow_to_see": slow_to_see,
    "fast_labels": fast_labels,
    "killed": killed,
    "backtest": backtest,
    "backtest_of_labels": backtest_of_labels,
}
