"""Where a controller keeps its checkpoints, and under which key: what would fold the log otherwise gets none."""

import hashlib
import platform
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.metadata import version
from pathlib import Path

import flyball
from flyball.adapters.checkpoints import FileCheckpoints
from flyball.adapters.content.keys import SigningKey
from flyball.app.declared import Declared
from flyball.app.home import Home
from flyball.contracts.declaration.service_file import declaration
from flyball.control.reconcile.checkpoint import CheckpointedSensor, Recallable
from flyball.control.reconcile.sensing import TelemetrySensor
from flyball.core.codec import digest
from flyball.core.ports import Telemetry

_FOLD_WITH = ("msgspec", "numpy", "polars", "scipy")


def checkpointed(
    sensor: TelemetrySensor,
    telemetry: Telemetry,
    declared: Declared,
    home: Home,
    key: SigningKey,
    *,
    worth: Mapping[str, float] | None,
    repairs: Sequence[str],
    beside: Mapping[str, Recallable],
    covered: Callable[[int], bool],
    complain: Callable[[str], None],
) -> CheckpointedSensor:
    """The sensor of one service. Args: worth, repairs: what the monitor knows beside declaration and contract."""
    secret = hashlib.sha256(b"flyball/checkpoints/v1\n" + key.path.read_bytes()).digest()
    store = FileCheckpoints(home.checkpoint(declared.service.metadata.name), secret)
    told = [
        declaration(declared.service),
        repr(declared.contract),
        sorted((worth or {}).items()),
        list(repairs),
        own_code(),
    ]
    return CheckpointedSensor(
        sensor,
        telemetry,
        store,
        key=digest("flyball/checkpoint/v1", told),
        beside=beside,
        covered=covered,
        complain=complain,
    )


@cache
def own_code() -> str:
    """Digest of this program and of the libraries that its fold stands on: after an upgrade the log is read again."""
    root = Path(flyball.__file__).parent
    found = hashlib.sha256(platform.python_version().encode())
    for name in _FOLD_WITH:
        found.update(f"{name} {version(name)}\n".encode())
    for file in sorted(root.rglob("*.py")):
        found.update(f"{file.relative_to(root)}\n".encode() + hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()
