"""Walks over the lineage graph: where something came from, and what came of it; bounded, saying what they left out."""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from flyball.core.record import Record
from flyball.registry.lineage import COMPARISONS, Edge, Graph, Kind, Node

Direction = Literal["origins", "results"]
LIMIT = 50  # nodes of one kind in a walk
LEAST_DIGITS = 8  # hex digits of a digest that may stand for it


class Left(Record):
    """What a bounded walk does not show of one kind."""

    kind: Kind
    count: int
    first: str  # name of the first that was left out, in the order of the ledger
    last: str


class Walk(Record):
    """The part of the graph that was reached. Edges go from what was made to what it was made of, whatever the way."""

    nodes: tuple[Node, ...]  # without the start, nearest first
    edges: tuple[Edge, ...]
    left_out: tuple[Left, ...] = ()


def walk(graph: Graph, start: str, direction: Direction, *, limit: int = LIMIT) -> Walk:
    """All that lies behind (`origins`) or came of (`results`) a node.

    A comparison ends a way: the champion that a release was judged against is shown, what it was made of is not, and a
    release is no result of those it was compared with.
    """
    ways = _ways(graph.edges, direction)
    seen, queued, queue, found, edges = {start}, {start}, deque([start]), [], []
    while queue:
        for edge in ways.get(queue.popleft(), ()):
            there = edge.target if direction == "origins" else edge.source
            edges.append(edge)
            if there not in seen:
                seen.add(there)
                found.append(graph.nodes[there])
            if there not in queued and edge.relation not in COMPARISONS:
                queued.add(there)
                queue.append(there)
    shown, left = _bounded(found, limit)
    kept = {start, *(node.id for node in shown)}
    return Walk(
        nodes=tuple(shown),
        edges=tuple(edge for edge in edges if edge.source in kept and edge.target in kept),
        left_out=left,
    )


def named(graph: Graph, subject: str) -> tuple[Node, ...]:
    """Nodes that a person may mean: by id, by name, or a digest or UUID by its first digits (at least 8).

    >>> node = Node(id="release/sha256:0123abcd77", kind="release", name="sha256:0123abcd77")
    >>> [found.name for found in named(Graph(nodes={node.id: node}), "0123abcd")]
    ['sha256:0123abcd77']
    """
    exact = [node for node in graph.nodes.values() if subject in (node.id, node.name)]
    if exact:
        return tuple(exact)
    kind, _, digits = subject.rpartition("/")
    head, _, digits = digits.rpartition(":")
    if len(digits) < LEAST_DIGITS:
        return ()
    return tuple(
        node
        for node in graph.nodes.values()
        if node.name.rpartition(":")[2].startswith(digits)
        and (not head or node.name.rpartition(":")[0] == head)
        and (not kind or node.kind == kind)
    )


def _ways(edges: Iterable[Edge], direction: Direction) -> Mapping[str, Sequence[Edge]]:
    ways: dict[str, list[Edge]] = {}
    for edge in edges:
        if direction == "origins":
            ways.setdefault(edge.source, []).append(edge)
        elif edge.relation not in COMPARISONS:
            ways.setdefault(edge.target, []).append(edge)
    return ways


def _bounded(found: Sequence[Node], limit: int) -> tuple[list[Node], tuple[Left, ...]]:
    kinds: dict[Kind, list[Node]] = {}
    for node in found:
        kinds.setdefault(node.kind, []).append(node)
    left = []
    for kind, nodes in kinds.items():
        if len(nodes) > limit:
            more = sorted(nodes[limit:], key=lambda node: node.seq or 0)
            left.append(Left(kind=kind, count=len(more), first=more[0].name, last=more[-1].name))
    shown = {node.id for nodes in kinds.values() for node in nodes[:limit]}
    return [node for node in found if node.id in shown], tuple(left)
