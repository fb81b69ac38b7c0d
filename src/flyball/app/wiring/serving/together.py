"""What the workers of one gateway count together: small files beside their supervisor's socket, gone with it."""

from collections.abc import Mapping
from pathlib import Path

from flyball.core.service import Service
from flyball.serving.access import token_bucket
from flyball.serving.resilience import breaker, shared_breaker
from flyball.serving.resilience.class_share import ClassShare, bytes_for
from flyball.serving.serve.shared import SharedFile, shared_shelf
from flyball.serving.shelf import Shelf


def rates_of(folder: Path | None) -> Shelf | None:
    """The token buckets of all clients. `folder`: None: there is one process. Raises: OSError."""
    if folder is None:
        return None
    return shared_shelf(folder / "rates", sets=token_bucket.SETS, numbers=token_bucket.NUMBERS)


def circuits_of(service: str, folder: Path | None) -> Shelf | None:
    """The circuit breakers of a service's releases. Raises: OSError."""
    if folder is None:
        return None
    return shared_shelf(folder / f"circuits-{service}", sets=shared_breaker.SETS, numbers=breaker.NUMBERS)


def shares_of(service: Service, folder: Path | None) -> Mapping[str, ClassShare]:
    """The last answers, for each filter by rate. Raises: OSError."""
    found: dict[str, ClassShare] = {}
    for one in service.serving.filters:
        if one.rate is not None and folder is not None:
            file = SharedFile(folder / f"share-{service.metadata.name}-{one.name}", bytes_for(one.rate))
            found[one.name] = ClassShare(one.rate, file.buffer, file.hold)
    return found
