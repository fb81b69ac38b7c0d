"""The model card: what a person should know about a release before approving it, in Markdown with front matter.

What nobody has declared reads `not provided`; a card never fills a gap with a guess.
"""

from collections.abc import Iterator

from flyball.core.codec import canonical
from flyball.core.ids import short
from flyball.core.model import Packaged
from flyball.core.release import Release
from flyball.core.service import Service

NOT_PROVIDED = "not provided"


def card(service: Service, release: Release, facts: Packaged, *, missing: dict[str, str]) -> str:
    """Markdown text; `missing`: metrics without a value and why."""
    return "\n".join(
        [
            *_front_matter(service, release),
            f"# {service.metadata.name}, release {short(release.root)}",
            "",
            service.metadata.description or f"Purpose: {NOT_PROVIDED}",
            "",
            *_facts(service, release, facts),
            *_metrics(release, missing),
            *_gates(release),
            *_package(release, facts),
            "## Limits",
            "",
            f"Intended use: {NOT_PROVIDED}. Groups examined: {NOT_PROVIDED}. Known failure cases: {NOT_PROVIDED}.",
            "",
        ]
    )


def _front_matter(service: Service, release: Release) -> Iterator[str]:
    yield "---"
    yield f"service: {service.metadata.name}"
    yield f"owner: {canonical(service.metadata.owner).decode()}"  # JSON text is YAML text
    yield f"release: {release.root}"
    yield f"experiment: {release.experiment}"
    yield f"snapshot: {release.snapshot}"
    yield f"task: {release.task}"
    yield f"passed: {'true' if release.passed else 'false'}"
    yield "---"
    yield ""


def _facts(service: Service, release: Release, facts: Packaged) -> Iterator[str]:
    source = service.data.source
    yield "## Data and training"
    yield ""
    yield f"- Trained on {release.trained_rows} rows of `{source.rsplit('/', 1)[-1]}`, judged on the newest "
    yield f"  {release.holdout_rows} rows" + (", then fitted once more on all of them." if release.refitted else ".")
    yield f"- Label: `{facts.label}`; inputs: " + ", ".join(f"`{column.name}`" for column in facts.inputs) + "."
    if facts.classes:
        yield "- Classes: " + ", ".join(f"`{label}`" for label in facts.classes) + "."
    yield f"- Trained because: {release.reason}. Compared with: {release.compared_with or 'no champion'}."
    yield ""


def _metrics(release: Release, missing: dict[str, str]) -> Iterator[str]:
    yield "## Metrics on the holdout"
    yield ""
    yield "| metric | value | 95 % interval | rows |"
    yield "|---|---|---|---|"
    for name, found in sorted(release.metrics.items()):
        yield f"| {name} | {found.value:.4g} | {found.low:.4g} to {found.high:.4g} | {found.n} |"
    for name, why in sorted(missing.items()):
        yield f"| {name} | {NOT_PROVIDED} | {why} | |"
    yield ""


def _package(release: Release, facts: Packaged) -> Iterator[str]:
    """The model file and what the deployment tests found."""
    yield "## Package"
    yield ""
    yield f"- Model file: `{facts.model}`."
    for test in release.tests:
        if test.suite == "deployment":
            yield f"- {test.name}: {test.verdict}; {test.reason}."
    yield ""


def _gates(release: Release) -> Iterator[str]:
    yield "## Gates"
    yield ""
    if not release.gates:
        yield f"Gates: {NOT_PROVIDED}."
        yield ""
        return
    yield "| gate | verdict | evidence |"
    yield "|---|---|---|"
    for gate in release.gates:
        yield f"| {gate.name} | {gate.verdict} | {gate.reason.replace('|', '/')} |"
    if release.rubber_stamped:
        yield ""
        yield "There was no champion to compare with (RUBBER_STAMPED)."
    yield ""
