"""How the newest rollout of each release ended: a fold beside that of the loop, which forgets what is over."""

from typing import Literal

from msgspec.structs import replace

from flyball.core import events as e
from flyball.core.ledger import Entry
from flyball.core.record import Record
from flyball.core.routing import Verdict


class Ending(Record):
    """Of one rollout."""

    rollout: str
    release: str
    outcome: Literal["promoted", "rolled_back", "rejected", "expired"] | None = None  # None: it runs
    reason: str = ""
    verdict: Verdict | None = None  # the newest judgement: of a step, or the one that sent it back


class Endings:
    """Of all services of one ledger, as far as it was read."""

    def __init__(self) -> None:
        self._by_rollout: dict[str, Ending] = {}
        self._newest: dict[str, dict[str, str]] = {}  # service -> release -> rollout

    def add(self, entry: Entry) -> None:
        """One fact further; most change nothing."""
        match entry.fact:
            case e.RolloutOpened(rollout=name, release=release):
                self._by_rollout[name] = Ending(rollout=name, release=release)
                self._newest.setdefault(entry.subject, {})[release] = name
            case e.StepJudged(rollout=name, verdict=verdict) | e.RolledBack(rollout=name, verdict=verdict):
                self._further(name, verdict=verdict)
            case e.RolloutClosed(rollout=name, outcome=outcome, reason=reason):
                self._further(name, outcome=outcome, reason=reason)
            case e.ChampionAppointed(rollout=None, previous=str() as release, by=by):
                # no rollout brought this champion: a person took the one before back
                if (taken := self._newest.get(entry.subject, {}).get(release)) is not None:
                    self._further(taken, outcome="rolled_back", reason=f"taken back by {by}")
            case _:
                return

    def of(self, service: str) -> dict[str, Ending]:
        """By release."""
        return {release: self._by_rollout[name] for release, name in self._newest.get(service, {}).items()}

    def _further(self, name: str, **more: object) -> None:
        if (known := self._by_rollout.get(name)) is not None:
            self._by_rollout[name] = replace(known, **more)
