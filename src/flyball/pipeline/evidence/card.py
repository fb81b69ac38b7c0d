"""The model card: what a person should know about a release before approving it.

Markdown with front matter as model hubs read it (Hugging Face model cards: `pipeline_tag`, `library_name`, `tags`,
`model-index`). What nobody has declared or measured reads `not provided`; a card never fills a gap with a guess.

Source: the metadata keys of Hugging Face's model card specification (`modelcard.md`).
"""

from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any

from ruamel.yaml import YAML

from flyball.core.ids import short
from flyball.core.model import Packaged
from flyball.core.release import Attributions, Release, TestResult
from flyball.core.service import Service, Suite

NOT_PROVIDED = "not provided"
TASKS = {
    "binary": "tabular-classification",
    "multiclass": "tabular-classification",
    "regression": "tabular-regression",
}
SUITES: tuple[Suite, ...] = ("data", "training", "model", "deployment", "privacy")
SHOWN_FEATURES = 15


def card(
    service: Service,
    release: Release,
    facts: Packaged,
    *,
    missing: dict[str, str],
    attributions: Attributions | None = None,
    plots: Sequence[str] = (),
) -> str:
    """Markdown text.

    Args:
        missing: metrics without a value, and why.
        attributions: what the answers rest on; None: nobody has asked.
        plots: names of SVG files beside the card.
    """
    return "\n".join(
        [
            "---",
            _yaml(_front_matter(service, release)),
            "---",
            "",
            f"# {service.metadata.name}, release {short(release.root)}",
            "",
            service.metadata.description or f"Purpose: {NOT_PROVIDED}",
            "",
            *_facts(service, release, facts),
            *_metrics(release, missing),
            *_gates(release),
            *_tests(release.tests),
            *_rests_on(attributions),
            *_plots(plots),
            "## Limits",
            "",
            f"Intended use: {NOT_PROVIDED}. Groups examined: {_groups(service)}. Known failure cases: "
            f"{_failures(release.tests)}.",
            "",
        ]
    )


def _front_matter(service: Service, release: Release) -> dict[str, Any]:
    """Hub metadata first, then the names by which Flyball knows the release."""
    task = TASKS[release.task]
    metrics = [{"type": name, "name": name, "value": found.value} for name, found in sorted(release.metrics.items())]
    result = {
        "task": {"type": task},
        "dataset": {"type": "tabular", "name": f"{service.metadata.name} holdout", "revision": release.snapshot},
        "metrics": metrics,
    }
    return {
        "pipeline_tag": task,
        "library_name": "flyball",
        "tags": ["flyball", "tabular", release.task],
        "license": NOT_PROVIDED,
        "model-index": [{"name": service.metadata.name, "results": [result]}],
        "service": service.metadata.name,
        "owner": service.metadata.owner,
        "release": str(release.root),
        "experiment": str(release.experiment),
        "snapshot": str(release.snapshot),
        "task": release.task,
        "passed": release.passed,
    }


def _yaml(document: dict[str, Any]) -> str:
    out = StringIO()
    writer = YAML()
    writer.width = 4096  # a digest is one word and one line
    writer.dump(document, out)
    return out.getvalue().rstrip("\n")


def _facts(service: Service, release: Release, facts: Packaged) -> Iterator[str]:
    source = service.data.source
    yield "## Data and training"
    yield ""
    yield f"- Trained on {release.trained_rows} rows of `{source.rsplit('/', 1)[-1]}`, judged on the newest "
    yield f"  {release.holdout_rows} rows" + (", then fitted once more on all of them." if release.refitted else ".")
    yield f"- Label: `{facts.label}`; inputs: " + ", ".join(f"`{column.name}`" for column in facts.inputs) + "."
    if facts.classes:
        yield "- Classes: " + ", ".join(f"`{label}`" for label in facts.classes) + "."
    yield f"- Model file: `{facts.model}`."
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
        yield f"| {name} | {NOT_PROVIDED} | {_cell(why)} | |"
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
        yield f"| {_cell(gate.name)} | {gate.verdict} | {_cell(gate.reason)} |"
    if release.rubber_stamped:
        yield ""
        yield "There was no champion to compare with (RUBBER_STAMPED)."
    yield ""


def _tests(tests: tuple[TestResult, ...]) -> Iterator[str]:
    """Every suite has a heading, also one of which nothing ran."""
    yield "## Tests"
    yield ""
    for suite in SUITES:
        found = [test for test in tests if test.suite == suite]
        if not found:
            yield f"- {suite}: {NOT_PROVIDED}"
    if tests:
        yield ""
        yield "| suite | test | verdict | what was found |"
        yield "|---|---|---|---|"
        for test in sorted(tests, key=lambda test: SUITES.index(test.suite)):
            soft = "" if test.hard else " (does not stop a release)"
            yield f"| {test.suite} | {_cell(test.name)} | {test.verdict}{soft} | {_cell(test.reason)} |"
    yield ""


def _rests_on(attributions: Attributions | None) -> Iterator[str]:
    yield "## What the answers rest on"
    yield ""
    if attributions is None:
        yield f"Attributions: {NOT_PROVIDED}."
        yield ""
        return
    yield f"Mean absolute attribution ({attributions.method}) to the {attributions.output}, {attributions.rows} rows."
    yield ""
    yield "| feature | attribution |"
    yield "|---|---|"
    for line in attributions.features[:SHOWN_FEATURES]:
        yield f"| {_cell(line.feature)} | {line.mean_abs:.4g} |"
    if len(attributions.features) > SHOWN_FEATURES:
        yield f"| {len(attributions.features) - SHOWN_FEATURES} more | |"
    yield ""


def _plots(plots: Sequence[str]) -> Iterator[str]:
    yield "## Plots"
    yield ""
    if not plots:
        yield f"Plots: {NOT_PROVIDED}."
    for name in plots:
        yield f"![{name.removesuffix('.svg').replace('_', ' ')}]({name})"
    yield ""


def _groups(service: Service) -> str:
    tests = service.experiment.tests
    named = [*tests.slices, *(tests.fairness.attributes if tests.fairness is not None else ())]
    return ", ".join(f"`{name}`" for name in dict.fromkeys(named)) or NOT_PROVIDED


def _failures(tests: tuple[TestResult, ...]) -> str:
    failed = [test.name for test in tests if test.verdict == "FAIL"]
    return ", ".join(failed) or NOT_PROVIDED


def _cell(text: str) -> str:
    """Text that cannot end its cell.

    >>> _cell("a|b\\nc")
    'a/b c'
    """
    return " ".join(text.replace("|", "/").split())
