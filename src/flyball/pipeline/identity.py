"""The name of an experiment: one digest over everything that decides what a training gives (`fx1:sha256:<hex>`).

In it (`contract/v1`): the code tree and where it is entered, the data with the view of them, the environment, the
settings that change bits, configuration, seed and threshold, the releases it starts from, the version of the features
code, and the Flyball code that evaluates. Not in it: time, user, host, paths, commit, deadlines and cost limits, and
everything that only serves, rolls out or watches the model.

Traps (RFC 8785): `1.0` and `1` have one canonical form, integers from 2**53 and NaN have none. A configuration is
handed to user code where `1` and `1.0` may behave differently, so its values are written as `[type, text]`; declared
fields need no tag, as decoding has given each its type already.
"""

import math
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec

from flyball.core.codec import digest
from flyball.core.errors import BadInput, Fault
from flyball.core.ids import Digest, ExperimentDigest, ReleaseRoot
from flyball.core.record import Record
from flyball.core.release import Snapshot
from flyball.core.service import Scalar, Service
from flyball.pipeline.environment import Named

DOMAIN = "flyball/contract/v1"

# of the experiment section: limits that decide whether a result comes, not which; and what has a field of its own
_LIMITS = ("timeout_s", "limits", "executor")
_ELSEWHERE = ("module", "config", "seed", "threshold", "split", "include")


class Entrypoint(Record):
    module: str  # file in the code tree
    fn: str = "train"


class Code(Record):
    digest: Digest  # manifest root over the code files, as they are: committed or not
    kind: Literal["tree"] = "tree"


class View(Record):
    """Which part of the data a training sees, and how it is parted."""

    select: tuple[str, ...]  # columns, in the contract's order
    label: str
    timestamp: str | None
    key: str | None
    split: dict[str, Any]
    as_of: str | None  # labels that became known later are not in the data


class Data(Record):
    role: Literal[
        "train", "contract", "golden", "off_policy", "baseline"
    ]  # baseline: a table that a custom clause compares with
    name: str  # of a baseline: its file, as the contract names it
    digest: str  # manifest root of a snapshot; `sha256:` of a file
    view: View | None = None  # of the training data


class Accelerator(Record):
    """What computes beside the processor. Driver versions and serial numbers are observed, not hashed."""

    kind: str = "none"
    class_: str = msgspec.field(default="", name="class")


class Runtime(Record):
    """Settings of the training process that may change bits."""

    deterministic: bool = True
    threads: int = 1
    hash_seed: str = msgspec.field(default="0", name="PYTHONHASHSEED")
    accel: Accelerator = msgspec.field(default_factory=Accelerator)


class Evaluation(Record):
    """The Flyball that splits, tests and judges."""

    version: str
    digest: Digest  # manifest root over its sources


class FeaturesVersion(Record):
    """The features code alone, so that one can see whether two models are fed alike."""

    kind: Literal["function", "plain"]  # plain: the columns as they are
    digest: Digest


class Experiment(Record):
    """The document that is hashed."""

    entrypoint: Entrypoint
    code: Code
    features: FeaturesVersion
    data: tuple[Data, ...]
    env: Named
    runtime: Runtime
    evaluation: Evaluation
    experiment: dict[str, Any]  # the resolved section, without limits and without what has a field here
    config: dict[str, list[str]]  # name -> [type, text]
    seed: str
    threshold: float
    parents: tuple[ReleaseRoot, ...]  # releases that a warm start begins from
    schema: Literal["contract/v1"] = "contract/v1"

    @property
    def snapshot(self) -> Digest:
        """Root of the training data."""
        return self.of_role("train")

    def of_role(self, role: Literal["train", "contract"]) -> Digest:
        """Digest of the data that every experiment has."""
        return Digest(next(each.digest for each in self.data if each.role == role))


