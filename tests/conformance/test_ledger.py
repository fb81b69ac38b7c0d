"""What every adapter of the ledger port promises. A new adapter joins by one entry in `WORLDS`."""

from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests import postgres

from flyball.adapters.ledger.memory import MemoryLedger, SimulatedClock
from flyball.adapters.ledger.sqlite import SqliteLedger
from flyball.core.errors import BadInput, Conflict, FlyballError, NotFound, StaleEpoch
from flyball.core.events import AnyFact, Frozen, Thawed
from flyball.core.ids import ServiceName
from flyball.core.ledger import Command, Entry, Ledger, Message
from flyball.core.outbox import Announcer, History, Outbox
from flyball.registry import chain
from flyball.stats.merkle import root


class Subject(Ledger, Outbox, Protocol):
    """The port and the outbox's other end."""

    def pending(self, limit: int = 100) -> tuple[Message, ...]: ...

    def ack(self, ids: Sequence[str]) -> None: ...

    def close(self) -> None: ...


def on_postgres(server: Path, clock: SimulatedClock, told: Announcer | None) -> Subject:
    from flyball.adapters.ledger.postgres import PostgresLedger

    return PostgresLedger(postgres.place(str(server)), sealer=chain, clock=clock, announcer=told)


World = Callable[[Path, SimulatedClock, Announcer | None], Subject]
WORLDS: dict[str, World] = {
    "memory": lambda _, clock, told: MemoryLedger(sealer=chain, clock=clock, announcer=told),
    "postgres": on_postgres,
    "sqlite": lambda folder, clock, told: SqliteLedger(folder / "ledger.db", sealer=chain, clock=clock, announcer=told),
}


