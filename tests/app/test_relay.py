"""Messages arrive at least once, in order, under one id, whatever receiver and relay do; nobody waits for anybody."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.app.clocked import clock, home, ledger
from tests.app.receiver import SECRET, Got, Receiver, receiving

from flyball.adapters.ledger.memory import SimulatedClock
from flyball.adapters.messages.receiver_file import FileLines
from flyball.adapters.messages.receiver_http import HttpReceiver
from flyball.app.home import Home
from flyball.app.wiring.ledger_place import OpenLedger, open_ledger
from flyball.app.wiring.receivers import Directory, receiver_of
from flyball.app.wiring.relay import Relay, flush
from flyball.core import events as e
from flyball.core.declared.destination import Destination
from flyball.core.ids import Digest, ExperimentDigest, ServiceName
from flyball.core.ledger import Message

__all__ = ["clock", "home", "ledger"]  # fixtures of the other file


def declare(ledger: OpenLedger, *to: Destination, service: str = "fraud") -> None:
    declaration = {"events": msgspec.to_builtins(to)}
    ledger.append(
        [
            e.ServiceDeclared(
                service=ServiceName(service), policy=Digest("sha256:0"), declaration=declaration, folder="f"
            )
        ]
    )


def begin(ledger: OpenLedger, count: int = 1, service: str = "fraud") -> None:
    """Trainings begin: each is a message to each destination."""
    for number in range(count):
        experiment = ExperimentDigest(f"fx1:{ledger.head().size}-{number}")
        ledger.append(
            [
                e.TrainingStarted(
                    service=ServiceName(service), experiment=experiment, snapshot=Digest("sha256:d"), reason="first"
                )
            ]
        )


def relay(home: Home, ledger: OpenLedger, environment: dict[str, str] | None = None, *, hung: str = "") -> Relay:
    """`hung`: the address that is given up soon; whoever answers may take what a busy machine takes."""

    def make(address: str, destination: Any) -> Any:
        receiver = receiver_of(address, destination, home, environment or {})
        if isinstance(receiver, HttpReceiver):
            receiver.client.deadline_s = 0.5 if address == hung else 60.0
        return receiver

    return Relay(ledger, Directory(ledger).declared, make, owner="test", draw=lambda: 0.0)


def flushed(made: Relay) -> None:
    asyncio.run(made.flush())


def outcomes(ledger: OpenLedger, destination: str) -> list[tuple[str, str]]:
    return [(each.outcome, each.status) for each in reversed(ledger.deliveries(destination=destination))]


def test_an_openlineage_endpoint_gets_plain_json_and_a_cloudevents_one_structured_mode_signed(
    home: Home, ledger: OpenLedger
) -> None:
    with receiving(Receiver()) as lineage, receiving(Receiver()) as events:
        declare(
            ledger,
            Destination(format="openlineage", to=lineage.url, token="TOKEN"),
            Destination(format="cdevents", to=events.url, secret="SECRET"),
        )
        begin(ledger)
        flushed(relay(home, ledger, {"TOKEN": "t0", "SECRET": SECRET}))
    (run,), (event,) = lineage.got, events.got
    assert run.headers["Content-Type"] == "application/json"
    assert run.headers["Authorization"] == "Bearer t0"
    assert run.document["eventType"] == "START"
    assert event.headers["Content-Type"].startswith("application/cloudevents+json")
    assert event.document["type"] == "dev.cdevents.pipelinerun.started.0.3.0"
    assert event.headers["Webhook-Id"] == f"fraud/cdevents/{event.document['id']}"
    assert event.headers["Webhook-Signature"] == event.signature


def test_a_receiver_that_fails_gets_the_same_bytes_again_after_a_rest(
    home: Home, ledger: OpenLedger, clock: SimulatedClock
) -> None:
    with receiving(Receiver(answers=(500, "die", 200))) as receiver:
        declare(ledger, Destination(format="cdevents", to=receiver.url))
        begin(ledger, 2)
        made = relay(home, ledger)
        flushed(made)
        flushed(made)  # it rests: nothing is sent, and the second message does not overtake
        assert len(receiver.got) == 1
        clock.advance(0.5)
        flushed(made)
        clock.advance(1.0)
        flushed(made)
    first, second, third, other = (got.body for got in receiver.got)
    assert first == second == third != other
    assert [each[0] for each in outcomes(ledger, "fraud/cdevents")] == ["failed", "failed", "delivered", "delivered"]
    assert outcomes(ledger, "fraud/cdevents")[0][1] == "HTTP 500 said so"
    assert ledger.waiting() == ()


def test_a_hung_and_a_dead_receiver_hold_up_nobody(home: Home, ledger: OpenLedger) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"http://127.0.0.1:{taken.getsockname()[1]}/"
    with receiving(Receiver(answers=("hang",))) as hung, receiving(Receiver()) as good:
        declare(
            ledger,
            Destination(format="cdevents", to=hung.url, name="hung"),
            Destination(format="cdevents", to=nobody, name="dead"),
            Destination(format="cdevents", to=good.url, name="good"),
        )
        begin(ledger, 3)
        flushed(relay(home, ledger, hung="fraud/hung"))
        assert len(good.got) == 3
    assert outcomes(ledger, "fraud/hung") == [("failed", "no answer within 0.5 s")]
    assert outcomes(ledger, "fraud/dead")[0][0] == "failed"
    assert "ClientConnectorError" in outcomes(ledger, "fraud/dead")[0][1]
    assert ledger.waiting() == ("fraud/dead", "fraud/hung")


def test_a_message_that_is_refused_for_what_it_is_makes_way_and_can_be_sent_again(
    home: Home, ledger: OpenLedger, clock: SimulatedClock
) -> None:
    with receiving(Receiver(answers=(422, 422, 422, 422, 422, 200))) as receiver:
        declare(ledger, Destination(format="openlineage", to=receiver.url))
        begin(ledger, 2)
        for _ in range(6):
            flushed(relay(home, ledger))
            clock.advance(10)
        assert [each[0] for each in outcomes(ledger, "fraud/openlineage")] == ["failed"] * 4 + ["refused", "delivered"]
        refused = ledger.deliveries()[1].message
        assert ledger.redeliver(destination="fraud/openlineage", message=refused) == 1
        flushed(relay(home, ledger))
    assert receiver.got[-1].body == receiver.got[0].body


def test_nothing_is_sent_without_its_secret_and_what_is_no_longer_declared_is_refused(
    home: Home, ledger: OpenLedger
) -> None:
    with receiving(Receiver()) as receiver:
        declare(ledger, Destination(format="cdevents", to=receiver.url, secret="NOT_SET"))
        begin(ledger)
        flushed(relay(home, ledger))
        assert "NOT_SET is not set" in outcomes(ledger, "fraud/cdevents")[0][1]
        declare(ledger)
        ledger.redeliver(destination="fraud/cdevents")
        flushed(relay(home, ledger))
        assert receiver.got == []
    assert outcomes(ledger, "fraud/cdevents")[1] == ("refused", "no service declares this destination any more")


def test_a_bad_secret_is_told_without_being_shown(home: Home, ledger: OpenLedger) -> None:
    with receiving(Receiver()) as receiver:
        declare(ledger, Destination(format="cdevents", to=receiver.url, secret="SECRET"))
        begin(ledger)
        flushed(relay(home, ledger, {"SECRET": "hunter2"}))
    ((outcome, status),) = outcomes(ledger, "fraud/cdevents")
    assert outcome == "failed"
    assert "whsec_" in status
    assert "hunter2" not in status


def test_a_changed_address_is_where_old_messages_go_too(home: Home, ledger: OpenLedger, clock: SimulatedClock) -> None:
    with receiving(Receiver(answers=(404,))) as wrong, receiving(Receiver()) as right:
        declare(ledger, Destination(format="cdevents", to=wrong.url))
        begin(ledger)
        made = relay(home, ledger)
        flushed(made)
        declare(ledger, Destination(format="cdevents", to=right.url))
        clock.advance(5)
        flushed(made)
    assert [got.document["type"] for got in right.got] == ["dev.cdevents.pipelinerun.started.0.3.0"]


def test_two_relays_never_mix_up_the_order_of_a_destination(home: Home, ledger: OpenLedger) -> None:
    with receiving(Receiver()) as receiver:
        declare(ledger, Destination(format="cdevents", to=receiver.url))
        begin(ledger, 20)
        one, other = relay(home, ledger), relay(home, ledger)
        other._owner = "other"

        async def both() -> None:
            await asyncio.gather(one.flush(), other.flush())

        asyncio.run(both())
    ids = [got.document["id"] for got in receiver.got]
    assert ids == [message.removeprefix("fraud/cdevents/") for message in sent(ledger)]


def sent(ledger: OpenLedger) -> list[str]:
    return [each.message for each in reversed(ledger.deliveries(limit=1000))]


def test_lines_in_a_file_are_whole_also_after_a_kill(home: Home, ledger: OpenLedger) -> None:
    declare(ledger, Destination(format="openlineage", to="file:events/fraud.jsonl"))
    begin(ledger, 2)
    flushed(relay(home, ledger))
    file = home.root / "events" / "fraud.jsonl"
    with file.open("ab") as torn:
        torn.write(b'{"half": ')
    begin(ledger)
    flushed(relay(home, ledger))
    assert [json.loads(line)["eventType"] for line in file.read_text().splitlines()] == ["START"] * 3


def test_a_file_that_cannot_be_written_is_a_failure_with_its_reason(tmp_path: Path) -> None:
    answer = FileLines(tmp_path).send(Message(id="1", destination="x", body={}))
    assert (answer.ok, answer.final) == (False, False)
    assert "IsADirectoryError" in answer.status


def test_a_flush_ends_in_time_and_says_what_waits(home: Home) -> None:
    with receiving(Receiver(answers=("hang",))) as hung:
        ledger = open_ledger(home)
        declare(ledger, Destination(format="cdevents", to=hung.url))
        begin(ledger, 2)
        waiting, why = flush(home, within_s=0.3)
    assert waiting == 2
    assert "fraud/cdevents" in why
    assert flush(Home(home.root / "another")) == (0, "")


def relaying(home: Home) -> subprocess.Popen[bytes]:
    order = [sys.executable, "-m", "flyball.app.wiring.relay", "--home", str(home.root), "--owner", "relay"]
    return subprocess.Popen(order, stderr=subprocess.PIPE)


def killed_while_relaying(home: Home, lives: int, messages: int) -> None:
    """In each life the relay dies the moment its third message is with the receiver, before it is written down."""
    children: list[subprocess.Popen[bytes]] = []
    here: list[int] = []
    begins = threading.Lock()  # who is to be killed is known before its first message is taken

    def begin_one() -> subprocess.Popen[bytes]:
        with begins:
            children.append(relaying(home))
            return children[-1]

    def on_request(_: Got) -> None:
        here.append(1)
        with begins:
            if len(children) <= lives and len(here) % 3 == 0:
                os.kill(children[-1].pid, signal.SIGKILL)

    with receiving(Receiver(on_request=on_request)) as receiver:
        ledger = open_ledger(home)
        declare(ledger, Destination(format="cdevents", to=receiver.url))
        begin(ledger, messages)
        for _ in range(lives):
            assert begin_one().wait() == -signal.SIGKILL
        begin_one()
        while ledger.waiting():
            assert children[-1].poll() is None
            select_wait()
        children[-1].send_signal(signal.SIGTERM)
        assert children[-1].wait() == 0
        ids = [got.document["id"] for got in receiver.got]
        bodies = {got.document["id"]: got.body for got in receiver.got}
        assert all(got.body == bodies[got.document["id"]] for got in receiver.got)
        once = list(dict.fromkeys(ids))
        assert len(once) == messages
        assert len(ids) >= messages + lives  # what was under way at a kill came twice
        expected = [f"{entry.hash[:32]}-0" for entry in ledger.read() if entry.type == "training.started"]
        assert once == expected
        ledger.close()


def select_wait() -> None:
    """Give the other process a moment; nothing depends on how long."""
    signal.sigtimedwait([signal.SIGUSR2], 0.05)


def test_a_killed_relay_loses_nothing_and_repeats_under_the_same_id(home: Home) -> None:
    killed_while_relaying(home, lives=2, messages=10)


@pytest.mark.slow
def test_a_relay_killed_twenty_times_loses_nothing(home: Home) -> None:
    killed_while_relaying(home, lives=20, messages=70)


WRITE = """
import sys
from pathlib import Path
from flyball.app.home import Home
from flyball.app.wiring.ledger_place import OpenLedger, open_ledger
from flyball.core.events import TrainingStarted
ledger = open_ledger(Home(Path(sys.argv[1])))
number = 0
while True:
    number += 1
    name = f"fx1:{sys.argv[2]}-{number}"
    ledger.append([TrainingStarted(service="fraud", experiment=name, snapshot="sha256:d", reason="first")])
    print(number, flush=True)
"""


def test_a_killed_writer_leaves_each_fact_with_its_message_and_no_message_without_its_fact(home: Home) -> None:
    ledger = open_ledger(home)
    declare(ledger, Destination(format="cdevents", to="file:out"))
    for life in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", WRITE, str(home.root), str(life)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        for _ in range(4 + life):
            child.stdout.readline()
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
    facts = [f"fraud/cdevents/{x.hash[:32]}-0" for x in ledger.read() if x.type == "training.started"]
    assert len(facts) >= 15
    assert [message.id for message in ledger.pending(10_000)] == facts
    ledger.close()
