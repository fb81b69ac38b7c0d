"""The evidence of a release: made once after its registration, signed, told, and never in the way of the release."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.pipeline.fraud import MODEL, SERVICE, opened, trained, transactions, write_service

from flyball.adapters.content import signing
from flyball.adapters.content.keys import PUBLIC
from flyball.adapters.training.trainer import ForkServerTrainer
from flyball.app.home import Home
from flyball.app.wiring.ledger import ledger_of
from flyball.app.wiring.training.pipeline import Pipeline
from flyball.core.errors import Untrusted
from flyball.core.events import EvidenceAttached

PLOTS = {"roc.svg", "precision_recall.svg", "reliability.svg", "scores.svg", "attributions.svg"}


@pytest.fixture
def pipeline(tmp_path: Path, trainer: ForkServerTrainer) -> Iterator[Pipeline]:
    """As that of the other tests, and it explains."""
    with opened(tmp_path / "home", trainer, explains=True) as found:
        yield found


def told(home: Path) -> list[EvidenceAttached]:
    with ledger_of(Home(home)) as ledger:
        return [entry.fact for entry in ledger.read() if isinstance(entry.fact, EvidenceAttached)]


def folder_of(home: Path, root: str) -> Path:
    return Home(home).evidence / root.removeprefix("sha256:")


def test_a_registered_release_gets_card_bill_attributions_and_plots_signed(
    tmp_path: Path, pipeline: Pipeline, service_file: Path
) -> None:
    found = trained(pipeline, service_file)
    folder = folder_of(tmp_path / "home", found.release.root)
    assert {path.name for path in folder.iterdir()} >= PLOTS | {"card.md", "bom.cdx.json", "attributions.json"}
    signing.verify(folder, Home(tmp_path / "home").keys / PUBLIC)
    (fact,) = told(tmp_path / "home")
    assert fact.release == found.release.root
    assert fact.evidence is not None
    assert set(fact.missing) == {"plot slices"}
    rests_on = json.loads((folder / "attributions.json").read_text())
    assert rests_on["method"] == "shap tree"  # of the estimator as it was fitted, though the package holds ONNX
    assert {line["feature"] for line in rests_on["features"]} == {"amount", "hour", "distance_km", "abroad"}
    bill = json.loads((folder / "bom.cdx.json").read_text())
    assert "scikit-learn" in {component["name"] for component in bill["components"]}
    assert "![roc](roc.svg)" in (folder / "card.md").read_text()


def test_an_altered_file_of_the_evidence_does_not_verify(
    tmp_path: Path, pipeline: Pipeline, service_file: Path
) -> None:
    folder = folder_of(tmp_path / "home", trained(pipeline, service_file).release.root)
    (folder / "card.md").write_text("all is well")
    with pytest.raises(Untrusted, match="does not verify"):
        signing.verify(folder, Home(tmp_path / "home").keys / PUBLIC)


def test_evidence_is_made_once_and_its_absence_changes_no_release(
    tmp_path: Path, trainer: ForkServerTrainer, service_file: Path
) -> None:
    with opened(tmp_path / "with", trainer, explains=True) as first:
        one = trained(first, service_file)
        again = trained(first, service_file)
    assert again.cached
    assert len(told(tmp_path / "with")) == 1
    assert one.release.root == again.release.root


def test_a_kill_before_the_fact_is_repaired_by_training_again(
    tmp_path: Path, trainer: ForkServerTrainer, service_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flyball.app.wiring.training.evidence import EvidenceStore

    with opened(tmp_path / "home", trainer, explains=True) as pipeline:
        with monkeypatch.context() as patched:
            patched.setattr(EvidenceStore, "_tell", killed)
            with pytest.raises(KeyboardInterrupt):
                trained(pipeline, service_file)
        root = pipeline.registry("fraud").champion
        assert root is not None  # the release does not wait for its evidence
        assert told(tmp_path / "home") == []
        trained(pipeline, service_file)
    assert [fact.release for fact in told(tmp_path / "home")] == [root]


def killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_draft_that_a_kill_left_is_not_the_evidence(tmp_path: Path, pipeline: Pipeline, service_file: Path) -> None:
    root = trained(pipeline, service_file).release.root
    folder = folder_of(tmp_path / "home", root)
    before = (folder / "manifest.json").read_bytes()
    shutil.rmtree(folder)  # as if it had never got its name; then the fact is missing too
    with opened(tmp_path / "other", ForkServerTrainer(), explains=True) as fresh:
        assert trained(fresh, service_file).release.root == root
    assert (folder_of(tmp_path / "other", root) / "manifest.json").read_bytes() == before  # and it is the same again


def test_evidence_that_would_hold_personal_data_is_not_kept(tmp_path: Path, pipeline: Pipeline) -> None:
    address = "someone" + "@" + "example-mail.com"
    model = MODEL.replace(
        'abroad=(pl.col("country") != "home").cast(pl.Int8),',
        f'abroad=(pl.col("country") != "home").cast(pl.Int8)).rename({{"hour": "{address}"}}',
    )
    service = SERVICE.replace("  metric: roc_auc\n", "  metric: roc_auc\n  tests: {personal: fail}\n", 1)
    found = trained(pipeline, write_service(tmp_path / "fraud", service=service, model=model))
    (fact,) = told(tmp_path / "home")
    assert fact.evidence is None
    assert "the evidence could not be made" in found.note
    assert "personal data" in fact.missing["evidence"]
    assert address not in fact.missing["evidence"]
    assert not folder_of(tmp_path / "home", found.release.root).exists()


def test_of_a_refitted_release_no_plot_shows_rows_that_it_has_seen(tmp_path: Path, pipeline: Pipeline) -> None:
    service = SERVICE.replace("  metric: roc_auc\n", "  metric: roc_auc\n  refit: true\n", 1)
    trained(pipeline, write_service(tmp_path / "fraud", service=service, table=transactions(2000)))
    (fact,) = told(tmp_path / "home")
    assert "fitted once more" in fact.missing["plot roc"]
    assert "roc.svg" not in fact.files
    assert "attributions.svg" in fact.files
