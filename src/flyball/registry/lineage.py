"""What was made of what: data, code, runs, releases and rollouts as a graph, folded from the ledger.

Edges go from what was made to what it was made of. A run has exactly the inputs that its own fact names, and a release
exactly the runs that gave its bytes: two trainings of one service never lend each other their inputs. A captured
snapshot holds single answers: whoever asks for the lineage of one adds it. `judged_against` and `instead_of` are
comparisons: they are shown, and nothing that lies behind them is an origin.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

from flyball.core import events as e
from flyball.core.ledger import Entry
from flyball.core.record import Record
from flyball.core.release import File, Release, Snapshot
from flyball.registry import open_runs
from flyball.registry.open_runs import Run
from flyball.registry.run_ids import run_id

Kind = Literal[
    "prediction",
    "rollout",
    "release",
    "run",
    "experiment",
    "snapshot",
    "origin",
    "file",
    "code",
    "contract",
    "environment",
    "backfill",
]
Relation = Literal[
    "assigned_to",
    "answered_by",
    "during",
    "offers",
    "instead_of",
    "made_by",
    "judged_against",
    "repeats",
    "read",
    "ran",
    "checked_by",
    "inside",
    "went_on_from",
    "holds",
    "mended_by",
]
COMPARISONS: frozenset[Relation] = frozenset({"judged_against", "instead_of"})


class Node(Record):
    """Something that a digest or an id names."""

    id: str  # `<kind>/<name>`, one node each
    kind: Kind
    name: str  # digest, UUID of a run, id of a rollout or prediction
    services: tuple[str, ...] = ()  # in which it was seen, sorted
    at: str | None = None  # RFC 3339: when it was first seen
    seq: int | None = None  # line of the ledger
    facts: dict[str, Any] = {}  # what there is to say, in plain values


class Edge(Record):
    source: str  # id of what was made
    relation: Relation
    target: str  # id of what it was made of


class Graph(Record):
    nodes: dict[str, Node] = {}
    edges: tuple[Edge, ...] = ()


class Lineage:
    """The fold. It grows in place, as a ledger may hold very many entries; folding one again changes nothing."""

    def __init__(self) -> None:
        self._nodes: dict[str, Node] = {}
        self._edges: dict[Edge, None] = {}
        self._open: dict[str, dict[str, Run]] = {}  # service -> its runs that have not ended, by experiment
        self._chains: dict[tuple[str, int], str] = {}  # (service, routing epoch) -> node of the rollout
        self._seq = 0

    def graph(self) -> Graph:
        return Graph(nodes=dict(self._nodes), edges=tuple(self._edges))

    def rollout_at(self, service: str, epoch: int) -> str | None:
        """Id of the rollout that a routing epoch belonged to."""
        return self._chains.get((service, epoch))

    def fold(self, entry: Entry) -> None:
        if entry.seq <= self._seq:
            return
        self._seq = entry.seq
        runs = self._open.get(entry.subject, {})
        if (gone := open_runs.lost(runs, entry)) is not None:
            self._say(node_id("run", gone.id), outcome="killed")
        self._fold(entry, runs)
        self._open[entry.subject] = open_runs.fold(runs, entry)

    def _fold(self, entry: Entry, runs: open_runs.OpenRuns) -> None:
        match entry.fact:
            case e.SnapshotTaken(snapshot=snapshot):
                self._snapshot(entry, snapshot)
            case e.TrainingStarted():
                self._started(entry, entry.fact)
            case e.TrainingFailed(experiment=experiment, error=error):
                if (run := runs.get(experiment)) is not None:
                    self._say(node_id("run", run.id), outcome="failed", error=error.splitlines()[-1] if error else "")
            case e.ReleaseRegistered(release=release):
                self._registered(entry, release, runs.get(release.experiment))
            case e.GatesJudged(release=root, passed=passed):
                self._say(node_id("release", root), passed=passed)
            case e.ChampionAppointed(release=root, by=by):
                self._say(node_id("release", root), champion_since=entry.at, by=by)
            case e.RolloutOpened(rollout=rollout, release=root, champion=champion, reason=reason):
                made = self._add(entry, "rollout", rollout, reason=reason)
                self._edge(made, "offers", self._add(entry, "release", root))
                self._edge(made, "instead_of", self._add(entry, "release", champion))
            case e.RolloutClosed(rollout=rollout, outcome=outcome):
                self._say(node_id("rollout", rollout), outcome=outcome)
            case e.BackfillDone():
                self._backfilled(entry, entry.fact)
            case e.StepStarted(rollout=rollout, routing=routing):
                self._chains[entry.subject, routing.epoch] = self._add(entry, "rollout", rollout)
            case _:
                return

    def _snapshot(self, entry: Entry, snapshot: Snapshot) -> None:
        made = self._add(
            entry,
            "snapshot",
            snapshot.root,
            rows=snapshot.rows,
            first_row=snapshot.first_row,
            last_row=snapshot.last_row,
            source=snapshot.source,
            as_of=snapshot.as_of,
            grade=snapshot.grade,
        )
        for backfill in snapshot.backfills:
            self._edge(made, "mended_by", self._add(entry, "backfill", backfill))
        for file in snapshot.files:
            self._edge(made, "holds", self._file(entry, file))
        if (origin := snapshot.origin) is not None:
            about = {"files": origin.files, "bytes": origin.size, "grade": origin.grade, "manifest": origin.manifest}
            self._edge(made, "read", self._add(entry, "origin", origin.root, **about))

    def _backfilled(self, entry: Entry, fact: e.BackfillDone) -> None:
        about = {"since": fact.since, "until": fact.until, "rows": fact.rows, "labels": fact.labels, "by": fact.by}
        made = self._add(entry, "backfill", fact.backfill, **about, incident=fact.incident)
        self._edge(made, "read", self._add(entry, "file", fact.source))
        self._edge(made, "holds", self._add(entry, "file", fact.output))

    def _file(self, entry: Entry, file: File) -> str:
        return self._add(entry, "file", f"sha256:{file.sha256}", path=file.path, bytes=file.size)

    def _started(self, entry: Entry, fact: e.TrainingStarted) -> None:
        run = self._add(entry, "run", run_id(entry), reason=fact.reason, outcome="open")
        self._edge(run, "repeats", self._add(entry, "experiment", fact.experiment))
        self._edge(run, "read", self._add(entry, "snapshot", fact.snapshot))
        inputs: tuple[tuple[Relation, Kind, str | None], ...] = (
            ("ran", "code", fact.code),
            ("checked_by", "contract", fact.contract),
            ("inside", "environment", fact.environment),
            ("went_on_from", "release", fact.parent),
        )
        for relation, kind, digest in inputs:
            if digest is not None:
                self._edge(run, relation, self._add(entry, kind, digest))

    def _registered(self, entry: Entry, release: Release, run: Run | None) -> None:
        made = self._add(
            entry,
            "release",
            release.root,
            passed=release.passed,
            trained_rows=release.trained_rows,
            first_row=release.first_row,
            last_row=release.last_row,
            reason=release.reason,
            metrics={name: found.value for name, found in release.metrics.items()},
        )
        if run is not None:
            self._edge(made, "made_by", node_id("run", run.id))
            self._say(node_id("run", run.id), outcome="finished")
        else:  # made elsewhere and brought here, or by a run that this ledger does not hold: what it names itself
            self._edge(made, "repeats", self._add(entry, "experiment", release.experiment))
            self._edge(made, "read", self._add(entry, "snapshot", release.snapshot))
        if release.compared_with is not None:
            self._edge(made, "judged_against", self._add(entry, "release", release.compared_with))

    def _add(self, entry: Entry, kind: Kind, name: str, **facts: Any) -> str:
        id_ = node_id(kind, name)
        old = self._nodes.get(id_)
        self._nodes[id_] = Node(
            id=id_,
            kind=kind,
            name=name,
            services=tuple(sorted({*(old.services if old else ()), entry.subject})),
            at=old.at if old else entry.at,
            seq=old.seq if old else entry.seq,
            facts=(old.facts if old else {}) | {key: value for key, value in facts.items() if value is not None},
        )
        return id_

    def _say(self, id_: str, **facts: Any) -> None:
        """Something more about a node; nothing about one that is not there."""
        old = self._nodes.get(id_)
        if old is not None:
            self._nodes[id_] = Node(
                id=id_,
                kind=old.kind,
                name=old.name,
                services=old.services,
                at=old.at,
                seq=old.seq,
                facts=old.facts | facts,
            )

    def _edge(self, source: str, relation: Relation, target: str) -> None:
        self._edges[Edge(source=source, relation=relation, target=target)] = None


def lineage(entries: Iterable[Entry]) -> Lineage:
    """The graph of all services of a ledger."""
    found = Lineage()
    for entry in entries:
        found.fold(entry)
    return found


def with_raw_files(graph: Graph, manifests: Mapping[str, Iterable[File]]) -> Graph:
    """The same graph, with the files that raw sources hold.

    Args: manifests: digest of an origin's manifest -> its files, of those that are at hand.
    """
    nodes, edges = dict(graph.nodes), dict.fromkeys(graph.edges)
    for origin in graph.nodes.values():
        if origin.kind != "origin":
            continue
        for file in manifests.get(origin.facts["manifest"], ()):
            name = f"sha256:{file.sha256}"
            facts = {"path": file.path, "bytes": file.size}
            new = Node(id=node_id("file", name), kind="file", name=name, services=origin.services, facts=facts)
            nodes.setdefault(new.id, new)
            edges[Edge(source=origin.id, relation="holds", target=new.id)] = None
    return Graph(nodes=nodes, edges=tuple(edges))


def node_id(kind: Kind, name: str) -> str:
    """
    >>> node_id("release", "sha256:ab")
    'release/sha256:ab'
    """
    return f"{kind}/{name}"
