"""`python -m benchmarks drills`, without its four minutes: what it asks for, and that both tables are printed."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
from benchmarks import __main__ as benchmarks
from benchmarks import drills
from tests.app.drills.test_report import SOUND

from flyball.app.drills.disaster import DisasterReport
from flyball.app.drills.disaster import markdown as of_disaster
from flyball.app.drills.faults import FAULTS
from flyball.app.drills.report import DrillReport, table
from flyball.app.home import Home
from flyball.app.wiring.drills.run import disaster, run
from flyball.app.wiring.drills.turns import Wanted

LOST = DisasterReport(
    fault="disaster",
    drill="dr-2",
    service="fraud",
    ok=True,
    rpo_s=None,
    newest_backup="",
    newest_facts_lost=None,
    drill_rpo_s=0.0,
    rto_s=7.1,
    facts_lost=0,
    backup_age_s=0.1,
    backup_s=0.2,
    size=1,
    entries=1,
    verified=True,
    routing="abc at epoch 1",
    answered_by="abc",
    reproduced="IDENTICAL",
    differences=(),
)


def standing_in(real: Callable[..., Any], answer: Any, asked: list[tuple[Any, ...]]) -> Callable[..., Any]:
    """Answers whoever calls it as the real one may be called."""

    def call(*args: Any, **words: Any) -> Any:
        inspect.signature(real).bind(*args, **words)
        asked.append(args)
        return answer

    return call


def test_it_asks_for_every_fault_and_the_disaster_and_prints_both(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked: list[tuple[Any, ...]] = []
    monkeypatch.setattr(drills, "run", standing_in(run, DrillReport(drills=(SOUND,), seconds=300.0), asked))
    monkeypatch.setattr(drills, "disaster", standing_in(disaster, LOST, asked))
    assert benchmarks.main(["drills"]) == 0
    (home, wanted, *_), (elsewhere, *_) = asked
    assert isinstance(wanted, Wanted)
    assert wanted.faults == tuple(FAULTS)
    assert isinstance(home, Home)
    assert home != elsewhere
    said = capsys.readouterr().out
    assert "\n".join(table((SOUND,))) in said
    assert "1 of 1 over with no hand" in said
    assert "in 300 s" in said
    assert of_disaster(LOST) in said
