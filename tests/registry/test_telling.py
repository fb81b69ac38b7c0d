"""What leaves is valid by the published schemas, whatever the fact; a run ends once; an id never changes."""

import json
from collections import Counter
from typing import Any, get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import ValidationError
from msgspec.structs import replace
from tests.registry.facts import FACTS, HISTORIES, NAME, Story
from tests.registry.published import check_cloudevent, check_openlineage, folder

from flyball.core import events as e
from flyball.core.codec import canonical
from flyball.core.declared.destination import Destination
from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot, RolloutId
from flyball.core.ledger import Message
from flyball.core.release import GateResult, Release, Snapshot, TestResult
from flyball.core.watching import Signal
from flyball.registry.lineage import lineage
from flyball.registry.telling.known import Known, fold, known
from flyball.registry.telling.messages import messages

A, B = ReleaseRoot("sha256:" + "a" * 64), ReleaseRoot("sha256:" + "b" * 64)
EXPERIMENT, DATA, CODE = ExperimentDigest("fx1:sha256:" + "1" * 64), Digest("sha256:" + "2" * 64), Digest("sha256:cc")
EVERYWHERE = tuple(Destination(format=kind, to="file:out") for kind in ("openlineage", "cdevents", "mlflow"))


def declared(*to: Destination) -> e.AnyFact:
    return e.ServiceDeclared(
        service=NAME, policy=Digest("sha256:0"), declaration={"events": msgspec.to_builtins(to)}, folder="fraud"
    )


def told(facts: list[Any]) -> list[Message]:
    return list(messages(Known(destinations=EVERYWHERE), Story(facts).entries()))


def bodies(facts: list[Any], name: str) -> list[dict[str, Any]]:
    """As a receiver reads them: through JSON."""
    found = [each.body for each in told(facts) if each.destination == f"{NAME}/{name}"]
    return [json.loads(canonical(body)) for body in found]


def kinds(facts: list[Any]) -> list[str]:
    return [each["type"].removeprefix("dev.cdevents.").removesuffix(".0.3.0") for each in bodies(facts, "cdevents")]


def started(experiment: str = EXPERIMENT) -> e.AnyFact:
    return e.TrainingStarted(
        service=NAME, experiment=ExperimentDigest(experiment), snapshot=DATA, reason="first", code=CODE
    )


def release(root: ReleaseRoot = A, **more: Any) -> Release:
    given_: dict[str, Any] = {"metrics": {}, "gates": (), "passed": True} | more
    return Release(root=root, experiment=EXPERIMENT, service=NAME, task="binary", snapshot=DATA, **given_)


def registered(root: ReleaseRoot = A, **more: Any) -> e.AnyFact:
    return e.ReleaseRegistered(service=NAME, release=release(root, **more), signature="MEYC")


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(HISTORIES)
def test_whatever_happens_each_message_is_valid_by_the_published_schemas(facts: list[Any]) -> None:
    for event in bodies(facts, "openlineage"):
        check_openlineage(event)
    for event in bodies(facts, "cdevents"):
        check_cloudevent(event)