class Open(Protocol):
    """Opens a new ledger of a world."""

    def __call__(self, world: str, clock: SimulatedClock, told: Announcer | None = None) -> Subject: ...


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Each of them is closed at the end."""
    found: list[Subject] = []

    def make(world: str, clock: SimulatedClock, told: Announcer | None = None) -> Subject:
        served = world == "postgres"
        where = Path(request.getfixturevalue("postgres_server")) if served else tmp_path_factory.mktemp("world")
        found.append(WORLDS[world](where, clock, told))
        return found[-1]

    yield make
    for each in found:
        each.close()


@pytest.fixture(params=sorted(WORLDS))
def ledger(request: pytest.FixtureRequest, opened: Open, clock: SimulatedClock) -> Subject:
    return opened(request.param, clock)


def frozen(service: str, why: str = "rehearsal") -> AnyFact:
    return Frozen(service=ServiceName(service), by="ann", why=why)


def order(key: str, subject: str = "fraud") -> Command:
    return Command(key=key, kind="train", subject=subject, body={"ticket": key})


def message(id_: str) -> Message:
    return Message(id=id_, destination="alerts", body={"text": id_})


def whys(ledger: Subject, subject: str | None = None) -> list[str]:
    return [entry.fact.why for entry in ledger.read(subject=subject) if isinstance(entry.fact, Frozen)]


def test_an_empty_ledger_has_the_empty_tree(ledger: Subject) -> None:
    assert ledger.head().size == 0
    assert ledger.head().root == root([]).hex()
    assert list(ledger.read()) == []


def test_what_is_appended_is_read_back_in_order_and_chained(ledger: Subject) -> None:
    first = ledger.append([frozen("fraud"), Thawed(service=ServiceName("fraud"), by="ann", why='"ok" é\n')])
    second = ledger.append([frozen("churn")])
    entries = list(ledger.read())
    assert entries == [*first, *second]
    assert [entry.seq for entry in entries] == [1, 2, 3]
    assert [entry.prev_hash for entry in entries] == [chain.GENESIS, entries[0].hash, entries[1].hash]
    assert ledger.head().root == root([bytes.fromhex(entry.hash) for entry in entries]).hex()


def test_reading_begins_behind_a_number_and_keeps_to_a_subject(ledger: Subject) -> None:
    for service in ("fraud", "churn", "fraud", "churn", "fraud"):
        ledger.append([frozen(service)])
    assert [entry.seq for entry in ledger.read(2)] == [3, 4, 5]
    assert [entry.seq for entry in ledger.read(1, subject="fraud")] == [3, 5]
    assert list(ledger.read(5)) == []


def test_a_long_ledger_is_read_whole(ledger: Subject) -> None:
    ledger.append([frozen("fraud", str(number)) for number in range(2500)])
    assert whys(ledger) == [str(number) for number in range(2500)]


def test_who_has_not_read_the_newest_entry_of_the_subject_is_refused(ledger: Subject) -> None:
    ledger.append([frozen("fraud")], expected=0)
    ledger.append([frozen("churn")], expected=0)
    with pytest.raises(Conflict, match="expected entry 0 to be its newest, found 1"):
        ledger.append([frozen("fraud")], expected=0)
    ledger.append([frozen("fraud")], expected=1)
    assert ledger.head().size == 3


def test_a_repeated_append_changes_nothing_and_is_no_conflict(ledger: Subject) -> None:
    ledger.append([frozen("fraud", "a")], ids=["spool-1"], expected=0, commands=[order("k")], outbox=[message("m")])
    head = ledger.head()
    again = ledger.append(
        [frozen("fraud", "a")], ids=["spool-1"], expected=0, commands=[order("k")], outbox=[message("m")]
    )
    assert again == ()
    assert ledger.head() == head
    assert len(ledger.pending()) == 1


def test_only_the_facts_that_are_not_there_yet_are_appended(ledger: Subject) -> None:
    ledger.append([frozen("fraud", "a")], ids=["1"])
    new = ledger.append([frozen("fraud", "a"), frozen("fraud", "b")], ids=["1", "2"])
    assert [entry.seq for entry in new] == [2]
    assert whys(ledger) == ["a", "b"]


def test_what_cannot_be_one_append_is_refused_with_every_reason(ledger: Subject) -> None:
    with pytest.raises(BadInput) as caught:
        ledger.append([frozen("fraud"), frozen("churn")], ids=["1"])
    assert [fault.path for fault in caught.value.faults] == ["facts", "ids"]
    with pytest.raises(BadInput, match="at least one fact"):
        ledger.append([], expected=3)
    assert ledger.head().size == 0


def test_a_refused_append_leaves_nothing_behind(ledger: Subject) -> None:
    ledger.append([frozen("fraud")])
    head = ledger.head()
    with pytest.raises(NotFound):
        ledger.append(
            [frozen("fraud")], ids=["x"], commands=[order("k")], outbox=[message("m")], finished=["never ordered"]
        )
    assert ledger.head() == head
    assert ledger.pending() == ()
    assert ledger.claim("fraud", "a", ttl_s=10) is None
    assert len(ledger.append([frozen("fraud")], ids=["x"])) == 1


def test_a_fact_that_json_cannot_carry_changes_nothing(ledger: Subject) -> None:
    from flyball.core.events import ServiceDeclared
    from flyball.core.ids import Digest

    bad = ServiceDeclared(
        service=ServiceName("fraud"), policy=Digest("sha256:0"), declaration={"x": float("nan")}, folder="f"
    )
    with pytest.raises(ValueError):
        ledger.append([frozen("fraud"), bad])
    assert ledger.head().size == 0


def test_a_lease_has_one_holder_until_its_time_is_over(ledger: Subject, clock: SimulatedClock) -> None:
    first = ledger.lease("controller", "a", ttl_s=10)
    assert first is not None
    assert first.epoch == 1
    assert ledger.lease("controller", "b", ttl_s=10) is None
    clock.advance(9)
    assert ledger.lease("controller", "a", ttl_s=10) == first  # renewed
    clock.advance(9)
    assert ledger.lease("controller", "b", ttl_s=10) is None
    clock.advance(1)
    second = ledger.lease("controller", "b", ttl_s=10)
    assert second is not None
    assert second.epoch == 2


def test_a_lease_given_back_is_free_at_once_and_its_epoch_is_over(ledger: Subject) -> None:
    first = ledger.lease("controller", "a", ttl_s=10)
    assert first is not None
    ledger.release(first)
    with pytest.raises(StaleEpoch):
        ledger.append([frozen("fraud")], fence=first)
    second = ledger.lease("controller", "b", ttl_s=10)
    assert second is not None
    assert second.epoch == 2
    ledger.release(first)  # of no effect: it is not the holder's
    assert ledger.lease("controller", "c", ttl_s=10) is None


def test_of_two_controllers_the_one_that_lost_the_lease_cannot_append(ledger: Subject, clock: SimulatedClock) -> None:
    old = ledger.lease("controller", "a", ttl_s=10)
    assert old is not None
    ledger.append([frozen("fraud", "while it holds")], fence=old)
    clock.advance(11)  # it slept, or its host stood still
    new = ledger.lease("controller", "b", ttl_s=10)
    assert new is not None
    with pytest.raises(StaleEpoch, match="lost it to b, epoch 2"):
        ledger.append([frozen("fraud", "too late")], fence=old, commands=[order("k")])
    ledger.append([frozen("fraud", "the new one")], fence=new)
    assert whys(ledger) == ["while it holds", "the new one"]
    assert ledger.claim("fraud", "b", ttl_s=1) is None


@pytest.mark.parametrize("jump", [timedelta(days=-400), timedelta(days=400)])
def test_a_corrected_wall_clock_moves_no_lease(ledger: Subject, clock: SimulatedClock, jump: timedelta) -> None:
    held = ledger.lease("controller", "a", ttl_s=10)
    clock.set(clock.now() + jump)
    assert ledger.lease("controller", "b", ttl_s=10) is None
    assert ledger.lease("controller", "a", ttl_s=10) == held
    clock.advance(10)
    assert ledger.lease("controller", "b", ttl_s=10) is not None


def test_commands_are_claimed_oldest_first_and_once(ledger: Subject, clock: SimulatedClock) -> None:
    ledger.append([frozen("fraud")], commands=[order("1"), order("2"), order("3", subject="churn")])
    first, second = ledger.claim("fraud", "a", ttl_s=10), ledger.claim("fraud", "b", ttl_s=10)
    assert first is not None
    assert second is not None
    assert (first.command, first.attempts, second.command) == (order("1"), 1, order("2"))
    assert ledger.claim("fraud", "c", ttl_s=10) is None
    clock.advance(10)  # both died
    again = ledger.claim("fraud", "c", ttl_s=10)
    assert again is not None
    assert (again.command.key, again.owner, again.attempts) == ("1", "c", 2)


def test_a_finished_command_is_never_claimed_again(ledger: Subject, clock: SimulatedClock) -> None:
    ledger.append([frozen("fraud")], commands=[order("1")])
    ledger.append([frozen("fraud", "done")], finished=["1"])
    ledger.append([], finished=["1"])
    ledger.append([], commands=[order("1")])  # the same key again: the same command
    clock.advance(1000)
    assert ledger.claim("fraud", "a", ttl_s=10) is None
    with pytest.raises(NotFound):
        ledger.postpone("1", delay_s=1, error="late")


def test_an_attempt_that_only_waits_does_not_count(ledger: Subject, clock: SimulatedClock) -> None:
    ledger.append([frozen("fraud")], commands=[order("1")])
    for _ in range(3):
        claimed = ledger.claim("fraud", "a", ttl_s=10)
        assert claimed is not None
        assert claimed.attempts == 1
        ledger.postpone("1", delay_s=1, error="frozen", failed=False)
        clock.advance(2)
    assert ledger.claim("fraud", "a", ttl_s=10) is not None
    ledger.postpone("1", delay_s=1, error="away")
    clock.advance(2)
    again = ledger.claim("fraud", "a", ttl_s=10)
    assert again is not None
    assert again.attempts == 2


def test_a_postponed_command_waits_and_lets_others_pass(ledger: Subject, clock: SimulatedClock) -> None:
    ledger.append([frozen("fraud")], commands=[order("1"), order("2")])
    assert ledger.claim("fraud", "a", ttl_s=10) is not None
    ledger.postpone("1", delay_s=60, error="the gateway is away")
    clock.advance(1)
    other = ledger.claim("fraud", "a", ttl_s=1000)
    assert other is not None
    assert other.command.key == "2"
    clock.advance(58)
    assert ledger.claim("fraud", "a", ttl_s=10) is None
    clock.advance(1)
    again = ledger.claim("fraud", "a", ttl_s=10)
    assert again is not None
    assert (again.command.key, again.attempts) == ("1", 2)


def test_messages_stay_until_they_are_acknowledged(ledger: Subject) -> None:
    ledger.append([frozen("fraud")], outbox=[message("1"), message("2"), message("3")])
    assert [each.id for each in ledger.pending(2)] == ["1", "2"]
    ledger.ack(["1", "3"])
    ledger.ack(["1"])
    assert ledger.pending() == (message("2"),)


def test_each_destination_is_a_queue_of_its_own_and_a_failed_head_rests_before_it_is_tried_again(
    ledger: Subject, clock: SimulatedClock
) -> None:
    to = [Message(id=f"{where}{n}", destination=where, body={}) for n in (1, 2) for where in "ab"]
    ledger.append([frozen("fraud")], outbox=to)
    first = ledger.next_due("a")
    assert first is not None
    assert (first.message.id, first.attempts) == ("a1", 0)
    ledger.record("a1", "failed", "HTTP 500", delay_s=10)
    assert ledger.next_due("a") is None  # a2 does not overtake a1
    assert ledger.next_due("b") == first.__class__(message=to[1], attempts=0)
    clock.advance(10)
    again = ledger.next_due("a")
    assert again is not None
    assert (again.message, again.attempts) == (to[0], 1)
    ledger.record("a1", "refused", "HTTP 400")
    ledger.record("a2", "delivered", "HTTP 200")
    assert ledger.next_due("a") is None
    assert [(q.destination, q.waiting, q.delivered, q.refused, q.status) for q in ledger.queues()] == [
        ("a", 0, 1, 1, "HTTP 200"),
        ("b", 2, 0, 0, None),
    ]
    log = ledger.deliveries(destination="a")
    assert [(each.message, each.attempt, each.outcome) for each in log] == [
        ("a2", 1, "delivered"),
        ("a1", 2, "refused"),
        ("a1", 1, "failed"),
    ]
    assert ledger.deliveries(limit=1) == log[:1]


def test_a_redelivery_sends_the_same_messages_under_their_ids(ledger: Subject) -> None:
    ledger.append([frozen("fraud")], outbox=[message("1"), message("2")])
    ledger.record("1", "delivered", "HTTP 200")
    ledger.record("2", "failed", "no answer", delay_s=1e6)
    assert ledger.redeliver(destination="alerts", message="1") == 1
    assert ledger.redeliver(destination="alerts") == 2
    assert ledger.redeliver(destination="nobody") == 0
    found = ledger.next_due("alerts")
    assert found is not None
    assert (found.message, found.attempts) == (message("1"), 0)
    with pytest.raises(NotFound, match="no such message"):
        ledger.record("3", "delivered", "HTTP 200")


class Telling:
    """An announcer that tells each fact, and how many came before."""

    def prepare(self, subject: str, history: History) -> None: ...

    def messages(self, entries: Sequence[Entry], history: History) -> Sequence[Message]:
        before = sum(1 for entry in history(0) if entry.seq < entries[0].seq)
        return [message(f"{entry.seq}-{before}") for entry in entries]


@pytest.mark.parametrize("world", sorted(WORLDS))
def test_what_a_new_fact_is_told_as_is_written_with_it_and_a_repeated_append_tells_nothing(
    world: str, opened: Open, clock: SimulatedClock
) -> None:
    ledger = opened(world, clock, Telling())
    ledger.append([frozen("fraud"), frozen("fraud")], ids=["1", "2"])
    ledger.append([frozen("fraud"), frozen("fraud")], ids=["2", "3"])
    ledger.append([frozen("churn")])
    with pytest.raises(Conflict):
        ledger.append([frozen("churn")], expected=99)
    assert [each.id for each in ledger.pending()] == ["1-0", "2-0", "3-2", "4-0"]


steps = st.lists(
    st.tuples(
        st.sampled_from(["fraud", "churn"]),
        st.text(max_size=5),
        st.sampled_from(["plain", "known id", "stale version", "lost lease", "order", "claim", "finish", "wait"]),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(story=steps)
@pytest.mark.parametrize("world", sorted(WORLDS.keys() - {"memory"}))
def test_all_adapters_tell_the_same_story(opened: Open, world: str, story: list[tuple[str, str, str]]) -> None:
    told = []
    for name in ("memory", world):
        clock = SimulatedClock()
        ledger = opened(name, clock)
        told.append((_tell(ledger, clock, story), list(ledger.read()), ledger.head(), ledger.pending()))
        ledger.close()
    assert told[1] == told[0]


def _tell(ledger: Subject, clock: SimulatedClock, story: list[tuple[str, str, str]]) -> list[object]:
    lost = ledger.lease("controller", "a", ttl_s=1)
    clock.advance(2)
    ledger.lease("controller", "b", ttl_s=1)
    answers: list[object] = []
    for number, (service, why, what) in enumerate(story):
        fact, key = frozen(service, why), str(number % 3)
        try:
            match what:
                case "known id":
                    answers.append(ledger.append([fact], ids=[key]))
                case "stale version":
                    answers.append(ledger.append([fact], expected=1))
                case "lost lease":
                    answers.append(ledger.append([fact], fence=lost))
                case "order":
                    answers.append(ledger.append([fact], commands=[order(key, service)], outbox=[message(key)]))
                case "claim":
                    answers.append(ledger.claim(service, "a", ttl_s=5))
                case "finish":
                    answers.append(ledger.append([], finished=[key]))
                case "wait":
                    clock.advance(3)
                case _:
                    answers.append(ledger.append([fact]))
        except FlyballError as error:
            answers.append(str(error))
    return answers
