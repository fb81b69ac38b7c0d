"""The word of a person, and what somebody else writes at the same moment."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from tests.control.world import FIRST, NAME, POLICY, SECOND, THIRD, first_champion, registered

from flyball.adapters.ledger.memory import MemoryLedger, SimulatedClock
from flyball.app.people import ATTEMPTS, Person, approve, freeze, reject, roll_back, states_of, thaw
from flyball.core import events as e
from flyball.core.clock import moment, timestamp
from flyball.core.errors import BadInput, Conflict, NotFound, Refused
from flyball.core.ids import Digest, Epoch, RolloutId, ServiceName
from flyball.core.ledger import Entry
from flyball.core.routing import Routing
from flyball.core.watching import Diagnosis
from flyball.registry import chain

ADA = Person(name="ada", proof="os_user")
BOB = Person(name="bob", proof="os_user")
PEOPLE = {"ada": ["approver"], "bob": ["operator"]}
ROLLOUT = RolloutId("ro-1")
ASKED = e.ApprovalRequested(
    service=NAME,
    rollout=ROLLOUT,
    step=0,
    model=SECOND,
    evidence=Digest("sha256:" + "1" * 64),
    policy=POLICY,
    role="approver",
    expires_at="2999-01-01T00:00:00.000000Z",  # not by the clock of whoever runs the tests
)
BROKE = timestamp(SimulatedClock().now() - timedelta(minutes=9))
TICK = e.DecisionTaken(service=NAME, action="rollout", why="wait")
CLOSED = e.RolloutClosed(service=NAME, rollout=ROLLOUT, outcome="rolled_back", reason="errors")
PROMOTED = (
    e.ChampionAppointed(service=NAME, release=SECOND, previous=FIRST, rollout=ROLLOUT),
    e.RolloutClosed(service=NAME, rollout=ROLLOUT, outcome="promoted", reason="every step advanced"),
)


class Contended(MemoryLedger):
    """A ledger on which somebody else is always a moment faster, as often as there is something to write."""

    between: list[Sequence[e.AnyFact]]

    def append(self, facts: Sequence[e.AnyFact], **options: Any) -> tuple[Entry, ...]:
        if options.get("expected") is not None and self.between:
            super().append(self.between.pop(0))
        return super().append(facts, **options)


def ledger_with(*facts: e.AnyFact, between: Sequence[Sequence[e.AnyFact]] = ()) -> Contended:
    ledger = Contended(sealer=chain, clock=SimulatedClock())
    ledger.between = []
    declared, *others = first_champion()
    assert isinstance(declared, e.ServiceDeclared)
    metadata = {"name": NAME, "owner": "risk", "people": PEOPLE}
    ledger.append([replace(declared, declaration={"metadata": metadata}), *others, *facts])
    ledger.between = list(between)
    return ledger


def asking() -> list[e.AnyFact]:
    """A second release whose rollout asks for an approval."""
    opened = e.RolloutOpened(
        service=NAME, rollout=ROLLOUT, release=SECOND, champion=FIRST, policy=POLICY, salt="s", reason="manual"
    )
    routing = Routing(service=NAME, epoch=Epoch(1), champion=FIRST, candidate=SECOND)
    step = e.StepStarted(service=NAME, rollout=ROLLOUT, step=0, kind="approval", key="k", routing=routing, why="")
    return [*registered(SECOND), opened, step, ASKED]


def newest(ledger: MemoryLedger, kind: type[e.Fact]) -> list[e.AnyFact]:
    return [entry.fact for entry in ledger.read() if isinstance(entry.fact, kind)]


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        (lambda ledger: approve(ledger, "fraud", ADA), e.ApprovalGiven),
        (lambda ledger: reject(ledger, "ro-1", ADA, "no"), e.ApprovalRejected),
        (lambda ledger: roll_back(ledger, "fraud", BOB, "smells"), e.RollbackOrdered),
        (lambda ledger: freeze(ledger, "fraud", BOB, "audit"), e.Frozen),
    ],
)
def test_a_controller_that_writes_at_the_same_moment_costs_no_word(
    word: Callable[[MemoryLedger], tuple[Entry, ...]], kind: type[e.Fact]
) -> None:
    ledger = ledger_with(*asking(), between=[[TICK]] * (ATTEMPTS - 1))
    (entry,) = word(ledger)
    assert isinstance(entry.fact, kind)
    assert len(newest(ledger, kind)) == 1
    assert len(newest(ledger, e.DecisionTaken)) == ATTEMPTS - 1


def test_who_loses_every_race_is_told_so() -> None:
    ledger = ledger_with(*asking(), between=[[TICK]] * ATTEMPTS)
    with pytest.raises(Conflict, match="somebody else wrote first"):
        thaw(ledger_with(e.Frozen(service=NAME, by="ada", why=""), between=[[TICK]] * ATTEMPTS), "fraud", ADA, "")
    with pytest.raises(Conflict, match="somebody else wrote first"):
        freeze(ledger, "fraud", ADA, "")


def test_an_approval_never_slides_onto_other_evidence() -> None:
    other = replace(ASKED, evidence=Digest("sha256:" + "2" * 64))
    ledger = ledger_with(*asking(), between=[[other]])
    with pytest.raises(Refused, match="has changed in the meantime"):
        approve(ledger, "fraud", ADA)
    assert not newest(ledger, e.ApprovalGiven)
    (entry,) = approve(ledger, "fraud", ADA)  # having looked again
    assert isinstance(entry.fact, e.ApprovalGiven)
    assert entry.fact.evidence == other.evidence


def test_a_rollback_never_slides_onto_the_champion_when_the_gateway_was_faster() -> None:
    before = e.ChampionAppointed(service=NAME, release=THIRD, previous=FIRST)
    ledger = ledger_with(*registered(THIRD), before, *asking(), between=[[CLOSED]])
    with pytest.raises(Refused, match="has changed in the meantime"):
        roll_back(ledger, "fraud", BOB, "smells")
    assert not newest(ledger, e.RollbackOrdered)


def test_a_rollback_of_a_release_that_was_promoted_a_moment_ago_is_still_meant() -> None:
    ledger = ledger_with(*asking(), between=[PROMOTED])
    (entry,) = roll_back(ledger, "fraud", BOB, "smells")
    assert isinstance(entry.fact, e.RollbackOrdered)
    assert states_of(ledger)["fraud"].champion == SECOND


def test_a_word_on_a_rollout_that_has_just_ended_says_that_nothing_waits() -> None:
    ledger = ledger_with(*asking(), between=[[CLOSED]])
    with pytest.raises(NotFound):
        reject(ledger, "ro-1", ADA, "no")


@pytest.mark.parametrize("subject", ["fraud", "ro-1", SECOND, "b" * 8, "sha256:" + "b" * 12])
def test_a_rollout_is_approved_by_its_service_its_name_or_its_release(subject: str) -> None:
    (entry,) = approve(ledger_with(*asking()), subject, ADA)
    assert isinstance(entry.fact, e.ApprovalGiven)


@pytest.mark.parametrize("subject", ["b" * 7, "c" * 64, "ro-2", ""])
def test_nothing_else_is_it(subject: str) -> None:
    with pytest.raises(NotFound):
        approve(ledger_with(*asking()), subject, ADA)


def test_a_word_that_names_the_rollout_is_written_about_its_service() -> None:
    (entry,) = roll_back(ledger_with(*asking()), "ro-1", BOB, "smells")
    assert entry.subject == NAME


def test_a_name_that_two_services_share_is_asked_back() -> None:
    ledger = ledger_with(*asking())
    ledger.append([replace(fact, service=ServiceName("copy")) for fact in newest(ledger, e.Fact)])
    with pytest.raises(NotFound, match="in each of fraud, copy"):
        approve(ledger, SECOND, ADA)
    (entry,) = approve(ledger, "copy", ADA)
    assert entry.subject == "copy"


def unserved(*facts: e.AnyFact, between: Sequence[Sequence[e.AnyFact]] = ()) -> Contended:
    """A service without a champion (autonomy.first: approval) whose release waits."""
    ledger = Contended(sealer=chain, clock=SimulatedClock())
    ledger.between = []
    metadata = {"name": NAME, "owner": "risk", "people": PEOPLE}
    declared = e.ServiceDeclared(service=NAME, policy=POLICY, declaration={"metadata": metadata}, folder="fraud")
    ledger.append([declared, *facts])
    ledger.between = list(between)
    return ledger


@pytest.mark.parametrize("subject", ["fraud", FIRST, "a" * 8])
def test_a_person_makes_the_first_champion_and_it_is_called_a_rubber_stamp(subject: str) -> None:
    ledger = unserved(*registered(FIRST), between=[[TICK]])
    (entry,) = approve(ledger, subject, ADA, "read the card")
    assert entry.fact == e.ChampionAppointed(
        service=NAME,
        release=FIRST,
        previous=None,
        by="ada",
        proof="os_user",
        why="read the card",
        rubber_stamped=True,
    )
    assert states_of(ledger)["fraud"].champion == FIRST
    with pytest.raises(NotFound):
        approve(ledger, subject, ADA)


def test_of_several_first_releases_the_newest_is_meant_unless_another_is_named() -> None:
    both = [*registered(FIRST), *registered(SECOND)]
    assert approve(unserved(*both), "fraud", ADA)[0].fact.release == SECOND  # type: ignore[union-attr]
    assert approve(unserved(*both), FIRST, ADA)[0].fact.release == FIRST  # type: ignore[union-attr]


def test_a_first_release_needs_its_gates_and_an_approver() -> None:
    with pytest.raises(Refused, match="bob has no role approver"):
        approve(unserved(*registered(FIRST)), "fraud", BOB)
    with pytest.raises(NotFound):
        approve(unserved(*registered(FIRST, passed=False)), "fraud", ADA)
    judged_again = e.GatesJudged(service=NAME, release=FIRST, passed=False, results=())
    with pytest.raises(NotFound):
        approve(unserved(*registered(FIRST), judged_again), "fraud", ADA)


def test_a_first_release_that_loses_its_gates_in_that_moment_is_not_appointed() -> None:
    judged_again = e.GatesJudged(service=NAME, release=FIRST, passed=False, results=())
    ledger = unserved(*registered(FIRST), between=[[judged_again]])
    with pytest.raises(NotFound):
        approve(ledger, "fraud", ADA)
    assert states_of(ledger)["fraud"].champion is None


def test_a_ticket_is_not_approved_into_a_training_beside_a_rollout() -> None:
    diagnosis = Diagnosis(kind="unknown", reason="a commit")
    opened = e.TicketOpened(service=NAME, ticket="ti-1", kind="retrain", reason="commit", diagnosis=diagnosis)
    ledger = ledger_with(*asking()[:-1], opened)
    with pytest.raises(Refused, match="the rollout ro-1 runs"):
        approve(ledger, "ti-1", ADA)
    ledger.append([CLOSED])
    assert [entry.type for entry in approve(ledger, "ti-1", ADA)] == ["retrain.ordered"]


def test_a_word_that_is_said_twice_accepts_no_broken_data_and_the_incident_s_own_name_does() -> None:
    broken = e.IncidentOpened(
        service=NAME, incident="in-q-7", kind="data_quality", reason="no amount", row=700, began=BROKE
    )
    ledger = ledger_with(*asking(), broken)
    assert [entry.type for entry in approve(ledger, "fraud", ADA)] == ["approval.given"]
    with pytest.raises(NotFound) as refused:
        approve(ledger, "fraud", ADA)
    assert "flyball approve in-q-7 --why" in str(refused.value.hint)
    with pytest.raises(Refused, match="no reason"):
        approve(ledger, "in-q-7", ADA)
    (entry,) = approve(ledger, "in-q-7", ADA, "the new unit is right")
    assert isinstance(entry.fact, e.IncidentClosed)
    opened = next(one.at for one in ledger.read() if isinstance(one.fact, e.IncidentOpened))
    assert entry.fact.detected_s == (moment(opened) - moment(BROKE)).total_seconds()
    assert states_of(ledger)["fraud"].incident is None


def test_an_incident_s_name_never_approves_a_rollout() -> None:
    broken = e.IncidentOpened(service=NAME, incident="in-q-7", kind="data_quality", reason="no amount", row=700)
    ledger = ledger_with(*asking(), broken)
    assert [entry.type for entry in approve(ledger, "in-q-7", ADA, "right")] == ["incident.closed"]


def test_a_word_that_is_said_twice_orders_no_training_and_the_ticket_s_own_name_does() -> None:
    diagnosis = Diagnosis(kind="unknown", reason="a commit")
    opened = e.TicketOpened(service=NAME, ticket="ti-1", kind="retrain", reason="commit", diagnosis=diagnosis)
    ledger = ledger_with(*asking())
    assert [entry.type for entry in approve(ledger, "fraud", ADA)] == ["approval.given"]
    ledger.append([CLOSED, opened])
    with pytest.raises(NotFound, match="waits for an approval") as refused:
        approve(ledger, "fraud", ADA)
    assert refused.value.exit_code == 2
    assert "flyball approve ti-1" in str(refused.value.hint)
    assert not newest(ledger, e.RetrainOrdered)
    assert [entry.type for entry in approve(ledger, "ti-1", ADA)] == ["retrain.ordered"]


def test_an_incident_is_nothing_to_reject_or_to_take_back() -> None:
    broken = e.IncidentOpened(service=NAME, incident="in-q-7", kind="data_quality", reason="no amount", row=700)
    ledger = ledger_with(*asking(), broken)
    with pytest.raises(BadInput, match="expected a service, a rollout or a ticket, found the incident in-q-7"):
        reject(ledger, "in-q-7", ADA, "no")
    with pytest.raises(BadInput, match="flyball rollback fraud; or accept its data: flyball approve in-q-7") as refused:
        roll_back(ledger, "in-q-7", BOB, "smells")
    assert refused.value.exit_code == 2
    assert not newest(ledger, e.ApprovalRejected)
    assert not newest(ledger, e.RollbackOrdered)
