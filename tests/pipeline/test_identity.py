from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flyball.core.errors import BadInput
from flyball.core.ids import Digest, ExperimentDigest
from flyball.core.release import Snapshot
from flyball.core.service import Data, Experiment, Metadata, Service
from flyball.pipeline.identity import Distribution, Environment, Runtime, experiment, name, typed

SERVICE = Service(
    apiVersion="flyball/v1",
    kind="Service",
    metadata=Metadata(name="fraud", owner="risk-ml"),
    data=Data(contract="contract.yaml", source="train.parquet", label="is_fraud"),
    experiment=Experiment(task="binary", metric="roc_auc", seed="7", config={"max_depth": 6, "rate": 1.0}),
)
SNAPSHOT = Snapshot(root=Digest("sha256:" + "1" * 64), files=(), rows=5, source="source")
ENVIRONMENT = Environment(
    python="cpython 3.11.2",
    abi="cpython-311",
    platform="linux-x86_64",
    libc="glibc 2.36",
    distributions=(Distribution(name="numpy", version="2.4.6", record="ab"),),
)
scalars = st.one_of(
    st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.text(), st.none()
)


def named(**changed: Any) -> ExperimentDigest:
    given_: dict[str, Any] = {
        "service": SERVICE,
        "code": Digest("sha256:" + "2" * 64),
        "contract": "3" * 64,
        "snapshot": SNAPSHOT,
        "environment": ENVIRONMENT,
        "runtime": Runtime(),
    } | changed
    return name(experiment(given_.pop("service"), **given_))


def with_experiment(**changed: Any) -> Service:
    return replace(SERVICE, experiment=replace(SERVICE.experiment, **changed))


def test_the_name_is_the_same_each_time_and_says_its_scheme() -> None:
    assert named() == named()
    assert named().startswith("fx1:sha256:")
    assert len(named()) == len("fx1:sha256:") + 64


@pytest.mark.parametrize(
    "changed",
    [
        {"code": Digest("sha256:" + "4" * 64)},
        {"contract": "5" * 64},
        {"snapshot": replace(SNAPSHOT, root=Digest("sha256:" + "6" * 64))},
        {"snapshot": replace(SNAPSHOT, as_of="2026-11-21T10:00:00.000000Z")},
        {"service": with_experiment(seed="8")},
        {"service": with_experiment(config={"max_depth": 7, "rate": 1.0})},
        {"service": with_experiment(config={"max_depth": 6.0, "rate": 1.0})},
        {"service": with_experiment(config={"max_depth": "6", "rate": 1.0})},
        {"service": with_experiment(threshold=0.4)},
        {"service": with_experiment(refit=True)},
        {"service": replace(SERVICE, data=replace(SERVICE.data, timestamp="at"))},
        {"environment": replace(ENVIRONMENT, distributions=())},
        {"runtime": Runtime(threads=2)},
    ],
)
def test_what_decides_the_result_is_in_the_name(changed: dict[str, Any]) -> None:
    assert named(**changed) != named()


@pytest.mark.parametrize(
    "service",
    [
        with_experiment(timeout_s=10.0),
        replace(SERVICE, metadata=Metadata(name="other", owner="somebody")),
        replace(SERVICE, data=replace(SERVICE.data, source="elsewhere/train.parquet", contract="c.yaml")),
    ],
)
def test_deadlines_owners_and_paths_are_not(service: Service) -> None:
    assert named(service=service) == named()


@given(scalars, scalars)
def test_two_values_of_a_configuration_have_one_text_only_if_python_cannot_tell_them_apart(a: Any, b: Any) -> None:
    same = type(a) is type(b) and repr(a) == repr(b)
    assert (typed({"k": a}) == typed({"k": b})) is same


def test_a_number_without_a_text_is_refused_by_name() -> None:
    with pytest.raises(BadInput, match=r"experiment\.config\.rate.*nan"):
        typed({"rate": float("nan")})


def test_integers_beyond_the_reach_of_json_numbers_have_a_name() -> None:
    assert named(service=with_experiment(config={"big": 2**60})) != named(
        service=with_experiment(config={"big": 2**60 + 1})
    )