@pytest.mark.parametrize("number", range(len(FACTS)), ids=[kind.__name__ for kind in get_args(e.AnyFact)])
def test_each_kind_of_fact_is_told_validly(number: int) -> None:
    folder()

    @settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
    @given(FACTS[number])
    def law(fact: Any) -> None:
        facts = [started(), fact]
        if isinstance(fact, e.TrainingStarted | e.TrainingFailed):  # the one that was begun
            facts[1] = msgspec.structs.replace(fact, experiment=EXPERIMENT)
        if isinstance(fact, e.SignalCleared):
            signal = Signal(
                signal="psi",
                level="act",
                value=1,
                limit=0.2,
                release=A,
                window=1,
                first_row=1,
                last_row=2,
                feature=fact.feature,
            )
            facts = [e.SignalRaised(service=NAME, signal=signal), msgspec.structs.replace(fact, signal="psi")]
        for event in bodies(facts, "openlineage"):
            check_openlineage(event)
        for event in bodies(facts, "cdevents"):
            check_cloudevent(event)

    law()


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(
        st.one_of(
            st.sampled_from(["x", "y"]).map(started),
            st.sampled_from(["x", "y"]).map(
                lambda name: e.TrainingFailed(service=NAME, experiment=ExperimentDigest(name), error="no")
            ),
            st.sampled_from(["x", "y"]).map(
                lambda name: e.ReleaseRegistered(
                    service=NAME, release=msgspec.structs.replace(release(), experiment=ExperimentDigest(name))
                )
            ),
        ),
        max_size=12,
    )
)
def test_a_run_starts_once_and_ends_at_most_once_whoever_was_killed_in_between(facts: list[Any]) -> None:
    starts: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    for event in bodies(facts, "openlineage"):
        run = event["run"]["runId"]
        if event["eventType"] == "START":
            assert not starts[run]
            starts[run] += 1
        else:
            assert starts[run] == 1
            ends[run] += 1
    assert max(ends.values(), default=0) <= 1
    assert len(starts) == sum(isinstance(fact, e.TrainingStarted) for fact in facts)
    open_runs = known(Story(facts).entries()).open_runs
    assert {run.id for run in open_runs.values()} == set(starts) - set(ends)


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(HISTORIES, st.integers(0, 8))
def test_ids_differ_and_are_the_same_wherever_the_history_is_cut(facts: list[Any], cut: int) -> None:
    """A process that read the first part earlier, or was started in between, makes the same messages."""
    entries = Story(facts).entries()
    whole = list(messages(Known(destinations=EVERYWHERE), entries))
    assert len({each.id for each in whole}) == len(whole)
    state = Known(destinations=EVERYWHERE)
    for entry in entries[:cut]:
        state = fold(fold(state, entry), entry)  # twice is once
    parts = [*messages(Known(destinations=EVERYWHERE), entries[:cut]), *messages(state, entries[cut:])]
    assert parts == whole


def test_the_check_itself_says_no() -> None:
    start, *_ = bodies([started()], "openlineage")
    for broken in (start | {"eventTime": "yesterday"}, start | {"run": {"runId": "7", "facets": {}}}):
        with pytest.raises(ValidationError):
            check_openlineage(broken)
    facet = start["run"]["facets"]["flyball_experiment"]
    del facet["digest"]
    with pytest.raises(ValidationError):
        check_openlineage(start)
    begun, *_ = bodies([started()], "cdevents")
    begun["data"]["subject"]["content"]["uri"] = "no uri"
    with pytest.raises(ValidationError):
        check_cloudevent(begun)


def test_a_training_names_its_digests_its_data_and_its_tests() -> None:
    snapshot = Snapshot(root=DATA, files=(), rows=5000, source="source")
    gate = GateResult(
        name="roc_auc >= 0.8", metric="roc_auc", passed=True, verdict="PASS", reason="ok", value=0.9, limit=0.8
    )
    test = TestResult(suite="data", name="leak", dimension="data", verdict="INCONCLUSIVE", reason="few", hard=False)
    facts = [
        e.SnapshotTaken(service=NAME, snapshot=snapshot),
        started(),
        registered(gates=(gate,), tests=(test,)),
    ]
    start, complete = bodies(facts, "openlineage")
    assert (start["eventType"], complete["eventType"]) == ("START", "COMPLETE")
    assert start["run"]["runId"] == complete["run"]["runId"]
    facet = complete["run"]["facets"]["flyball_experiment"]
    assert (facet["digest"], facet["code"], facet["snapshot"]) == (EXPERIMENT, CODE, DATA)
    tests = complete["run"]["facets"]["test"]["tests"]
    assert tests[0] | {"description": ""} == {
        "name": "roc_auc >= 0.8",
        "status": "pass",
        "severity": "error",
        "type": "gate",
        "description": "",
        "expected": "0.8",
        "actual": "0.9",
    }
    assert (tests[1]["status"], tests[1]["severity"]) == ("skip", "warn")
    (data,) = complete["inputs"]
    assert data["facets"]["version"]["datasetVersion"] == DATA
    assert data["inputFacets"]["inputStatistics"]["rowCount"] == 5000
    (model,) = complete["outputs"]
    assert model["facets"]["version"]["datasetVersion"] == A
    assert model["facets"]["datasetType"]["datasetType"] == "MODEL"


