"""What the verbs say about a judged release: its lights, the tests that are not passed, where its evidence lies."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from flyball.core.ids import short
from flyball.core.release import Release, TestResult
from flyball.pipeline import gates
from flyball.pipeline.lights import lights
from flyball.pipeline.lights import lines as told

if TYPE_CHECKING:
    from rich.table import Table

    from flyball.app.home import Home


def judged(release: Release) -> dict[str, Any]:
    """The judgement as a document: metrics, gates, tests and a light for each dimension."""
    return {
        "passed": release.passed,
        "metrics": release.metrics,
        "gates": release.gates,
        "tests": release.tests,
        "lights": lights(release.gates, release.tests),
    }


def not_passed(release: Release) -> list[TestResult]:
    """Tests that failed or are undecided; those that refuse the release first."""
    found = [test for test in release.tests if test.verdict != "PASS"]
    refusing = gates.failed(release.tests)
    return sorted(found, key=lambda test: test not in refusing)


def refused_by(release: Release) -> list[str]:
    """Why a release was refused, one reason each: hard tests that failed, then gates that did not pass."""
    said = [words_of_test(test) for test in gates.failed(release.tests)]
    return said + [f"a gate did not pass: {gate.name}: {gate.reason}" for gate in release.gates if not gate.passed]


def words_of_test(test: TestResult) -> str:
    """A test that is not passed, in one line.

    >>> words_of_test(TestResult(suite="data", name="leak", dimension="data", verdict="FAIL", reason="column amount"))
    'a hard test failed: leak: column amount'
    """
    how = "a hard test failed" if test.hard and test.verdict == "FAIL" else "a finding"
    if test.verdict == "INCONCLUSIVE":
        how = "undecided"
    return f"{how}: {test.name}: {test.reason}"


def light_lines(release: Release) -> list[str]:
    """One line a dimension."""
    return told(lights(release.gates, release.tests))


def evidence_folder(home: "Home", release: Release) -> str | None:
    """Where card, bill of materials, attributions and plots lie; None where there are none."""
    folder: Path = home.evidence / release.root.removeprefix("sha256:")
    return str(folder) if folder.is_dir() else None


def not_passed_table(release: Release) -> "Table | None":
    """The tests that are not passed, each with its reason; None where all are."""
    from rich.table import Table
    from rich.text import Text

    found = not_passed(release)
    if not found:
        return None
    table = Table("test", "suite", "verdict", "found")
    for test in found:
        verdict = test.verdict if test.hard else f"{test.verdict} (finding)"
        table.add_row(Text(test.name), test.suite, verdict, Text(test.reason))
    return table


def release_lines(release: Release, evidence: str | None) -> list[str]:
    """Lights, what is not passed, where the evidence lies: for a verb that prints lines."""
    verdict = "passed" if release.passed else "did not pass"
    lines = [f"release {short(release.root)} {verdict} its gates and tests", *light_lines(release)]
    lines += [f"a gate did not pass: {gate.name}: {gate.reason}" for gate in release.gates if not gate.passed]
    lines += [words_of_test(test) for test in not_passed(release)]
    return [*lines, f"evidence: {evidence or 'none was made'}"]
