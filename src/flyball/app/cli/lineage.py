"""`flyball lineage`: from one answer to the bytes its model learned from, and from these to all that came of them."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from flyball.app.cli.door import HomeOption, JsonFlag, emit

if TYPE_CHECKING:
    from flyball.app.wiring.asking.lineage import Trace
    from flyball.core.answers import Given
    from flyball.registry.lineage import Node
    from flyball.registry.walk import Walk


_DOING = ("repeats", "read", "ran", "holds", "offers", "went_on_from")


def lineage(
    subject: Annotated[str, Parameter(help="Prediction id, or digest of a release, snapshot, file, code, experiment.")],
    /,
    *,
    limit: Annotated[int, Parameter(help="Nodes of one kind that are shown.")] = 50,
    home: HomeOption = None,
    json: JsonFlag = False,
) -> None:
    """What the subject was made of, and what was made of it. The beginning of a name is enough."""
    from flyball.app.home import find_home
    from flyball.app.wiring.asking.lineage import trace

    found = trace(find_home(home), subject, limit=limit)
    emit(found, as_json=json, text=lambda: _text(found))


def _text(found: "Trace") -> str:
    lines = [_words(found.subject)]
    if found.origins.nodes:
        lines.append("was made of")
        lines += _branches(found.subject.id, found.origins, backwards=False, seen=set(), indent="")
    if found.results.nodes or found.predictions:
        lines.append("was used for")
        lines += _branches(found.subject.id, found.results, backwards=True, seen=set(), indent="")
        lines += [f"- {_counted(given)}" for given in found.predictions]
    for left in (*found.origins.left_out, *found.results.left_out):
        lines.append(f"and {left.count} more of kind {left.kind}, from {_short(left.first)} to {_short(left.last)}")
    return "\n".join(lines)


def _branches(here: str, walk: "Walk", *, backwards: bool, seen: set[str], indent: str) -> list[str]:
    """Lines below a node; what was told before is named and not told again. Whole lines: a digest is never cut off."""
    nodes = {node.id: node for node in walk.nodes}
    seen.add(here)
    lines = []
    for edge in walk.edges:
        start, end = (edge.target, edge.source) if backwards else (edge.source, edge.target)
        if start != here or end not in nodes:
            continue
        relation = edge.relation.replace("_", " ")
        words = _words(nodes[end])
        how = f"which {relation} it" if edge.relation in _DOING else f"{relation} it"
        told = f"{words}, {how}" if backwards else f"{relation} {words}"
        if end in seen:
            name = f"{nodes[end].kind} {_short(nodes[end].name)}"
            lines.append(f"{indent}- {relation} {name}, see above" if not backwards else f"{indent}- {name}, see above")
        else:
            lines.append(f"{indent}- {told}")
            lines += _branches(end, walk, backwards=backwards, seen=seen, indent=f"{indent}  ")
    return lines


def _words(node: "Node") -> str:
    """A node in a line: files with their whole digest, so that it can be compared."""
    facts = {key: value for key, value in node.facts.items() if key != "metrics"}
    metrics = node.facts.get("metrics", {})
    said = [f"{key} {value}" for key, value in facts.items()] + [f"{key} {value:.4g}" for key, value in metrics.items()]
    name = node.name if node.kind in ("file", "prediction", "rollout") else _short(node.name)
    return f"{node.kind} {name}" + (f" ({', '.join(said)})" if said else "")


def _short(name: str) -> str:
    return name if len(name) <= 36 else f"{name.rpartition(':')[2][:12]}"


def _counted(given: "Given") -> str:
    by = "" if given.answered_by == given.release else f", answered by {_short(given.answered_by or 'no release')}"
    return (
        f"{given.predictions} predictions {given.outcome} of {given.service}, assigned to {_short(given.release)}"
        f" as {given.arm}{by}, from {given.first} to {given.last}"
    )
