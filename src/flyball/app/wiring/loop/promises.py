"""What a release promised when it was made, read from its verified folder for the monitor."""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import msgspec

from flyball.core.ports import Releases
from flyball.core.release import Baseline, Estimate
from flyball.monitor.watch import Promise
from flyball.pipeline.packing import BASELINE, METRICS


def promises(releases: Releases) -> Callable[[str], Promise]:
    """Each release is read once; it cannot change under its root."""

    @cache
    def of(root: str) -> Promise:
        folder = Path(releases.verified(root))
        return Promise(
            baseline=msgspec.json.decode((folder / BASELINE).read_bytes(), type=Baseline),
            metrics=msgspec.json.decode((folder / METRICS).read_bytes(), type=dict[str, Estimate]),
        )

    return of