def test_the_way_of_a_release_as_cdevents() -> None:
    facts = [
        started(),
        registered(),
        e.GatesJudged(service=NAME, release=A, passed=True, results=()),
        e.ChampionAppointed(service=NAME, release=A, previous=None),
        e.ChampionAppointed(service=NAME, release=B, previous=A),
    ]
    assert kinds(facts) == [
        "pipelinerun.started",
        "pipelinerun.finished",
        "artifact.packaged",
        "artifact.signed",
        "artifact.published",
        "testsuiterun.finished",
        "service.deployed",
        "service.upgraded",
    ]
    packaged = bodies(facts, "cdevents")[2]["data"]["subject"]
    assert packaged["id"] == f"pkg:generic/fraud@sha256%3A{'a' * 64}"
    assert packaged["content"] == {"change": {"id": CODE}}


def test_a_new_declaration_is_heard_by_those_it_names_from_its_own_line_on() -> None:
    one, other = Destination(format="cdevents", to="file:a"), Destination(format="openlineage", to="file:b", name="ol")
    entries = Story([declared(one), started(), declared(other), started()]).entries()
    assert [each.destination for each in messages(Known(), entries)] == ["fraud/cdevents", "fraud/ol", "fraud/ol"]


def test_a_declaration_from_before_there_were_events_tells_nobody() -> None:
    fact = e.ServiceDeclared(service=NAME, policy=Digest("x"), declaration={"events": "?"}, folder="f")
    assert list(messages(Known(), Story([fact, started()]).entries())) == []


def test_a_run_has_one_name_and_a_broken_off_one_ends_once() -> None:
    name = "run-01a1fd8c69007fffbfffffffffffffff"
    first = msgspec.structs.replace(started(), run=name)
    off = e.RunFinished(
        service=NAME, run=name, experiment=EXPERIMENT, outcome="broken_off", executor="", reason="first"
    )
    events = bodies([first, off, started()], "openlineage")
    assert [event["eventType"] for event in events] == ["START", "ABORT", "START"]
    assert {event["run"]["runId"] for event in events[:2]} == {"01a1fd8c-6900-7fff-bfff-ffffffffffff"}
    assert kinds([first, off]) == ["pipelinerun.started", "pipelinerun.finished"]
    assert known(Story([first, off]).entries()).open_runs == {}
    (node,) = [node for node in lineage(Story([first, off]).entries()).graph().nodes.values() if node.kind == "run"]
    assert (node.name, node.facts["outcome"]) == ("01a1fd8c-6900-7fff-bfff-ffffffffffff", "killed")
    other = msgspec.structs.replace(off, run="run-" + "0" * 32)  # of an older run: this one goes on
    assert len(known(Story([first, other]).entries()).open_runs) == 1


def test_what_asks_nobody_pages_no_role() -> None:
    asked = e.ApprovalRequested(
        service=NAME,
        rollout=RolloutId("ro-1"),
        step=0,
        model=A,
        evidence=DATA,
        policy=CODE,
        role="approver",
        expires_at="2026-11-30T00:00:00Z",
    )
    (people,), (nobody,) = (bodies([one], "cdevents") for one in (asked, replace(asked, alone="routine")))
    content = people["data"]["subject"]["content"]
    assert content["role"] == "approver"
    assert "role" not in nobody["data"]["subject"]["content"]
