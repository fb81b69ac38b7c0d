"""The loop: gather, decide, act. The only file of `control` that reads a clock or changes the world.

Each tick reads the facts anew from where it stopped, asks the pure planner, has the plan checked by code that did not
write it, writes facts and commands in one transaction, and only then carries commands out. Crash points, each repaired
by ticking again:

- before the transaction: nothing happened; the same facts give the same plan.
- after it, before a command is carried out: the command is claimed again when the claim runs out, with the same key.
- while it is carried out: gateway orders are idempotent on their epoch, trainings on their experiment digest.
- after it, before its outcome is written: as above; the second time finds it done.

Two controllers: one holds the lease. A holder that was overtaken unawares is refused by the ledger (its fence is old)
and by the gateway (its epoch is low).

A planner or a part of the look (`looking.py`) that raises is told like all else, the others' plans are carried out, and
the tick ends by raising it.
"""

from typing import NoReturn, Protocol

import msgspec
from msgspec.structs import replace

from flyball.control.decision import Situation
from flyball.control.failing import ACTION as PLANNER
from flyball.control.failing import raised
from flyball.control.failure import Failure
from flyball.control.giving_up import died_of, given_up
from flyball.control.plan import Plan, plan
from flyball.control.reconcile.checking import Checked, checked
from flyball.control.reconcile.explanations import explanations
from flyball.control.reconcile.foretelling import Foretelling
from flyball.control.reconcile.looking import Looking, Sensor
from flyball.control.reconcile.outlook import Seen
from flyball.control.refusing import refused
from flyball.control.retries import spent, wait_s
from flyball.control.state.fold import fold
from flyball.control.state.service_state import ServiceState
from flyball.core import events as e
from flyball.core.clock import Clock, timestamp
from flyball.core.errors import Conflict, FlyballError, NotFound, Refused, StaleEpoch, Unavailable
from flyball.core.ledger import Claimed, Lease, Ledger
from flyball.core.policy import declaration_digest, policy_digest
from flyball.core.ports import Gateways
from flyball.core.routing import Routing
from flyball.core.service import Service

MAX_MOVES = 20  # moves of one tick; a plan that never rests is a fault of ours and must not starve the others
CLAIM_S = 30.0  # after this a command that nobody finished is taken up again


class Learner(Protocol):
    """Trains; writes its own facts (they are idempotent by the experiment digest)."""

    def learn(self, state: ServiceState, claimed: Claimed) -> None:
        """Carry the command out, or begin to. It finishes the command itself."""
        ...


