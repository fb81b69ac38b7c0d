"""`flyball status` in a terminal: nothing is cut, and a sentence has the width that there is."""

import io

import pytest
from rich.console import Console

from flyball.app.cli.status import ServiceStatus, _table
from flyball.core.health import Health

WAITS = "a person to make 0a1b2c3d the first champion: flyball approve fraud-detection-of-cards"
ALERT = "page ErrorBudgetBurn (al-0123456789ab): nobody has it"


def standing(name: str) -> ServiceStatus:
    return ServiceStatus(
        service=name,
        standing="champion 0a1b2c3d serves everything, epoch 12",
        champion="0a1b2c3d",
        previous=None,
        epoch=12,
        rollout=None,
        step=None,
        ab_test=None,
        ticket=None,
        incident=None,
        health=Health(state="UNHEALTHY", why="12 of 400 rows (3.00%) of the champion failed in 5 min"),
        health_since="2026-11-27T05:00:00.000000Z",
        remedies=(),
        frozen=False,
        exceptions=(),
        exceptions_given=0,
        champion_by_exception=False,
        champion_alone="",
        signals=("psi/amount", "quality"),
        alerts=(ALERT,),
        waiting_for=(WAITS,),
    )


@pytest.mark.parametrize("width", [80, 100])
def test_each_service_is_a_block_whose_lines_are_whole(width: int) -> None:
    out = io.StringIO()
    Console(file=out, width=width).print(_table([standing("fraud-detection-of-cards"), standing("loans")]))
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert max(map(len, lines)) <= width
    assert len(lines) <= 2 * 9 + 1, "a few lines each"
    told = " ".join(" ".join(lines).split())
    assert told.count(ALERT) == 2
    assert told.count(WAITS) == 2
    assert any(line.startswith("loans ") and "champion 0a1b2c3d serves everything, epoch 12" in line for line in lines)
