import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from flyball.core.errors import BadInput
from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot
from flyball.core.release import Snapshot
from flyball.core.service import Data, Experiment, Limits, Metadata, ModelTests, OffPolicyTest, Search, Service, Space
from flyball.pipeline import identity
from flyball.pipeline.environment import Distribution, Platform, environment
from flyball.pipeline.identity import Accelerator, Evaluation, FeaturesVersion, Runtime, experiment, name, typed

VECTORS = Path(__file__).with_name("experiment-digest.v1.json")

SERVICE = Service(
    apiVersion="flyball/v1",
    kind="Service",
    metadata=Metadata(name="fraud", owner="risk-ml"),
    data=Data(contract="contract.yaml", source="train.parquet", label="is_fraud"),
    experiment=Experiment(task="binary", metric="roc_auc", seed="7", config={"max_depth": 6, "rate": 1.0}),
)
REPLAY = OffPolicyTest(log="log.csv", action="did", propensity="chance", reward="saved")
SNAPSHOT = Snapshot(root=Digest("sha256:" + "1" * 64), files=(), rows=5, source="source")
PLATFORM = Platform(
    os="linux", arch="x86_64", libc="glibc 2.36", implementation="cpython", python="3.11.2", abi="cpython-311"
)
NUMPY = Distribution(name="numpy", version="2.4.6", record="ab")
ENVIRONMENT = environment(PLATFORM, (NUMPY,)).name
scalars = st.one_of(
    st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.text(), st.none()
)


def document(**changed: Any) -> identity.Experiment:
    given_: dict[str, Any] = {
        "service": SERVICE,
        "code": Digest("sha256:" + "2" * 64),
        "contract": "3" * 64,
        "snapshot": SNAPSHOT,
        "environment": ENVIRONMENT,
        "runtime": Runtime(),
        "features": FeaturesVersion(kind="function", digest=Digest("sha256:" + "7" * 64)),
        "columns": ("amount", "is_fraud"),
        "evaluation": Evaluation(version="0.1.0", digest=Digest("sha256:" + "8" * 64)),
    } | changed
    return experiment(given_.pop("service"), **given_)


def named(**changed: Any) -> ExperimentDigest:
    return name(document(**changed))


def with_experiment(**changed: Any) -> Service:
    return replace(SERVICE, experiment=replace(SERVICE.experiment, **changed))


def test_an_off_policy_log_is_named_by_its_bytes_and_not_by_its_place() -> None:
    def of(log: str, sha256: str) -> ExperimentDigest:
        tests = ModelTests(off_policy=replace(REPLAY, log=log))
        return named(service=with_experiment(tests=tests), off_policy=sha256)

    assert of("a.csv", "d" * 64) == of("b.csv", "d" * 64)
    assert of("a.csv", "d" * 64) != of("a.csv", "e" * 64)


def test_who_declares_no_off_policy_log_keeps_the_name_from_before_there_was_one() -> None:
    """The vectors of the digest were written before; this says which key would have broken them."""
    assert "off_policy" not in document().experiment["tests"]
    assert "golden" in document().experiment["tests"]


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
        {"environment": environment(PLATFORM, (replace(NUMPY, version="2.4.7"),)).name},
        {"environment": environment(PLATFORM, (replace(NUMPY, record="cd"),)).name},
        {"environment": environment(replace(PLATFORM, libc="musl"), (NUMPY,)).name},
        {"environment": environment(PLATFORM, (NUMPY,), image="sha256:" + "9" * 64).name},
        {"runtime": Runtime(threads=2)},
        {"runtime": Runtime(hash_seed="1")},
        {"runtime": Runtime(accel=Accelerator(kind="cuda", class_="sm_90"))},
        {"features": FeaturesVersion(kind="function", digest=Digest("sha256:" + "a" * 64))},
        {"evaluation": Evaluation(version="0.1.0", digest=Digest("sha256:" + "b" * 64))},
        {"columns": ("amount", "hour", "is_fraud")},
        {"parents": (ReleaseRoot("sha256:" + "c" * 64),)},
        {"golden": "d" * 64},
        {"service": with_experiment(tests=ModelTests(off_policy=REPLAY)), "off_policy": "d" * 64},
        {"baselines": {"then.parquet": "e" * 64}},
        {"service": with_experiment(export="pickle")},
        {"service": with_experiment(tests=ModelTests(slices=("country",)))},
        {"service": with_experiment(search=Search(space={"max_depth": Space(low=2, high=9)}))},
    ],
)
def test_what_decides_the_result_is_in_the_name(changed: dict[str, Any]) -> None:
    assert named(**changed) != named()


