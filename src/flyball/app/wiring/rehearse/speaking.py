"""Words of people that a scenario names, said at their time: each is one verb of the production code.

A word that cannot be said yet (no rollout runs, the ledger is away) is tried again for an hour: people do that too.
"""

from datetime import datetime
from typing import Final, get_args

from flyball.app import exceptions, people, rollouts, triggers
from flyball.app.people import Person
from flyball.app.rehearse.scenario import Word
from flyball.app.retrains import retrain
from flyball.control.state.service_state import ServiceState
from flyball.core.declared.kinds import TriggerSource
from flyball.core.errors import Conflict, NotFound, Refused, Unavailable
from flyball.core.ledger import Entry, Ledger
from flyball.core.service import Service

INSISTS_S: Final = 3600.0
WHY: Final = "the scenario says so"
ANYBODY: Final = Person(name="simulated operator", proof="simulated", every_role=True)


class Speaking:
    """All words of one scenario."""

    def __init__(self, service: Service, ledger: Ledger, words: tuple[Word, ...]) -> None:
        self._service, self._ledger = service, ledger
        self._left = sorted(words, key=lambda each: each.at)
        self.said = 0
        self._unsaid: list[tuple[Word, str]] = []  # given up, and why

    def due(self, now_s: float) -> bool:
        """Whether somebody wants to say something now, seconds since the beginning."""
        return bool(self._left) and self._left[0].at <= now_s

    @property
    def unsaid(self) -> tuple[str, ...]:
        """Words that could not be said, and why."""
        over = [*self._unsaid, *((word, "it was over before") for word in self._left)]
        return tuple(f"{word.say} at {word.at:g} s: {why}" for word, why in over)

    def say(self, state: ServiceState, now_s: float, now: datetime) -> bool:
        """What is due, one after the other. True where something was written."""
        spoke = False
        for word in [each for each in self._left if each.at <= now_s]:
            try:
                spoke = bool(self._one(word, state, now)) or spoke
            except (Conflict, NotFound, Refused, Unavailable) as error:
                if now_s < word.at + INSISTS_S:
                    continue
                self._unsaid.append((word, str(error)))
            else:
                self.said += 1
            self._left.remove(word)
        return spoke

    def _one(self, word: Word, state: ServiceState, now: datetime) -> tuple[Entry, ...]:
        """Raises: Conflict, NotFound, Refused, Unavailable: not now."""
        ledger, name, person = self._ledger, state.service, self._person(word, state)
        match word.say:
            case "approve":
                return people.approve(ledger, name, person, WHY, now=now)
            case "reject":
                return people.reject(ledger, name, person, WHY)
            case "rollback":
                return people.roll_back(ledger, name, person, WHY)
            case "freeze":
                return people.freeze(ledger, name, person, WHY)
            case "thaw":
                return people.thaw(ledger, name, person, WHY)
            case "pause":
                return rollouts.pause(ledger, name, person, WHY)
            case "resume":
                return rollouts.resume(ledger, name, person, WHY)
            case "promote":
                return rollouts.promote(ledger, name, person, WHY)
            case "retrain":
                return retrain(ledger, name, person, WHY)
            case "except" | "confirm" | "revoke":
                return self._of_gates(word, state, person, now)
            case source:
                assert source in get_args(TriggerSource)
                return triggers.receive(ledger, name, person, source, reference=f"{source} at {word.at:g} s", why=WHY)

    def _of_gates(self, word: Word, state: ServiceState, person: Person, now: datetime) -> tuple[Entry, ...]:
        ledger, name = self._ledger, state.service
        if word.say == "except":
            failed = [each for each in state.releases.values() if not each.passed]
            if not failed:
                raise NotFound("no release failed a gate")
            gate = next(each.name for each in failed[-1].gates if not each.passed)
            return exceptions.request(
                ledger, name, failed[-1].root, gate, person, WHY, declared=self._service, now=now, lasts_s=word.lasts_s
            )
        standing = [one for one in state.exceptions.standing.values() if word.say == "revoke" or one.confirmed is None]
        if not standing:
            raise NotFound("no exception waits")
        asked = standing[-1].requested.exception
        if word.say == "revoke":
            return exceptions.revoke(ledger, name, asked, person, WHY)
        return exceptions.confirm(ledger, name, asked, person, WHY, declared=self._service, now=now)

    def _person(self, word: Word, state: ServiceState) -> Person:
        """Whom the scenario names; for exceptions, where it names nobody, somebody with the role who has not spoken."""
        if word.by:
            return Person(name=word.by, proof="simulated")
        if word.say not in ("except", "confirm"):
            return ANYBODY
        spoken = {one.requested.by for one in state.exceptions.standing.values()} if word.say == "confirm" else set()
        able = [who for who, has in self._service.metadata.people.items() if exceptions.ROLE in has]
        return next((Person(name=who, proof="simulated") for who in able if who not in spoken), ANYBODY)
