"""One release with every kind of evidence, for the tests of card, bill of materials and plots."""

from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot, ServiceName
from flyball.core.model import Input, Packaged
from flyball.core.release import Attribution, Attributions, Estimate, GateResult, Release, TestResult
from flyball.core.service import Data, Experiment, Metadata, Service

SERVICE = Service(
    apiVersion="flyball/v1",
    kind="Service",
    metadata=Metadata(name="fraud", owner="risk-ml: the 'second' line"),
    data=Data(contract="c.yaml", source="$FLYBALL_DATA/fraud/train.parquet", label="is_fraud"),
    experiment=Experiment(task="binary", metric="roc_auc"),
)
TESTS = (
    TestResult(
        suite="model",
        name="slice region=EU",
        dimension="quality",
        verdict="PASS",
        reason="0.84 on 300 rows",
        value=0.84,
        low=0.78,
        high=0.9,
        n=300,
    ),
    TestResult(
        suite="model",
        name="equalised odds sex",
        dimension="fairness",
        verdict="FAIL",
        reason="differs by 0.3 (0.2 to 0.4)",
        value=0.3,
        hard=False,
    ),
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
    tests=TESTS,
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
ATTRIBUTIONS = Attributions(
    method="shap tree", output="raw output", rows=500, features=(Attribution(feature="amount|x", mean_abs=1.5),)
)
