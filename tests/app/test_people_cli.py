"""The verbs of people as they are typed: a real ledger in a home, a real process, words, documents and exit codes."""

import json
import os
import pwd
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace
from tests.app.said import Said, said
from tests.app.test_people import ASKED, asking
from tests.control.world import FIRST, NAME, POLICY, SECOND, first_champion, registered
from tests.pipeline.fraud import SERVICE, write_service

from flyball.adapters.prediction_log.labels import BOOK, SqliteLabels
from flyball.app.cli.main import run
from flyball.app.cli.status import ServiceStatus
from flyball.app.home import Home
from flyball.app.people import states_of
from flyball.app.wiring.ledger import ledger_of, open_ledger
from flyball.control.explain import Explanation
from flyball.core import events as e
from flyball.core.prediction import LabelRecord
from flyball.core.watching import Diagnosis
from flyball.serving.identity import PredictionIds

__all__ = ["said"]  # a fixture of the other file
ME = pwd.getpwuid(os.getuid()).pw_name
Put = Callable[..., Home]


@pytest.fixture
def put(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Put:
    """Writes facts of a service whose approver and operator runs the tests to the ledger of this test's home."""
    home = Home(tmp_path / "home")
    monkeypatch.setenv("FLYBALL_HOME", str(home.root))

    def write(*facts: e.AnyFact, people: dict[str, list[str]] | None = None) -> Home:
        declared, *others = first_champion()
        assert isinstance(declared, e.ServiceDeclared)
        mine = {ME: ["approver", "operator"]} if people is None else people
        declaration = {"metadata": {"name": NAME, "owner": "risk", "people": mine}}
        with ledger_of(home) as ledger:
            ledger.append([replace(declared, declaration=declaration), *(facts or others)])
        return home

    return write


def serving(*facts: e.AnyFact) -> list[e.AnyFact]:
    return [*first_champion()[1:], *facts]


def facts_of(home: Home, kind: type[e.Fact]) -> list[Any]:
    return [entry.fact for entry in open_ledger(home).read() if isinstance(entry.fact, kind)]


def test_the_name_on_the_ledger_is_the_one_that_the_system_proves(put: Put) -> None:
    home = put(*serving(*asking()), people={ME: ["approver"], "risk-lead": ["approver"]})
    claimed = os.environ | {"USER": "risk-lead", "LOGNAME": "risk-lead", "LNAME": "risk-lead", "USERNAME": "risk-lead"}
    done = subprocess.run(
        [sys.executable, "-m", "flyball.app.cli", "approve", "fraud", "--why", "seen", "--json"],
        env=claimed,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (given,) = facts_of(home, e.ApprovalGiven)
    assert (given.by, given.proof, given.why) == (ME, "os_user", "seen")
    assert (given.model, given.evidence, given.policy) == (SECOND, ASKED.evidence, POLICY)
    document = json.loads(done.stdout)
    assert set(document) == {"subject", "by", "recorded", "seq"}
    assert (document["by"], document["recorded"]) == (ME, ["approval.given"])


def test_a_user_without_a_name_acts_under_its_number(put: Put, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    put(*serving(*asking()))
    monkeypatch.setattr(os, "getuid", lambda: 987_654_321)
    code, document = said("approve", "fraud")
    assert code == 1
    assert "uid-987654321 is not among the people" in document["error"]["message"]
    assert ME in document["error"]["hint"]


def test_approve_says_when_nothing_waits(put: Put, said: Said) -> None:
    put(*serving())
    code, document = said("approve", "fraud")
    assert (code, document["error"]["hint"]) == (2, "flyball explain fraud")
    code, document = said("approve", "nobody")
    assert (code, document["error"]["hint"]) == (2, "services: fraud")


def test_reject_wants_a_reason_and_writes_it(put: Put, said: Said) -> None:
    home = put(*serving(*asking()))
    assert said("reject", "fraud")[0] == 2
    assert said("reject", "ro-1", "--why", "too slow") == (
        0,
        {"subject": "ro-1", "by": ME, "recorded": ["approval.rejected"], "seq": 10},
    )
    (rejected,) = facts_of(home, e.ApprovalRejected)
    assert rejected.why == "too slow"


def test_rollback_writes_the_order_or_says_why_there_is_no_way_back(put: Put, said: Said) -> None:
    home = put(*serving(*registered(SECOND)))
    code, document = said("rollback", "fraud")
    assert code == 1
    assert "no release is kept to go back to" in document["error"]["message"]
    with ledger_of(home) as ledger:
        ledger.append([e.ChampionAppointed(service=NAME, release=SECOND, previous=FIRST)])
    code, document = said("rollback", "fraud", "--why", "complaints")
    assert (code, document["recorded"]) == (0, ["rollback.ordered"])
    (ordered,) = facts_of(home, e.RollbackOrdered)
    assert (ordered.by, ordered.proof, ordered.why) == (ME, "os_user", "complaints")


def test_freeze_and_thaw_write_once_however_often_they_are_said(put: Put, said: Said) -> None:
    home = put(*serving())
    assert said("freeze", "fraud", "--why", "audit")[1]["recorded"] == ["service.frozen"]
    assert said("freeze", "fraud")[1] == {"subject": "fraud", "by": ME, "recorded": [], "seq": None}
    assert states_of(open_ledger(home))["fraud"].frozen is not None
    assert said("thaw", "fraud")[1]["recorded"] == ["service.thawed"]
    assert said("thaw", "fraud")[1]["recorded"] == []
    assert states_of(open_ledger(home))["fraud"].frozen is None


def test_without_a_ledger_each_verb_says_where_it_looked(said: Said) -> None:
    for words in (
        ("approve", "fraud"),
        ("reject", "fraud", "--why", "no"),
        ("rollback", "fraud"),
        ("freeze", "fraud"),
        ("thaw", "fraud"),
        ("explain", "fraud"),
        ("status",),
    ):
        code, document = said(*words)
        assert code == 2
        assert document["error"]["message"].startswith("no ledger in ")
        assert "--home" in document["error"]["hint"]


def test_explain_tells_the_story_and_refuses_what_nobody_knows(put: Put, said: Said) -> None:
    put(*serving(*asking()))
    code, document = said("explain", "fraud")
    assert code == 0
    assert set(document) == {field.name for field in msgspec.structs.fields(Explanation)} | {"judged"}
    assert "rollout ro-1 runs at step 0 (approval)" in document["standing"]
    assert [line["type"] for line in document["events"]][-2:] == ["step.started", "approval.requested"]
    assert said("explain", "b" * 12)[1]["service"] == "fraud"
    code, document = said("explain", "ro-404")
    assert code == 2
    assert "nothing on the ledger names 'ro-404'" in document["error"]["message"]
    assert "flyball ledger tail" in document["error"]["hint"]


def test_status_has_its_keys_and_one_service_can_be_asked_for(put: Put, said: Said) -> None:
    home = put(*serving(*asking()))
    code, document = said("status")
    assert code == 0
    assert set(document) == {"home", "services"}
    assert document["home"] == str(home.root)
    (service,) = document["services"]
    assert set(service) == {field.name for field in msgspec.structs.fields(ServiceStatus)}
    expected = {"service": "fraud", "champion": FIRST, "previous": None, "rollout": "ro-1", "step": 0, "frozen": False}
    assert {key: service[key] for key in expected} == expected
    assert said("status", "fraud")[1] == document
    code, document = said("status", "nobody")
    assert (code, document["error"]["hint"]) == (2, "services: fraud")


def test_status_says_how_long_labels_take(put: Put, said: Said, capfd: pytest.CaptureFixture[str]) -> None:
    home = put(*serving(*asking()))
    assert said("status")[1]["services"][0]["label_delay"] is None
    ids = PredictionIds(NAME, b"secret", b"boot").issue([1000.0 + row for row in range(100)])
    with closing(SqliteLabels(home.telemetry(NAME) / BOOK)) as book:
        book.put([LabelRecord(id=name, label=1, at=1000.0 + 2 * row) for row, name in enumerate(ids)])
        book.put([LabelRecord(id=ids[0], label=0, at=9_999_999.0)])  # a correction
    (service,) = said("status")[1]["services"]
    # the delay of row k is k seconds
    assert service["label_delay"] == {"labelled": 100, "p50_s": 50.0, "p90_s": 89.0, "p99_s": 98.0}
    assert run(["status"]) == 0
    assert "50 s, 1.48 min, 1.63 min" in " ".join(capfd.readouterr().out.split())


def test_status_is_told_where_the_label_book_cannot_be_read(
    put: Put, said: Said, capfd: pytest.CaptureFixture[str]
) -> None:
    home = put(*serving(*asking()))
    home.telemetry(NAME).mkdir(parents=True)
    (home.telemetry(NAME) / BOOK).write_text("no database")
    assert said("status")[1]["services"][0]["label_delay"] is None
    assert run(["status"]) == 0
    assert "how long labels take is not known" in capfd.readouterr().err


def test_a_second_release_that_no_controller_has_seen_says_what_it_waits_for(put: Put, said: Said) -> None:
    put(*first_champion()[1:], *registered(SECOND))
    (service,) = said("status")[1]["services"]
    assert service["waiting_for"] == [f"a controller to open the rollout of {SECOND[7:19]}: flyball up"]


def test_a_first_release_that_needs_a_person_is_trained_approved_and_serves(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], said: Said, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FLYBALL_HOME")
    monkeypatch.chdir(tmp_path)
    people = f"owner: risk-ml, people: {{{ME}: [approver]}}"
    text = SERVICE.replace("owner: risk-ml", people) + "autonomy: {first: approval}\n"
    file = write_service(tmp_path / "fraud", service=text)
    home = str(tmp_path / "fraud" / ".flyball")
    assert run(["train", str(file)]) == 0
    approve = f"flyball approve fraud --home {home}"
    assert approve in " ".join(capfd.readouterr().out.split())

    code, document = said("up", str(file))
    assert code == 1
    assert "waits for a person's approval" in document["error"]["message"]
    assert document["error"]["hint"] == approve

    (service,) = said("status", "--home", home)[1]["services"]
    assert service["champion"] is None
    assert "flyball approve fraud" in service["waiting_for"][0]

    (waiting,) = facts_of(Home(Path(home)), e.ReleaseRegistered)
    root = waiting.release.root
    told = said("approve", root.removeprefix("sha256:")[:8], "--why", "read the card", "--home", home)
    assert told[1]["recorded"] == ["champion.appointed"]
    (appointed,) = facts_of(Home(Path(home)), e.ChampionAppointed)
    assert appointed.release == root
    assert (appointed.by, appointed.proof, appointed.why) == (ME, "os_user", "read the card")
    assert (appointed.previous, appointed.rubber_stamped) == (None, True)

    monkeypatch.chdir(tmp_path / "fraud")  # from here the home is found without being named
    code, document = said("train")
    assert (code, document["champion"], document["cached"]) == (0, True, True)


def test_retrain_because_says_what_is_new_once_and_orders_nothing(put: Put, said: Said) -> None:
    first, *others = first_champion()
    assert isinstance(first, e.ServiceDeclared)
    home = put(*others)
    with ledger_of(home) as ledger:
        metadata = {"name": NAME, "owner": "risk", "people": {ME: ["operator"]}}
        ledger.append([replace(first, declaration={"metadata": metadata, "retrain": {"triggers": ["commit"]}})])
    words = ("retrain", "fraud", "--because", "tag", "--reference", "v2")
    code, told = said(*words)
    assert (code, told["recorded"]) == (0, ["trigger.received"])
    assert said(*words)[1]["recorded"] == []
    assert said("retrain", "fraud", "--because", "webhook", "--key", "k")[0] == 1
    assert said("retrain", "fraud", "--reference", "v2")[0] == 2
    assert said("retrain", "fraud", "--because", "commit")[0] == 2
    (fact,) = facts_of(home, e.TriggerReceived)
    assert (fact.source, fact.reference, fact.key, fact.by, fact.proof) == ("tag", "v2", "v2", ME, "os_user")
    assert facts_of(home, e.TicketOpened) == []


def test_review_lowers_the_ladder_and_wants_a_reason(put: Put, said: Said) -> None:
    diagnosis = Diagnosis(kind="concept_drift", reason="a test says so")
    opened = e.TicketOpened(service=NAME, ticket="ti-1", kind="retrain", reason="risk", diagnosis=diagnosis)
    closed = e.TicketClosed(service=NAME, ticket="ti-1", outcome="promoted", reason="it serves")
    home = put(*serving(opened, closed))
    assert said("review", "ti-1", "harmful")[0] == 2
    code, told = said("review", "ti-1", "harmful", "--why", "it forgot the night shift")
    assert (code, told["recorded"]) == (0, ["remedy.reviewed"])
    (fact,) = facts_of(home, e.RemedyReviewed)
    assert (fact.rung, fact.by) == ("observe", ME)  # one below suggest, the default
    assert said("review", "ti-2", "harmful", "--why", "x")[0] == 2
