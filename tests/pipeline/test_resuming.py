"""Kill the process at every boundary between two steps: the next run goes on there, and ends at the same root."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.pipeline.fraud import MODEL, SERVICE, opened, trained, transactions, write_service

from flyball.adapters.training.trainer import ForkServerTrainer
from flyball.app.wiring.training.executors import in_process
from flyball.app.wiring.training.pipeline import Pipeline
from flyball.core.runs import StepUse
from flyball.pipeline import steps

ROOT = Path(__file__).resolve().parents[2]
BOUNDARIES = [step.name for step in steps.TABLE if step.place == "training"]
QUICK = {("train", "before"), ("train", "after"), ("evaluate", "before")}  # the others are slow: a process each
ASKS_ALL = SERVICE.replace(
    "  metric: roc_auc\n",
    "  metric: roc_auc\n  executor: in_process\n  refit: true\n"
    "  search: {trials: 3, space: {learning_rate: {low: 0.05, high: 0.5, log: true}}}\n",
    1,
)
UNSEEDED = MODEL.replace("HistGradientBoostingClassifier", "RandomForestClassifier").replace(
    "random_state=seed, max_iter=30, **config", "n_estimators=10, max_depth=4"
)

# a child that trains in its own process and dies by its own hand beside the step named: `before` it is kept, or after
DIES_AT = """
import os, signal, sys
from pathlib import Path
from flyball.adapters.training.step_store import FolderSteps
from flyball.app.wiring.training.executors import in_process
from tests.pipeline.fraud import opened, trained

root, service, fatal, when = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]

class Deadly(FolderSteps):
    def put(self, step, key, files):
        if when == "after" or step != fatal:
            super().put(step, key, files)
        if step == fatal:
            os.kill(os.getpid(), signal.SIGKILL)

trainer = in_process()
trainer._store = lambda folder: Deadly(Path(folder))
with opened(root, trainer) as pipeline:
    trained(pipeline, service)
"""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Root of the release of a run that nobody killed."""
    folder = tmp_path_factory.mktemp("whole")
    with opened(folder / "home", in_process()) as pipeline:
        return trained(pipeline, counting(folder)).release.root


@pytest.mark.parametrize(
    ("step", "when"),
    [
        pytest.param(step, when, marks=[] if (step, when) in QUICK else pytest.mark.slow)
        for step in BOUNDARIES
        for when in ("before", "after")
    ],
)
def test_killed_at_a_boundary_the_next_run_goes_on_there_and_ends_at_the_same_root(
    tmp_path: Path, whole: str, step: str, when: str
) -> None:
    home, service = tmp_path / "home", counting(tmp_path)
    command = [sys.executable, "-c", DIES_AT, str(home), str(service), step, when]
    died = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()
    with opened(home, in_process()) as pipeline:
        release = trained(pipeline, service).release
        killed, resumed = pipeline.book("fraud").runs.values()
        assert release.root == whole
        pipeline.releases.verified(release.root)
    kept = BOUNDARIES.index(step) + (when == "after")
    assert [each.name for each in resumed.use.steps if each.how == "found"] == BOUNDARIES[:kept]
    assert [each.name for each in resumed.use.steps if each.how == "done"][:-3] == BOUNDARIES[kept:]
    assert (killed.outcome, resumed.outcome) == ("broken_off", "trained")
    assert calls(tmp_path) == calls_of(BOUNDARIES[: BOUNDARIES.index(step) + 1]) + calls_of(BOUNDARIES[kept:])


def test_a_kept_output_that_is_damaged_is_made_again(tmp_path: Path) -> None:
    home, service = tmp_path / "home", counting(tmp_path)
    with opened(home, in_process()) as pipeline:
        trained(pipeline, service)
        for kept in (home / "steps" / "fraud").glob("*/files/estimator.pkl"):
            kept.write_bytes(kept.read_bytes()[:-1])
        second = trained(pipeline, deeper_search(service)).release
        assert how(pipeline)["train"] == "done"
    assert second.trained_rows == 1200


def test_what_did_not_change_is_not_done_again(tmp_path: Path) -> None:
    with opened(tmp_path / "home", in_process()) as pipeline:

        def after(text: str) -> dict[str, str]:
            trained(pipeline, write_service(tmp_path / "fraud", service=text, table=transactions(1500)))
            return how(pipeline)

        plain = SERVICE.replace("  metric: roc_auc\n", "  metric: roc_auc\n  executor: in_process\n", 1)
        assert set(after(plain).values()) == {"done", "left out"}
        sliced = after(plain.replace("  config:", "  tests: {slices: [country]}\n  config:"))
        assert [name for name, one in sliced.items() if one == "found"] == ["validate", "split", "features", "train"]
        seeded = after(plain.replace('seed: "7"', 'seed: "8"'))
        assert [name for name, one in seeded.items() if one == "found"] == ["validate", "split", "features"]
        longer = after(plain.replace("0.70}", "0.60}").replace('seed: "7"', 'seed: "9"'))
        assert longer["train"] == "done"


