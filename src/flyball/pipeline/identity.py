"""The name of an experiment: one digest over everything that decides what a training gives (`fx1:sha256:<hex>`).

In it: the code tree, the contract file, the resolved `data` and `experiment` sections with paths replaced by digests,
the snapshot, the environment and the settings that change bits. Not in it: time, user, host, paths, the deadline
`timeout_s`, the limits, the executor, and everything that only serves, rolls out or watches the model.

Traps (RFC 8785): `1.0` and `1` have one canonical form, integers from 2**53 and NaN have none. A configuration is
handed to user code where `1` and `1.0` may behave differently, so its values are written as `[type, text]`; declared
fields need no tag, as decoding has given each its type already.
"""

import math
import unicodedata
from typing import Any

import msgspec

from flyball.core.codec import digest
from flyball.core.errors import BadInput, Fault
from flyball.core.ids import Digest, ExperimentDigest
from flyball.core.record import Record
from flyball.core.release import Snapshot
from flyball.core.service import Scalar, Service

DOMAIN = "flyball/experiment/v1"


class Distribution(Record):
    """One installed distribution; `record` is the SHA-256 of its RECORD file, which lists the hash of each file."""

    name: str  # normalised as PEP 503
    version: str
    record: str | None  # hex; None where the installer left none


class Environment(Record):
    """`env-installed/v1`: what is installed, without a lock file or container that says so (assurance grade C)."""

    python: str  # implementation and version, `cpython 3.11.2`
    abi: str  # soabi tag
    platform: str  # `linux-x86_64`
    libc: str
    distributions: tuple[Distribution, ...]  # sorted by name
    schema: str = "env-installed/v1"


class Runtime(Record):
    """Settings of the training process that may change bits."""

    threads: int = 1
    hash_seed: str = "0"  # PYTHONHASHSEED
    deterministic: bool = True


class Experiment(Record):
    """The document that is hashed."""

    code: Digest  # manifest root over the code files
    contract: str  # SHA-256 of the contract file, hex
    data: dict[str, Any]
    experiment: dict[str, Any]
    snapshots: tuple[Digest, ...]
    as_of: str | None
    environment: Digest
    runtime: Runtime
    schema: str = "experiment/v1"


def experiment(
    service: Service, *, code: Digest, contract: str, snapshot: Snapshot, environment: Environment, runtime: Runtime
) -> Experiment:
    """The document of one training.

    Raises: BadInput: the configuration holds a number that has no text (NaN, infinity).
    """
    data = _builtins(service.data) | {"contract": contract, "source": snapshot.root}
    section = _builtins(service.experiment) | {"config": typed(service.experiment.config)}
    for name in ("timeout_s", "executor", "limits"):  # they decide where, and whether a result comes, not which
        del section[name]
    return Experiment(
        code=code,
        contract=contract,
        data=data,
        experiment=section,
        snapshots=(snapshot.root,),
        as_of=snapshot.as_of,
        environment=digest("flyball/environment/v1", environment),
        runtime=runtime,
    )


def name(document: Experiment) -> ExperimentDigest:
    """The digest of the document, as it is printed."""
    return ExperimentDigest("fx1:" + digest(DOMAIN, document))


def typed(config: dict[str, Scalar]) -> dict[str, list[str]]:
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
    if faults:
        raise BadInput("The configuration cannot be named.", tuple(faults))
    # names in NFC, as an editor may write an accent in two ways; values as they are, because the code sees them so
    return {
        unicodedata.normalize("NFC", key): [type(value).__name__, value if isinstance(value, str) else repr(value)]
        for key, value in config.items()
    }


def _builtins(section: Any) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.to_builtins(section)
    return found
