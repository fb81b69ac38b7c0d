"""Before a service comes up it needs a champion: train the first release where there is none."""

from collections.abc import Callable, Sequence

from flyball.app.declared import Declared
from flyball.app.home import Home, command
from flyball.app.wiring.training.pipeline import pipeline_of
from flyball.core.errors import Refused
from flyball.core.ids import short
from flyball.core.release import Release, refusals


def first_releases(declared: Sequence[Declared], home: Home, *, say: Callable[[str], None]) -> None:
    """Raises: Refused: a first release did not pass its gates, or waits for a person."""
    with pipeline_of(home) as pipeline:
        for each in declared:
            name = each.service.metadata.name
            pipeline.declare(each)
            if pipeline.registry(name).champion is not None:
                continue
            say(f"{name}: no release serves yet, training the first")
            trained = pipeline.train(each, pipeline.snapshot_source(each), reason="first")
            if pipeline.registry(name).champion is None:
                raise _why_not(trained.release, command(home, "approve", name))


def _why_not(release: Release, approve: str) -> Refused:
    """A release that may not serve: its gates say so, or nobody has said yes yet."""
    told = f"{release.service}: release {short(release.root)} may not serve"
    if release.passed:
        return Refused(f"{told}: it waits for a person's approval (autonomy.first)", hint=approve)
    failed = "; ".join(refusals(release.gates, release.tests))
    return Refused(f"{told}: {failed}", hint="the gates, the data or the model have to change")