def test_the_subprocess_finds_what_another_process_kept(tmp_path: Path, trainer: ForkServerTrainer) -> None:
    text = SERVICE.replace("  config:", "  tests: {slices: [country]}\n  config:")
    with opened(tmp_path / "home", trainer) as pipeline:
        trained(pipeline, write_service(tmp_path / "fraud", table=transactions(1500)))
        trained(pipeline, write_service(tmp_path / "fraud", service=text, table=transactions(1500)))
        assert how(pipeline)["train"] == "found"


def test_outputs_of_another_service_are_never_taken(tmp_path: Path) -> None:
    with opened(tmp_path / "home", in_process()) as pipeline:
        text = SERVICE.replace("  metric: roc_auc\n", "  metric: roc_auc\n  executor: in_process\n", 1)
        trained(pipeline, write_service(tmp_path / "fraud", service=text, table=transactions(1500)))
        other = text.replace("name: fraud", "name: other")
        trained(pipeline, write_service(tmp_path / "other", service=other, table=transactions(1500)))
        (run,) = pipeline.book("other").runs.values()
        assert all(step.how != "found" for step in run.use.steps)
    assert {path.name for path in (tmp_path / "home" / "steps").iterdir()} == {"fraud", "other"}


def test_code_that_asks_the_process_for_its_dice_gives_one_root_however_much_was_kept(tmp_path: Path) -> None:
    home, text = tmp_path / "home", plain(refit=True)
    service = write_service(tmp_path / "fraud", service=text, model=UNSEEDED, table=transactions(1500))
    with opened(tmp_path / "fresh", in_process()) as pipeline:
        fresh = trained(pipeline, service).release.root
    with opened(home, in_process()) as pipeline:
        sliced = text.replace("  config:", "  tests: {slices: [country]}\n  config:")
        trained(pipeline, write_service(tmp_path / "fraud", service=sliced, model=UNSEEDED, table=transactions(1500)))
        service.write_text(text)
        again = trained(pipeline, service).release.root
        assert (how(pipeline)["train"], how(pipeline)["refit"]) == ("found", "done")
    assert again == fresh


def test_a_comment_in_the_contract_gives_a_release_with_the_new_text(tmp_path: Path) -> None:
    text = plain() + "autonomy: {first: approval}\n"  # without a champion nothing else differs between the two
    home, service = tmp_path / "home", write_service(tmp_path / "fraud", service=text, table=transactions(1500))
    contract = tmp_path / "fraud" / "contract.yaml"
    with opened(home, in_process()) as pipeline:
        before = trained(pipeline, service)
        contract.write_text(contract.read_text() + "# agreed with the card desk\n")
        after = trained(pipeline, service)
        assert how(pipeline)["train"] == "found"
        folder = Path(pipeline.releases.verified(after.release.root))
    assert after.experiment != before.experiment
    assert after.release.root != before.release.root
    assert (folder / "contract.yaml").read_bytes() == contract.read_bytes()


def plain(*, refit: bool = False) -> str:
    """A declaration without a search, for a trainer in this process."""
    word = "  refit: true\n" if refit else ""
    return SERVICE.replace("  metric: roc_auc\n", f"  metric: roc_auc\n  executor: in_process\n{word}", 1)


def how(pipeline: Pipeline) -> dict[str, str]:
    """What the newest run did with each step."""
    steps_of: tuple[StepUse, ...] = list(pipeline.book("fraud").runs.values())[-1].use.steps
    return {step.name: step.how for step in steps_of}


def counting(folder: Path) -> Path:
    """A service whose `train` leaves a mark each time beside its home; in-process nothing holds its writes.

    The code is the same in every folder, as its digest is part of the release: the variable says where.
    """
    os.environ["TRAININGS_COUNTED_IN"] = str(folder / "calls")
    mark = "    import os\n    open(os.environ['TRAININGS_COUNTED_IN'], 'a').write('x')\n    return Hist"
    note = MODEL.replace("    return Hist", mark)
    return write_service(folder / "fraud", service=ASKS_ALL, model=note, table=transactions(1500))


def deeper_search(service: Path) -> Path:
    service.write_text(ASKS_ALL.replace("refit: true", "refit: false"))
    return service


def calls(folder: Path) -> int:
    return len((folder / "calls").read_text())


def calls_of(done: list[str]) -> int:
    """How often these steps call `train`: three trials, one fit, one refit."""
    return 3 * ("search" in done) + ("train" in done) + ("refit" in done)
