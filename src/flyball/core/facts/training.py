"""The facts of trainings: runs and what came of them, releases and what was said of them."""

from typing import Any, Literal

from flyball.core.fact import Fact, Proof, Reason
from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot
from flyball.core.release import GateResult, Grade, Release, TestResult
from flyball.core.runs import Ended, Use


class TrainingStarted(Fact, tag="training.started"):
    experiment: ExperimentDigest
    snapshot: Digest
    reason: Reason
    ticket: str | None = None
    run: str = ""  # one experiment may be run several times
    code: Digest | None = None  # manifest root over the code files
    contract: Digest | None = None  # of the contract file
    environment: Digest | None = None
    parent: ReleaseRoot | None = None  # the release that a warm start went on from


class TrainingFailed(Fact, tag="training.failed"):
    experiment: ExperimentDigest
    error: str
    ticket: str | None = None


class RunFinished(Fact, tag="run.finished"):
    run: str
    experiment: ExperimentDigest
    outcome: Ended
    executor: str
    reason: Reason
    rows: int = 0  # of the snapshot
    release: ReleaseRoot | None = None
    error: str = ""  # what went wrong, the first lines
    use: Use = Use()
    cost: float | None = None  # in the unit of experiment.limits.cost_per_hour; None: no price is declared


class ReleaseRegistered(Fact, tag="release.registered"):
    release: Release
    ticket: str | None = None
    signature: str | None = None  # base64, as it stands in the release's `model.sig`
    by: str = ""  # the person who trained it by hand; empty: the loop did


class GatesJudged(Fact, tag="gates.judged"):
    release: ReleaseRoot
    passed: bool
    results: tuple[GateResult, ...]
    tests: tuple[TestResult, ...] = ()  # where it was judged again; else those of the registration stand


class ReproductionJudged(Fact, tag="reproduction.judged"):
    """An experiment was run again, or could not be."""

    experiment: ExperimentDigest
    release: ReleaseRoot | None
    verdict: Literal["IDENTICAL", "EQUIVALENT", "DIVERGED", "BLOCKED"]
    first_difference: str | None
    reason: str
    grades: dict[str, Grade]  # of `data`, `code`, `environment`
    found: Digest | None  # root that came out this time
    by: str
    proof: Proof
    envelope: dict[str, Any]  # DSSE: the verdict as an in-toto statement, signed with the home's key


class EvidenceAttached(Fact, tag="evidence.attached"):
    """Card, bill of materials, attributions and plots of a release lie in a signed folder of their own."""

    release: ReleaseRoot
    evidence: Digest | None  # manifest root of that folder; None: there is none
    files: tuple[str, ...] = ()
    missing: dict[str, str] = {}  # what is not there -> why