class Reconciler:
    """Keeps one service where its facts and its policy say it should be."""

    def __init__(
        self,
        service: Service,
        *,
        ledger: Ledger,
        gateways: Gateways,
        sensor: Sensor,
        learner: Learner,
        clock: Clock,
        owner: str,
        foretelling: Foretelling | None = None,
        lease_s: float = 15.0,
    ) -> None:
        """Foretelling: of rollouts that would open; None: nobody looks whether they can answer."""
        self.service = service
        self.state = ServiceState(service=service.metadata.name)
        self.seen = Seen()  # what the sensor said last
        self._looking = Looking(service, gateways=gateways, sensor=sensor, foretelling=foretelling)
        self._ledger, self._gateways, self._learner = ledger, gateways, learner
        self._clock, self._owner, self._lease_s = clock, owner, lease_s
        self._policy, self._declared = policy_digest(service), declaration_digest(msgspec.to_builtins(service))
        self._lease: Lease | None = None
        self._leased_at = 0.0  # monotonic seconds

    def tick(self) -> Plan | None:
        """One round until nothing moves any more. None: another controller holds the lease, or has just taken it.

        Raises: PlannerFailed: a planner or a part of the look raised; the round was made without it.
        """
        lease = self._held_lease()
        if lease is None:
            return None
        self.catch_up()
        self.seen = self._look()
        made, failed = None, dict[str, Failure]()
        try:
            for _ in range(MAX_MOVES):
                situation = self._situation(self.seen)
                made = plan(situation)
                failed |= {failure.planner: failure for failure in made.failures}
                found = checked(made, situation, self.state, self.service)
                if found.broken:
                    self._refuse(made, found, lease)
                self._write(made, lease)
                moved = self._carry_out(lease)
                self.catch_up()
                if not made.acts and not moved:
                    break
                self.seen = self._look()
        except (StaleEpoch, Conflict) as lost:
            # Somebody else acts, or wrote about the service a moment ago (a person, a gateway): the next tick
            # reads what they wrote. Nothing of this plan was carried out.
            if isinstance(lost, StaleEpoch):
                self._lease = None
            return None
        if failed:
            raise raised(self.state.service, failed.values())
        return made

    def _held_lease(self) -> Lease | None:
        """Renewed at half its time, since each renewal is a synced write. Until then the ledger's fence is what counts:
        whoever was overtaken, paused or not, is refused with the first thing that is written."""
        asked = self._clock.monotonic()
        if self._lease is None or not 0 <= asked - self._leased_at < self._lease_s / 2:
            self._lease = self._ledger.lease(f"control/{self.state.service}", self._owner, ttl_s=self._lease_s)
            self._leased_at = asked
        return self._lease

    def stop(self) -> None:
        """Give the lease back, so that the next controller need not wait for its end."""
        if self._lease is not None:
            self._ledger.release(self._lease)

    def catch_up(self) -> ServiceState:
        """Read the facts that are new."""
        for entry in self._ledger.read(self.state.version, subject=self.state.service):
            self.state = fold(self.state, entry)
        return self.state

    def _look(self) -> Seen:
        return self._looking.look(self.state, self._now())

    def _now(self) -> str:
        return timestamp(self._clock.now())

    @property
    def stale(self) -> bool:
        """Whether the ledger holds another declaration than this controller runs: somebody has to start it anew."""
        return self.state.policy not in ("", self._policy)

    @property
    def declared_anew(self) -> bool:
        """The same of the whole declaration: whom alerts wake, what is drilled and reviewed, whose the service is."""
        return self.state.declared not in ("", self._declared)

    def _situation(self, seen: Seen) -> Situation:
        now, now_s = self._now(), self._clock.monotonic()
        return self._looking.situation(self.state, seen, now=now, now_s=now_s, stale=self.stale)

    def _refuse(self, made: Plan, found: Checked, lease: Lease) -> NoReturn:
        """Nothing of the plan is carried out; that is told, and so is all else that people have to hear: a fault in
        one concern silences no alert. Raises: FlyballError."""
        broken, traces = found.broken, [found.trace, *(failure.trace for failure in made.failures)]
        own = [decision for decision in made.decisions if decision.action.startswith(PLANNER)]
        self._write(replace(made, decisions=(refused(broken), *own)), lease)
        for _ in range(MAX_MOVES):
            self.catch_up()
            situation = replace(self._situation(self.seen), refused=True)
            told = plan(situation)
            more = checked(told, situation, self.state, self.service)
            traces += [more.trace, *(failure.trace for failure in told.failures)]
            if more.broken:
                broken = (*broken, *more.broken)
                break
            self._write(told, lease)
            if not told.acts:
                break
        what = f"the plan for {made.service} breaks its own rules: {'; '.join(broken)}"
        raise FlyballError("\n".join([what, *dict.fromkeys(trace for trace in traces if trace)]))

    def _write(self, made: Plan, lease: Lease) -> None:
        """Facts, explanations and commands of a plan, all or nothing."""
        facts = [fact for decision in made.decisions for fact in decision.facts]
        facts += explanations(made.decisions, self.state)
        commands = [command for decision in made.decisions for command in decision.commands]
        if facts or commands:
            self._ledger.append(facts, expected=self.state.version, fence=lease, commands=commands)

    def _carry_out(self, lease: Lease) -> bool:
        """Claim and do what was ordered. True where something was done."""
        done = False
        while claimed := self._ledger.claim(self.state.service, self._owner, ttl_s=CLAIM_S):
            command = claimed.command
            if self._held(claimed):
                self._ledger.postpone(command.key, delay_s=1.0, error="the service is frozen", failed=False)
                continue
            try:
                if died := died_of(claimed):
                    raise Unavailable(died)
                self._do(claimed, lease)
                done = True
            except Unavailable as error:
                if spent(command.kind, claimed.attempts):
                    self._ledger.append([given_up(claimed, str(error))], fence=lease, finished=[command.key])
                    continue
                delay_s = wait_s(command.kind, claimed.attempts, command.key)
                self._ledger.postpone(command.key, delay_s=delay_s, error=str(error))
        return done

    def _held(self, claimed: Claimed) -> bool:
        """Whether a freeze holds back an order that was given before it. The way back is never held."""
        state, routing = self.catch_up(), self.state.routing
        if state.frozen is None:
            return False
        if claimed.command.kind != "route" or routing is None:
            return True
        tried = routing.candidate is not None or any(arm.buckets for arm in routing.arms)
        return tried or routing.champion != state.champion

    def _do(self, claimed: Claimed, lease: Lease) -> None:
        command = claimed.command
        match command.kind:
            case "route":
                routing = self.catch_up().routing
                # an order that a newer one has overtaken is finished without being given
                current = routing is not None and routing.epoch == command.body["epoch"]
                facts = self._give(command.key, routing) if routing is not None and current else []
                self._ledger.append(facts, fence=lease, finished=[command.key])
            case "recycle":
                self._recycle(claimed, lease)
            case "train":
                self._learner.learn(self.state, claimed)
            case other:
                raise FlyballError(f"command {command.key} has the unknown kind {other!r}")

    def _recycle(self, claimed: Claimed, lease: Lease) -> None:
        """Order it. A gateway that cannot is an answer, which the remedy's verdict reads. Raises: Unavailable."""
        command, facts = claimed.command, list[e.AnyFact]()
        try:
            self._gateways.recycle(command.key, command.subject, self.catch_up().epoch)
        except (Refused, NotFound) as error:
            facts = [given_up(claimed, str(error))]
        self._ledger.append(facts, fence=lease, finished=[command.key])

    def _give(self, key: str, routing: Routing) -> list[e.AnyFact]:
        """Order it, and what came of it. A champion that the gateway refuses is no answer but an alarm.

        Raises: Unavailable: to be tried again. Untrusted, NotFound: the champion itself.
        """
        name = f"route/{routing.service}/{routing.epoch}"
        running = self.state.rollout.step if self.state.rollout else None
        try:
            self._gateways.apply(key, routing)
        except StaleEpoch:
            return []  # the gateway holds a newer epoch than the ledger knows: the planner sees it and orders above it
        except (Refused, NotFound) as error:
            of_test = self.state.ab is not None and self.state.ab.key == name
            if not of_test and (running is None or running.key != name):
                raise
            return [e.RoutingRefused(service=routing.service, key=name, epoch=routing.epoch, error=str(error))]
        return [e.RoutingApplied(service=routing.service, key=name, epoch=routing.epoch)]
