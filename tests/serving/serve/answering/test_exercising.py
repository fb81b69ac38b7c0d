"""Of several workers one exercises the chain, and the next one when it ends."""

import asyncio
from pathlib import Path
from typing import Any

from tests.serving.parts import gateway, routing, row, service
from tests.serving.serve.answering.test_asked_once import asked

from flyball.adapters.clock import SystemClock
from flyball.core.declared.serving import Exercising as Declared
from flyball.core.facts.fallback import FallbackExercised
from flyball.core.service import Constant, FallbackLink
from flyball.serving.resilience.overload import Overloads
from flyball.serving.serve.answering.duty import Duty
from flyball.serving.serve.answering.exercising import exercising

CHAIN = (FallbackLink(constant=Constant(prediction=0, score=0.0)),)


def test_of_two_workers_one_exercises_the_chain_for_both(tmp_path: Path) -> None:
    declared = service(fallback=CHAIN, exercise=Declared(rows=2, share=1.0))
    core = gateway(declared)
    core.route(routing(candidate=None, rollout=None, guardrails=None, step=None))
    arms: Any = None  # a constant asks nobody
    found: dict[str, list[FallbackExercised]] = {"first": [], "second": []}

    async def story() -> None:
        workers = {}
        for name, left in found.items():
            workers[name] = exercising(core, arms, Overloads(declared.serving.overload, deadline_s=1.0), SystemClock())
            workers[name].duty, workers[name].leave = Duty(tmp_path / "exercise-shop"), left.append
        for number in range(4):
            _, batch = asked(core, [row(card=f"c{number}")], lambda _: None)
            for worker in workers.values():
                worker.offer(batch)
        for worker in workers.values():
            await asyncio.gather(*worker._tasks)

    asyncio.run(story())
    assert [(one.link, one.rows) for one in found["first"]] == [("constant", 2)]
    assert found["second"] == []
