"""`flyball rehearse`: does the loop keep its promises in a simulated week in which things break?"""

import re
from functools import partial
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from flyball.app.cli.door import JsonFlag, emit, progress
from flyball.core.errors import BadInput, Fault

DEFAULT_SEED = 1


def rehearse(
    scenario: Annotated[Path, Parameter(help="scenario.yaml, or its folder.")],
    /,
    *,
    seed: Annotated[int | None, Parameter(help="One seed; the same seed gives the same run, bit for bit.")] = None,
    seeds: Annotated[str | None, Parameter(help="A..B: these seeds, both ends included.")] = None,
    json: JsonFlag = False,
) -> int:
    """Run planner, judge, gateway core and monitor in simulated time, and check every promise at every step."""
    from flyball.app.rehearse.report import report, told
    from flyball.app.wiring.rehearse.cast import read
    from flyball.app.wiring.rehearse.run import Rehearsal

    wanted = _seeds(seed, seeds)
    cast = read(scenario / "scenario.yaml" if scenario.is_dir() else scenario)
    runs = []
    with progress("rehearsing days", total=len(wanted) * cast.scenario.days) as advance:
        for each in wanted:
            runs.append(Rehearsal(cast, each).run(partial(advance, note=f"(seed {each})")))
    document = report(runs)
    emit(document, as_json=json, text=lambda: told(runs))
    return 1 if document.violations else 0


def _seeds(seed: int | None, seeds: str | None) -> range:
    if seeds is None:
        only = DEFAULT_SEED if seed is None else seed
        if only < 0:
            raise _faulty("--seed", "a whole number, at least 0", str(only))
        return range(only, only + 1)
    if seed is not None:
        raise _faulty("--seed", "one of --seed and --seeds", "both")
    found = re.fullmatch(r"(\d+)\.\.(\d+)", seeds)
    if found is None or int(found[1]) > int(found[2]):
        raise _faulty("--seeds", "A..B with A at most B, such as 1..100", seeds)
    return range(int(found[1]), int(found[2]) + 1)


def _faulty(option: str, expected: str, found: str) -> BadInput:
    return BadInput(
        "The options are faulty.", (Fault(where="command line", path=option, expected=expected, found=found),)
    )
