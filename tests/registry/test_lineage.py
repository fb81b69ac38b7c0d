"""Lineage tells what each thing was made of and nothing else, whatever order facts came in."""

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.registry.facts import HISTORIES, NAME, Story

from flyball.core import events as e
from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot, RolloutId, ServiceName
from flyball.core.ledger import Entry
from flyball.core.release import File, Origin, Release, Snapshot
from flyball.registry.lineage import COMPARISONS, Graph, Lineage, lineage, node_id, with_raw_files
from flyball.registry.walk import named, walk


def snapshot(name: str) -> e.AnyFact:
    files = (File(path="data.parquet", size=7, sha256=name * 64),)
    return e.SnapshotTaken(
        service=NAME, snapshot=Snapshot(root=Digest(f"sha256:{name * 64}"), files=files, rows=5, source="source")
    )


def started(experiment: str, data: str, code: str = "c") -> e.AnyFact:
    return e.TrainingStarted(
        service=NAME,
        experiment=ExperimentDigest(experiment),
        snapshot=Digest(f"sha256:{data * 64}"),
        code=Digest(f"sha256:{code}"),
        reason="first",
    )


def registered(root: str, experiment: str, data: str, against: str | None = None) -> e.AnyFact:
    release = Release(
        root=ReleaseRoot(root),
        experiment=ExperimentDigest(experiment),
        service=NAME,
        task="binary",
        snapshot=Digest(f"sha256:{data * 64}"),
        metrics={},
        gates=(),
        passed=True,
        compared_with=ReleaseRoot(against) if against else None,
    )
    return e.ReleaseRegistered(service=NAME, release=release)


def opened(rollout: str, root: str, champion: str) -> e.AnyFact:
    return e.RolloutOpened(
        service=NAME,
        rollout=RolloutId(rollout),
        release=ReleaseRoot(root),
        champion=ReleaseRoot(champion),
        policy=Digest("p"),
        salt="s",
        reason="manual",
    )


def graph(facts: list[Any]) -> Graph:
    return lineage(Story(facts).entries()).graph()


def reached(found: Graph, start: str, kind: str, direction: Any = "origins") -> set[str]:
    return {node.name for node in walk(found, start, direction).nodes if node.kind == kind}


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(HISTORIES)
def test_folding_again_changes_nothing_and_every_edge_has_both_its_ends(facts: list[Any]) -> None:
    entries = Story(facts).entries()
    once = lineage(entries).graph()
    twice = Lineage()
    for entry in [*entries, *entries]:
        twice.fold(entry)
    assert twice.graph() == once
    assert all(edge.source in once.nodes and edge.target in once.nodes for edge in once.edges)
    assert len(set(once.edges)) == len(once.edges)


def test_a_raw_file_leads_to_what_was_made_of_it() -> None:
    origin = Origin(root=Digest("sha256:raw"), files=1, size=9, manifest=Digest("sha256:list"), grade="A")
    taken = snapshot("a")
    assert isinstance(taken, e.SnapshotTaken)
    taken = msgspec.structs.replace(taken, snapshot=msgspec.structs.replace(taken.snapshot, origin=origin))
    found = graph([taken, started("x", "a"), registered("r", "x", "a")])
    assert reached(found, node_id("origin", "sha256:raw"), "release", "results") == {"r"}
    assert reached(found, node_id("release", "r"), "origin") == {"sha256:raw"}
    raw = File(path="cards.csv", size=9, sha256="f" * 64)
    whole = with_raw_files(found, {"sha256:list": [raw]})
    assert reached(whole, node_id("file", f"sha256:{'f' * 64}"), "release", "results") == {"r"}
    assert reached(whole, node_id("release", "r"), "file") == {f"sha256:{'f' * 64}", f"sha256:{'a' * 64}"}
    assert with_raw_files(found, {}) == found


TRAININGS = st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("ab"), st.sampled_from("cd")), max_size=8)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(TRAININGS, st.randoms(use_true_random=False))
def test_a_run_has_exactly_its_own_inputs_however_runs_interleave(
    trainings: list[tuple[str, str, str]], dice: Any
) -> None:
    """Not the cartesian product of all inputs and all outputs of a job."""
    facts: list[Any] = []
    running: dict[str, tuple[str, str]] = {}
    expected: dict[str, set[tuple[str, str]]] = {}
    for number, (experiment, data, code) in enumerate(trainings):
        facts.append(started(experiment, data, code))
        running[experiment] = data, code
        if dice.random() < 0.6:
            ended = dice.choice(sorted(running))
            root = f"sha256:r{number}"
            facts.append(registered(root, ended, running[ended][0]))
            expected.setdefault(root, set()).add(running.pop(ended))
    found = graph(facts)
    for root, inputs in expected.items():
        start = node_id("release", root)
        assert reached(found, start, "snapshot") == {f"sha256:{data * 64}" for data, _ in inputs}
        assert reached(found, start, "code") == {f"sha256:{code}" for _, code in inputs}
        assert len(reached(found, start, "run")) == len(inputs)