def experiment(
    service: Service,
    *,
    code: Digest,
    features: FeaturesVersion,
    columns: Iterable[str],
    contract: str,
    snapshot: Snapshot,
    environment: Named,
    evaluation: Evaluation,
    runtime: Runtime,
    parents: Iterable[ReleaseRoot] = (),
    golden: str | None = None,
    off_policy: str | None = None,
    baselines: Mapping[str, str] | None = None,
) -> Experiment:
    """The document of one training.

    Args: columns: of the data contract, in its order. contract, golden, off_policy: SHA-256 of the file,
        hex. baselines: the
        tables beside the contract that decide which data are accepted, name -> SHA-256.
    Raises: BadInput: the configuration holds a number that has no text (NaN, infinity).
    """
    section = _builtins(service.experiment)
    split = section["split"]
    for key in (*_LIMITS, *_ELSEWHERE):
        del section[key]
    if service.experiment.search is not None:
        section["search"]["space"] = {
            name: _typed_space(space) for name, space in section["search"]["space"].items()
        }  # a range of whole numbers is another range than one of floats with the same ends
    if golden is not None:
        section["tests"]["golden"] = f"sha256:{golden}"
    section["tests"] = asked_tests(section["tests"])
    if off_policy is not None:
        section["tests"]["off_policy"]["log"] = f"sha256:{off_policy}"
    view = View(
        select=tuple(columns),
        label=service.data.label,
        timestamp=service.data.timestamp,
        key=service.data.key,
        split=split,
        as_of=snapshot.as_of,
    )
    data = [
        Data(role="train", name="training rows", digest=snapshot.root, view=view),
        Data(role="contract", name="data contract", digest=f"sha256:{contract}"),
    ]
    if golden is not None:
        data.append(Data(role="golden", name="golden set", digest=f"sha256:{golden}"))
    if off_policy is not None:
        data.append(Data(role="off_policy", name="off-policy log", digest=f"sha256:{off_policy}"))
    data += [
        Data(role="baseline", name=file, digest=f"sha256:{sha256}")
        for file, sha256 in sorted((baselines or {}).items())
    ]
    return Experiment(
        entrypoint=Entrypoint(module=service.experiment.module),
        code=Code(digest=code),
        features=features,
        data=tuple(data),
        env=environment,
        runtime=runtime,
        evaluation=evaluation,
        experiment=section | {"label_window_s": service.data.label_window_s},
        config=typed(service.experiment.config),
        seed=service.experiment.seed,
        threshold=service.experiment.threshold,
        parents=tuple(parents),
    )


def name(document: Experiment) -> ExperimentDigest:
    """The digest of the document, as it is printed."""
    return ExperimentDigest("fx1:" + digest(DOMAIN, document))


def asked_tests(section: dict[str, Any]) -> dict[str, Any]:
    """The section `experiment.tests` as it is named: a key that came later stands in it where it is asked for, so that
    who does not ask keeps the names that experiments and outputs of steps had before.

    >>> asked_tests({"golden": None, "off_policy": None})
    {'golden': None}
    """
    return {key: value for key, value in section.items() if key != "off_policy" or value is not None}


def typed(config: Mapping[str, Scalar]) -> dict[str, list[str]]:
    """Values with their types, so that canonical JSON cannot take one for another.

    >>> typed({"rate": 1.0, "depth": 1, "big": 2**60, "flag": True})["rate"]
    ['float', '1.0']
    >>> typed({"rate": 1.0}) == typed({"rate": 1})
    False
    """
    faults = [
        Fault(where="service.yaml", path=f"experiment.config.{key}", expected="a finite number", found=str(value))
        for key, value in config.items()
        if isinstance(value, float) and not math.isfinite(value)
    ]
    names = [unicodedata.normalize("NFC", key) for key in config]
    faults += [
        Fault(where="service.yaml", path=f"experiment.config.{key}", expected="each name once", found="it twice")
        for key in sorted({key for key in names if names.count(key) > 1})
    ]
    if faults:
        raise BadInput("The configuration cannot be named.", tuple(faults))
    # names in NFC, as an editor may write an accent in two ways; values as they are, because the code sees them so
    return {unicodedata.normalize("NFC", key): _typed(value) for key, value in config.items()}


def _typed(value: Scalar) -> list[str]:
    return [type(value).__name__, value if isinstance(value, str) else repr(value)]


def _typed_space(space: dict[str, Any]) -> dict[str, Any]:
    found = dict(space)
    for end in ("low", "high"):
        if end in found:
            found[end] = _typed(found[end])
    if "choices" in found:
        found["choices"] = [_typed(value) for value in found["choices"]]
    return found


def _builtins(section: Any) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(section)
    return found
