"""The scenarios of the examples can be rehearsed, and the loop keeps its promises in them."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.examples.streams import EXAMPLES

from flyball.app.wiring.rehearse.cast import read
from flyball.app.wiring.rehearse.run import Rehearsal

FILES = sorted(EXAMPLES.glob("*/scenario*.yaml"))


def test_there_is_one() -> None:
    assert FILES


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_its_first_day_keeps_every_promise(file: Path) -> None:
    cast = read(file)
    whole = cast.scenario
    day = 86_400.0 * 1.1
    cast.scenario = replace(
        whole,
        days=1.1,
        candidates=tuple(each for each in whole.candidates if each.at < day),
        drift=tuple(each for each in whole.drift if each.at < day),
        faults=tuple(each for each in whole.faults if each.at < day),
    )
    run = Rehearsal(cast, 1).run()
    assert run.violations == ()
    assert run.rolled_back == 1


@pytest.mark.slow
@pytest.mark.parametrize("file", FILES, ids=lambda file: file.parent.name)
def test_a_hundred_seeds_of_the_whole_of_it(file: Path) -> None:
    cast = read(file)
    broken = [each for seed in range(1, 101) for each in Rehearsal(cast, seed).run().violations]
    assert broken == []