def test_the_champion_is_shown_beside_a_candidate_and_is_no_origin_of_it() -> None:
    facts = [
        snapshot("a"),
        snapshot("b"),
        started("x", "a", "c1"),
        registered("sha256:one", "x", "a"),
        started("y", "b", "c2"),
        registered("sha256:two", "y", "b", against="sha256:one"),
        opened("ro-1", "sha256:two", "sha256:one"),
    ]
    found = graph(facts)
    two, rollout = node_id("release", "sha256:two"), node_id("rollout", "ro-1")
    assert reached(found, two, "release") == {"sha256:one"}
    assert reached(found, rollout, "snapshot") == {"sha256:" + "b" * 64}
    assert reached(found, rollout, "file") == {"sha256:" + "b" * 64}
    first = node_id("snapshot", "sha256:" + "a" * 64)
    assert reached(found, first, "release", "results") == {"sha256:one"}
    assert reached(found, first, "rollout", "results") == set()
    second = node_id("file", "sha256:" + "b" * 64)
    assert reached(found, second, "rollout", "results") == {"ro-1"}


def test_a_champion_that_a_warm_start_went_on_from_is_an_origin_though_it_was_compared_with_too() -> None:
    second = msgspec.structs.replace(started("y", "b"), parent=ReleaseRoot("sha256:one"))
    facts = [
        started("x", "a"),
        registered("sha256:one", "x", "a"),
        second,
        registered("sha256:two", "y", "b", against="sha256:one"),
    ]
    both = {"sha256:" + "a" * 64, "sha256:" + "b" * 64}
    assert reached(graph(facts), node_id("release", "sha256:two"), "snapshot") == both


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(HISTORIES)
def test_results_are_origins_read_backwards(facts: list[Any]) -> None:
    found = graph(facts)
    plain = Graph(nodes=found.nodes, edges=tuple(x for x in found.edges if x.relation not in COMPARISONS))
    back = {id_: {node.id for node in walk(plain, id_, "results").nodes} for id_ in plain.nodes}
    for id_ in plain.nodes:
        assert all(id_ in back[node.id] for node in walk(plain, id_, "origins").nodes)


def test_a_snapshot_with_many_releases_is_told_in_a_bounded_answer() -> None:
    facts = [snapshot("a")]
    for number in range(30):
        facts += [started(f"x{number}", "a"), registered(f"sha256:{number:04}", f"x{number}", "a")]
    found = walk(graph(facts), node_id("snapshot", "sha256:" + "a" * 64), "results", limit=10)
    assert len([node for node in found.nodes if node.kind == "release"]) == 10
    left = {each.kind: each for each in found.left_out}
    assert (left["release"].count, left["release"].first, left["release"].last) == (20, "sha256:0010", "sha256:0029")
    kept = {node.id for node in found.nodes} | {node_id("snapshot", "sha256:" + "a" * 64)}
    assert all(edge.source in kept and edge.target in kept for edge in found.edges)


def test_a_run_that_was_killed_is_no_origin_of_what_the_next_one_made() -> None:
    found = graph([started("x", "a"), started("x", "a"), registered("sha256:one", "x", "a")])
    outcomes = sorted(node.facts["outcome"] for node in found.nodes.values() if node.kind == "run")
    assert outcomes == ["finished", "killed"]
    assert len(reached(found, node_id("release", "sha256:one"), "run")) == 1


def test_services_do_not_mix_and_share_what_is_the_same() -> None:
    other = [msgspec.structs.replace(fact, service=ServiceName("churn")) for fact in (snapshot("a"), started("x", "a"))]
    entries: list[Entry] = Story([snapshot("a"), started("x", "a"), *other]).entries()
    found = lineage(entries).graph()
    assert found.nodes[node_id("snapshot", "sha256:" + "a" * 64)].services == ("churn", "fraud")
    assert len([node for node in found.nodes.values() if node.kind == "run"]) == 2


def test_a_name_is_found_by_its_beginning_its_kind_or_its_scheme() -> None:
    found = graph([snapshot("a"), started("fx1:sha256:" + "a" * 64, "a")])
    kinds = [node.kind for node in named(found, "aaaaaaaa")]
    assert sorted(kinds) == ["experiment", "file", "snapshot"]
    assert [node.kind for node in named(found, "fx1:sha256:aaaaaaaa")] == ["experiment"]
    assert [node.kind for node in named(found, "snapshot/sha256:aaaaaaaa")] == ["snapshot"]
    assert named(found, "aaaaaaa") == ()
