from msgspec.structs import replace

from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot, ServiceName
from flyball.core.model import Input, Packaged
from flyball.core.release import Estimate, GateResult, Release
from flyball.core.service import Data, Experiment, Metadata, Service
from flyball.pipeline.card import NOT_PROVIDED, card

SERVICE = Service(
    apiVersion="flyball/v1",
    kind="Service",
    metadata=Metadata(name="fraud", owner="risk-ml"),
    data=Data(contract="c.yaml", source="$FLYBALL_DATA/fraud/train.parquet", label="is_fraud"),
    experiment=Experiment(task="binary", metric="roc_auc"),
)
RELEASE = Release(
    root=ReleaseRoot("sha256:" + "a" * 64),
    experiment=ExperimentDigest("fx1:sha256:" + "b" * 64),
    service=ServiceName("fraud"),
    task="binary",
    snapshot=Digest("sha256:" + "c" * 64),
    metrics={"roc_auc": Estimate(value=0.85, low=0.8, high=0.9, n=1000)},
    gates=(GateResult(name="roc_auc >= 0.8", metric="roc_auc", passed=True, verdict="PASS", reason="0.85"),),
    passed=True,
    trained_rows=4000,
    holdout_rows=1000,
    rubber_stamped=True,
)
FACTS = Packaged(
    service="fraud",
    task="binary",
    threshold=0.5,
    label="is_fraud",
    classes=(False, True),
    inputs=(Input(name="amount", kind="number"),),
    plain=("amount",),
    module="model.py",
    code="sha256:0",
)


def test_the_card_names_release_experiment_snapshot_metrics_and_gates() -> None:
    text = card(SERVICE, RELEASE, FACTS, missing={})
    for words in (RELEASE.root, RELEASE.experiment, RELEASE.snapshot, "0.8 to 0.9", "roc_auc >= 0.8", "RUBBER_STAMPED"):
        assert words in text
    assert text.startswith("---\n")


def test_what_nobody_declared_is_not_provided() -> None:
    bare = card(SERVICE, replace(RELEASE, gates=()), FACTS, missing={"f1": "one class only"})
    assert f"Purpose: {NOT_PROVIDED}" in bare
    assert f"Gates: {NOT_PROVIDED}" in bare
    assert f"| f1 | {NOT_PROVIDED} | one class only | |" in bare


def test_the_card_holds_no_folder_of_the_data() -> None:
    assert "FLYBALL_DATA" not in card(SERVICE, RELEASE, FACTS, missing={})
