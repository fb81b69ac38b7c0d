"""What a person may say about an A/B test: begin it, weigh its arms, end it. Each is one fact, named and proven.

Who may: the role `approver` begins and weighs, because arms are live traffic; an operator may end. One comparison at a
time: a test does not begin beside a rollout, unless the person ends that one with the same word (nothing speaks against
its release, so it may be rolled out again later).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from flyball.app.ab_words import Wanted, fault
from flyball.app.people import Person, Word, may, say
from flyball.control.decision import order
from flyball.control.rollout.rolling_back import way_back
from flyball.control.state.ab_state import AbState
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.arms import Arm
from flyball.core.codec import digest
from flyball.core.errors import BadInput, Refused
from flyball.core.facts.ab import AbMetric
from flyball.core.ids import ReleaseRoot, RolloutId, ServiceName, short
from flyball.core.ledger import Command, Entry, Ledger
from flyball.core.routing import WHOLE
from flyball.core.service import Guardrails, Metadata
from flyball.serving.routing.allotment import allotted


def start(
    ledger: Ledger,
    subject: str,
    person: Person,
    arms: Sequence[Wanted],
    *,
    metric: AbMetric | None = None,
    until: str | None = None,
    why: str = "",
    end_rollout: bool = False,
) -> tuple[Entry, ...]:
    """Begin a test under the guardrails that the service declares. `until`: it ends by itself then, RFC 3339, UTC.

    Raises: NotFound, BadInput (a release that is not there or may not be an arm), Refused (a test or a rollout runs, or
        the person may not).
    """

    def word(state: ServiceState, metadata: Metadata) -> Word:
        may(metadata, person, ("approver",))
        service = ServiceName(state.service)
        _fits(metric, declared[service])
        if state.champion is None:
            raise Refused(f"{service} serves no release yet: nothing to compare arms with")
        if state.ab is not None:
            raise Refused(
                f"{service}: A/B test {state.ab.started.test} runs, one at a time",
                hint=f"flyball ab weigh {service} changes weights, flyball ab stop {service} ends it",
            )
        facts, commands = _ended(state, person, end_rollout=end_rollout)
        name = RolloutId("ab-" + short(digest("flyball/ab/v1", [service, state.version, [each.name for each in arms]])))
        bare = [Arm(name=each.name, release=_release(state, each)) for each in arms]
        started = e.AbStarted(
            service=service,
            test=name,
            champion=ReleaseRoot(state.champion),
            arms=allotted(bare, {each.name: each.weight for each in arms}),
            guardrails=_guardrails(declared[service]),
            metric=metric,
            until=until,
            by=person.name,
            proof=person.proof,
            why=why,
        )
        roots = tuple(str(arm.release) for arm in bare)
        running = state.rollout.rollout if state.rollout else ""
        return Word(about=(state.champion, running, *roots), facts=(*facts, started), commands=commands)

    _apart(arms)
    declared = {
        entry.subject: entry.fact.declaration for entry in ledger.read() if isinstance(entry.fact, e.ServiceDeclared)
    }
    return say(ledger, subject, word)


def weigh(ledger: Ledger, subject: str, person: Person, weights: Mapping[str, int], why: str = "") -> tuple[Entry, ...]:
    """Other weights for some arms; the units of the others stay where they are.

    Raises: NotFound, Refused (no test runs, an arm was stopped, or the person may not), BadInput.
    """

    def word(state: ServiceState, metadata: Metadata) -> Word:
        may(metadata, person, ("approver",))
        test = _running(state)
        arms = test.wanted
        if unknown := sorted(weights.keys() - {arm.name for arm in arms}):
            known = ", ".join(arm.name for arm in arms)
            raise _faulty(f"arms of the test: {known}", ", ".join(unknown))
        if gone := sorted(name for name, weight in weights.items() if weight and name in test.gone):
            raise Refused(f"arm {', '.join(gone)} was stopped: it gets no units again in {test.started.test}")
        try:
            wanted = allotted(arms, weights)
        except ValueError as error:
            raise _faulty(str(error), str(dict(weights))) from error
        if sum(arm.weight for arm in wanted) >= WHOLE:
            raise _faulty("weights that leave the champion 0.01 % or more", str(dict(weights)))
        fact = e.AbWeighed(
            service=ServiceName(state.service),
            test=test.started.test,
            arms=wanted,
            by=person.name,
            proof=person.proof,
            why=why,
        )
        return Word(about=(test.started.test, *sorted(test.gone)), facts=(fact,) if wanted != arms else ())

    return say(ledger, subject, word)


def stop(
    ledger: Ledger, subject: str, person: Person, why: str = "", *, winner: str | None = None
) -> tuple[Entry, ...]:
    """End the running test: all units are the champion's again. A freeze does not keep it from happening. The release
    of the `winner` is the next to be rolled out, with all that a rollout asks; without one no arm's is.

    Raises: NotFound, Refused (no test runs, the winner was stopped, or the person may not), BadInput (no such arm).
    """

    def word(state: ServiceState, metadata: Metadata) -> Word:
        may(metadata, person, ("operator", "approver"))
        test = _running(state)
        name, service, known = test.started.test, ServiceName(state.service), [arm.name for arm in test.arms]
        if winner is not None and winner not in known:
            raise BadInput("The winner is faulty.", (fault("--winner", f"one of {', '.join(known)}", winner),))
        if winner in test.gone:
            raise Refused(f"arm {winner} was stopped: it is worse than the champion")
        fact = e.AbStopOrdered(service=service, test=name, by=person.name, proof=person.proof, winner=winner, why=why)
        return Word(about=(name, *sorted(test.gone)), facts=(fact,))

    return say(ledger, subject, word)


def _running(state: ServiceState) -> AbState:
    if state.ab is None:
        raise Refused(f"{state.service}: no A/B test runs", hint=f"flyball ab start {state.service}")
    return state.ab


def _ended(
    state: ServiceState, person: Person, *, end_rollout: bool
) -> tuple[tuple[e.AnyFact, ...], tuple[Command, ...]]:
    """What ends the running rollout, if one runs. Raises: Refused: nobody said that it may be ended."""
    rollout = state.rollout
    if rollout is None:
        return (), ()
    if not end_rollout:
        raise Refused(
            f"{state.service}: rollout {rollout.rollout} of release {short(rollout.release)} runs, one at a time",
            hint="--end-rollout ends it (its release may be rolled out again); or wait for its end",
        )
    reason = f"{person.name} began an A/B test in its place"
    closed = e.RolloutClosed(
        service=ServiceName(state.service),
        rollout=RolloutId(rollout.rollout),
        outcome="expired",
        reason=reason,
        again=True,
    )
    routing, back = way_back(state, reason)
    return (back, closed), (order(routing),)


def _release(state: ServiceState, wanted: Wanted) -> ReleaseRoot:
    """Raises: BadInput: none, several, or one that may not be asked."""
    if wanted.release == "champion":
        return ReleaseRoot(str(state.champion))
    digits = wanted.release.rsplit(":", 1)[-1]
    found = [root for root in state.releases if len(digits) >= 8 and root.rsplit(":", 1)[-1].startswith(digits)]
    able = [root for root, release in state.releases.items() if release.passed and root not in state.withdrawn]
    if len(found) == 1 and (found[0] in able or found[0] == state.champion):
        return ReleaseRoot(found[0])
    known = ", ".join(short(root) for root in able) or "none"
    expected = f"a release that passed its gates and was not withdrawn ({known}), by 8 or more hex digits, or champion"
    why = "several" if len(found) > 1 else "no such release" if not found else "it failed its gates or was withdrawn"
    raise BadInput("The arms are faulty.", (fault("--arm", expected, f"{wanted.release} ({why})"),))


def _apart(arms: Sequence[Wanted]) -> None:
    """Raises: BadInput: two arms have one release; only the champion's may be an arm beside itself (an A/A test)."""
    others = [each.release.rsplit(":", 1)[-1][:8] for each in arms if each.release != "champion"]
    if len(set(others)) < len(others):
        raise BadInput(
            "The arms are faulty.", (fault("--arm", "a release of its own for each arm", ", ".join(others)),)
        )


def _faulty(expected: str, found: str) -> BadInput:
    return BadInput("The weights are faulty.", (fault("ARM=WEIGHT", expected, found),))


def _guardrails(declaration: Mapping[str, Any]) -> Guardrails:
    """As declared, the defaults where the declaration says nothing."""
    return msgspec.convert(declaration.get("rollout", {}).get("guardrails", {}), Guardrails)


def _fits(metric: AbMetric | None, declaration: Mapping[str, Any]) -> None:
    """Raises: BadInput: the metric is none of this task."""
    task = declaration.get("experiment", {}).get("task")
    if (metric, task == "regression") in (("accuracy", True), ("mae", False)):
        able = "mae or label" if task == "regression" else "accuracy or label"
        raise BadInput("The metric does not fit.", (fault("--metric", f"{able} (the task is {task})", str(metric)),))