@pytest.mark.parametrize(
    "service",
    [
        with_experiment(timeout_s=10.0),
        with_experiment(executor="ray"),
        with_experiment(limits=Limits(memory_mb=500.0, cost=3.0, cost_per_hour=1.0)),
        replace(SERVICE, metadata=Metadata(name="other", owner="somebody")),
        replace(SERVICE, data=replace(SERVICE.data, source="elsewhere/train.parquet", contract="c.yaml")),
    ],
)
def test_deadlines_cost_limits_owners_and_paths_are_not(service: Service) -> None:
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


def test_two_names_that_are_one_after_normalisation_are_refused() -> None:
    with pytest.raises(BadInput, match="each name once"):
        typed({"caf\u00e9": 1, "cafe\u0301": 2})
    assert typed({"caf\u00e9": 1}) == typed({"cafe\u0301": 1})


def test_a_range_of_whole_numbers_is_no_range_of_floats() -> None:
    def searched(low: float, high: float) -> ExperimentDigest:
        return named(service=with_experiment(search=Search(space={"k": Space(low=low, high=high)})))

    assert searched(1, 9) != searched(1.0, 9.0)


@pytest.mark.parametrize("seed", ["9007199254740993", "18446744073709551615", "spring"])
def test_a_seed_is_text_so_one_of_64_bits_has_a_name(seed: str) -> None:
    assert named(service=with_experiment(seed=seed)) != named(service=with_experiment(seed=seed[:-1] + "0"))


def test_each_baseline_has_an_entry_and_without_one_there_is_none() -> None:
    tables = {"b.csv": "e" * 64, "a.parquet": "f" * 64}
    found = document(baselines=tables)
    assert [(each.role, each.name, each.digest[7:8]) for each in found.data[2:]] == [
        ("baseline", "a.parquet", "f"),
        ("baseline", "b.csv", "e"),
    ]
    assert named(baselines=tables) == named(baselines=dict(reversed(tables.items())))
    assert named(baselines=tables) != named(baselines=tables | {"b.csv": "d" * 64})
    assert named(baselines={"a.csv": "e" * 64}) != named(baselines={"b.csv": "e" * 64})
    assert document(baselines={}) == document()


def test_the_document_is_complete_and_takes_no_other_key() -> None:
    whole = msgspec.to_builtins(document())
    assert msgspec.convert(whole, identity.Experiment) == document()
    with pytest.raises(msgspec.ValidationError, match="host"):
        msgspec.convert(whole | {"host": "a machine"}, identity.Experiment)
    for key in whole.keys() - {"schema"}:
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({k: v for k, v in whole.items() if k != key}, identity.Experiment)


def test_the_digest_is_what_other_tools_compute_from_the_file() -> None:
    text = rfc8785.dumps(msgspec.to_builtins(document()))
    assert named() == "fx1:sha256:" + hashlib.sha256(b"flyball/contract/v1\x00" + text).hexdigest()


def test_the_format_is_that_of_the_test_vectors() -> None:
    """A change of the format is a new schema with vectors of its own: it would rename every experiment."""
    for vector in json.loads(VECTORS.read_text()):
        assert name(msgspec.convert(vector["document"], identity.Experiment)) == vector["digest"], vector["name"]
    plain, *_, compared = json.loads(VECTORS.read_text())
    assert rfc8785.dumps(msgspec.to_builtins(document())) == rfc8785.dumps(plain["document"])
    clauses = document(baselines={"then.parquet": "e" * 64, "tables/2025.csv": "f" * 64})
    assert rfc8785.dumps(msgspec.to_builtins(clauses)) == rfc8785.dumps(compared["document"])
