"""Lineage of one subject: the graph of the ledger, and what the prediction log says of the answers at its end."""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime

import msgspec

from flyball.adapters.content.blobs import Blobs
from flyball.adapters.prediction_log.answers import Answers
from flyball.app.home import Home
from flyball.app.wiring.asking.learned_from import learned_from
from flyball.app.wiring.history import History
from flyball.app.wiring.ledger import open_ledger
from flyball.core.answers import AnswerRecord, Given
from flyball.core.clock import timestamp
from flyball.core.errors import BadInput, Fault, NotFound
from flyball.core.ids import short
from flyball.core.record import Record
from flyball.pipeline.manifest import Manifest
from flyball.registry.lineage import Edge, Graph, Lineage, Node, Relation, lineage, node_id, with_raw_files
from flyball.registry.run_ids import as_uuid
from flyball.registry.walk import LEAST_DIGITS, LIMIT, Walk, named, walk

GROUPS = 100  # lines about answers; each counts as many as there were
_ORDER = ("release", "snapshot", "origin", "experiment", "run", "rollout", "code", "contract", "environment", "file")


class Trace(Record):
    """What `flyball lineage --json` prints."""

    subject: Node
    origins: Walk  # what it was made of
    results: Walk  # what was made of it
    predictions: tuple[Given, ...] = ()  # answers of the releases among subject and results, counted


def trace(home: Home, subject: str, *, limit: int = LIMIT) -> Trace:
    """Raises: NotFound: nothing is called so. BadInput: it is the beginning of several names."""
    if not home.has_ledger:
        raise NotFound(f"no ledger in {home.root}", hint="name the folder by --home or FLYBALL_HOME")
    with closing(open_ledger(home, told=False)) as ledger:
        found = lineage(ledger.read())
        history = History(ledger)
        answers = Answers(home.telemetry("any").parent)
        graph = _with_raw_files(home, found.graph())
        answer = _answer(answers, subject)
        holders = () if answer is None else _holders(home, history, *answer)
    graph, node = (
        _named(graph, as_uuid(subject)) if answer is None else _prediction(found, graph, *answer, holders=holders)
    )
    every = walk(graph, node.id, "results", limit=len(graph.nodes) + 1)
    releases = [each for each in (node, *every.nodes) if each.kind == "release"]
    counted = [
        given
        for service in sorted({name for each in releases for name in each.services})
        for given in answers.given(service, [each.name for each in releases])
    ]
    return Trace(
        subject=node,
        origins=walk(graph, node.id, "origins", limit=limit),
        results=walk(graph, node.id, "results", limit=limit),
        predictions=tuple(counted[:GROUPS]),
    )


def _with_raw_files(home: Home, graph: Graph) -> Graph:
    """Manifests of raw sources that were deleted leave their files unknown."""
    blobs = Blobs(home.blobs)
    wanted = {node.facts["manifest"] for node in graph.nodes.values() if node.kind == "origin"}
    held = [name for name in sorted(wanted) if blobs.has(name)]
    return with_raw_files(graph, {name: msgspec.json.decode(blobs.get(name), type=Manifest).files for name in held})


def _named(graph: Graph, subject: str) -> tuple[Graph, Node]:
    found = sorted(named(graph, subject), key=lambda node: _ORDER.index(node.kind))
    if not found:
        raise NotFound(
            f"nothing on the ledger or in the prediction log is called {subject!r}",
            hint="give a prediction's id, or a digest (at least "
            f"{LEAST_DIGITS} of its first hex digits); flyball status and flyball ledger tail name some. "
            "A row is in the log about 50 ms after its answer, and only in the home of its gateway",
        )
    if len({node.name for node in found}) > 1:
        names = ", ".join(node.id for node in found[:5])
        fault = Fault(where="command line", path="subject", expected="one name", found=f"{len(found)}: {names}")
        raise BadInput(f"{subject!r} is the beginning of several names.", (fault,), hint="give more of its digits")
    return graph, found[0]


def _answer(answers: Answers, subject: str) -> tuple[str, AnswerRecord] | None:
    """(service, what the log says); None where the subject cannot be the id of an answer."""
    service, dot, body = subject.rpartition(".")
    if not dot or len(body) < LEAST_DIGITS or service not in answers.services():
        return None
    records = answers.find(service, subject)
    if not records:
        return None
    if len(records) > 1:
        names = ", ".join(record.id for record in records[:5])
        fault = Fault(where="command line", path="subject", expected="one prediction", found=names)
        raise BadInput(f"{subject!r} is the beginning of several ids.", (fault,), hint="give the whole id")
    return service, records[0]


def _holders(home: Home, history: History, service: str, record: AnswerRecord) -> tuple[str, ...]:
    return () if record.row is None else learned_from(home, history.registry(service), record.row)


def _prediction(
    found: Lineage, graph: Graph, service: str, record: AnswerRecord, *, holders: Sequence[str]
) -> tuple[Graph, Node]:
    """The graph with the answer in it. `holders`: captured snapshots that hold its row."""
    node = Node(
        id=node_id("prediction", record.id),
        kind="prediction",
        name=record.id,
        services=(service,),
        at=timestamp(datetime.fromtimestamp(record.at, UTC)),
        facts={
            key: value
            for key in ("prediction", "outcome", "arm", "fallback", "reason", "epoch", "pane")
            if (value := getattr(record, key)) is not None
        },
    )
    edges, nodes = list(graph.edges), dict(graph.nodes) | {node.id: node}
    for relation, target in _ends(found, service, record):
        nodes.setdefault(target, _unknown(target))
        edges.append(Edge(source=node.id, relation=relation, target=target))
    edges += [Edge(source=node_id("snapshot", root), relation="holds", target=node.id) for root in holders]
    return Graph(nodes=nodes, edges=tuple(edges)), node


def _ends(found: Lineage, service: str, record: AnswerRecord) -> list[tuple[Relation, str]]:
    ends: list[tuple[Relation, str]] = []
    if record.answered_by is not None:
        ends.append(("answered_by", node_id("release", record.answered_by)))
    if record.arm is not None:
        ends.append(("assigned_to", node_id("release", record.release)))
    rollout = found.rollout_at(service, record.epoch)
    if rollout is not None:
        ends.append(("during", rollout))
    return ends


def _unknown(target: str) -> Node:
    """A release that served and that this ledger does not hold: the ledger was replaced, or lies elsewhere."""
    name = target.partition("/")[2]
    return Node(id=target, kind="release", name=name, facts={"note": f"{short(name)} is not on this ledger"})
