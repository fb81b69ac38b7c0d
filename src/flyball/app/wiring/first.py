"""Before a service comes up it needs a champion: train the first release where there is none."""

from collections.abc import Callable, Sequence
from pathlib import Path

from flyball.app.declared import load
from flyball.app.home import Home
from flyball.app.wiring.pipeline import pipeline_of
from flyball.core.errors import Refused
from flyball.core.ids import short


def first_releases(services: Sequence[Path], home: Home, *, say: Callable[[str], None]) -> None:
    """Raises: BadInput: with the faults of a declaration. Refused: a first release did not pass its gates."""
    declared = [load(path) for path in services]
    with pipeline_of(home) as pipeline:
        for each in declared:
            name = each.service.metadata.name
            pipeline.declare(each)
            if pipeline.registry(name).champion is not None:
                continue
            say(f"{name}: no release serves yet, training the first")
            trained = pipeline.train(each, pipeline.snapshot_source(each), reason="first")
            if pipeline.registry(name).champion is None:
                failed = "; ".join(gate.reason for gate in trained.release.gates if not gate.passed)
                why = failed or "autonomy.first is `approval`: flyball approve it"
                raise Refused(f"{name}: release {short(trained.release.root)} may not serve: {why}")
