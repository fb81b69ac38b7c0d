"""Where an A/B test stands: a fold over its facts."""

from msgspec.structs import replace

from flyball.core import events as e
from flyball.core.arms import Arm
from flyball.core.record import Record


class AbState(Record):
    """A test that is open."""

    started: e.AbStarted
    started_at: str
    arms: tuple[Arm, ...]  # as a person weighed them last
    gone: frozenset[str] = frozenset()  # names of arms that the gateway has stopped
    key: str | None = None  # of the newest order for it
    applied: bool = False  # that order is in force
    refused: str | None = None  # why the gateway will not have it
    stop: e.AbStopOrdered | None = None
    waited: frozenset[str] = frozenset()  # releases that waited for a rollout when it began

    @property
    def wanted(self) -> tuple[Arm, ...]:
        """The arms as they should be in force: those that are gone have no units."""
        return tuple(replace(arm, buckets=()) if arm.name in self.gone else arm for arm in self.arms)


def folded(test: AbState | None, fact: e.AnyFact, at: str) -> AbState | None:
    """One fact further. A fact of another test changes nothing."""
    if isinstance(fact, e.AbStarted):
        return AbState(started=fact, started_at=at, arms=fact.arms)
    if test is None:
        return None
    match fact:
        case e.RoutingOrdered(key=key, routing=routing) if routing.rollout == test.started.test:
            return replace(test, key=key, applied=False, refused=None)
        case e.RoutingApplied(key=key) if key == test.key:
            return replace(test, applied=True)
        case e.RoutingRefused(key=key, error=error) if key == test.key:
            return replace(test, refused=error)
        case e.AbWeighed(test=name, arms=arms) if name == test.started.test:
            return replace(test, arms=arms)
        case e.AbArmStopped(test=name, arm=arm) if name == test.started.test:
            return replace(test, gone=test.gone | {arm})
        case e.AbStopOrdered(test=name) if name == test.started.test:
            return replace(test, stop=fact)
        case e.AbClosed(test=name) if name == test.started.test:
            return None
        case _:
            return test
