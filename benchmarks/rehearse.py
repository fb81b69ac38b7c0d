"""What a simulated day costs: quiet ones, a week of the car loan service, four weeks of it, and many small seeds.

A day is to cost under half a second. Threads of numpy and polars only wait for one another here: run it with
`OPENBLAS_NUM_THREADS=1 POLARS_MAX_THREADS=1` for the figures of one core.
"""

import time
from pathlib import Path

from msgspec.structs import replace

from flyball.app.rehearse.report import Run
from flyball.app.rehearse.scenario import Scenario
from flyball.app.wiring.rehearse.cast import Cast, read
from flyball.app.wiring.rehearse.run import Rehearsal
from flyball.control.reconcile.checkpoint import EVERY_PANES

SCENARIO = Path(__file__).resolve().parent.parent / "examples" / "car_loan" / "scenario.yaml"
TARGET_S = 0.5
MONTH = 28.0  # days
SEEDS = range(1, 6)
NEVER = 10**9  # panes until a checkpoint


def main() -> None:
    """Print the figures."""
    cast = read(SCENARIO)
    week = cast.scenario
    quiet = replace(week, candidates=(), drift=(), faults=())
    _told("a quiet week", cast, quiet, range(1, 3))
    _told("a week with rollouts, drift and faults", cast, week, SEEDS)
    month = _month(week)
    kept = _told("four such weeks in one", cast, month, range(1, 2))
    anew = _told("the same, each new controller reads the whole log", cast, month, range(1, 2), checkpoint_panes=NEVER)
    print(f"checkpoints: {anew / kept:.2f} times the simulated days a second of a month with four weeks' faults")


def _month(week: Scenario) -> Scenario:
    """The candidates and faults of the week again in each; the drift goes on."""
    shifts = [7 * 86_400.0 * number for number in range(4)]
    return replace(
        week,
        days=MONTH,
        candidates=tuple(replace(each, at=each.at + by) for by in shifts for each in week.candidates),
        drift=tuple(
            replace(each, at=each.at + by, shift=each.shift * (number + 1))
            for number, by in enumerate(shifts)
            for each in week.drift
        ),
        faults=tuple(replace(each, at=each.at + by) for by in shifts for each in week.faults),
    )


def _told(what: str, cast: Cast, scenario: Scenario, seeds: range, *, checkpoint_panes: int = EVERY_PANES) -> float:
    """Seconds of the processor that a day cost."""
    cast.scenario = scenario
    began, spent = time.perf_counter(), time.process_time()
    runs: list[Run] = [Rehearsal(cast, seed, checkpoint_panes=checkpoint_panes).run() for seed in seeds]
    took, cpu = time.perf_counter() - began, time.process_time() - spent
    days = sum(run.days for run in runs)
    broken = sum(len(run.violations) for run in runs)
    print(
        f"{what}: {days:g} simulated days, {days / took:.2f} a second; {took / days:.3f} s a day "
        f"({cpu / days:.3f} s of the processor, target {TARGET_S}); "
        f"{sum(run.promoted for run in runs)} promotions, {sum(run.rolled_back for run in runs)} rollbacks, "
        f"{sum(run.retrained for run in runs)} retrainings, {broken} promises broken"
    )
    return cpu / days


if __name__ == "__main__":
    main()
