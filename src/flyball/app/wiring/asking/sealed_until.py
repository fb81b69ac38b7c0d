"""Up to when the rows of a service are sealed: what comes later may still change, and no backfill takes it."""

from datetime import UTC, datetime

from flyball.adapters.prediction_log.files import sealed
from flyball.app.home import Home
from flyball.core.clock import timestamp


def sealed_until(home: Home, service: str) -> str | None:
    """RFC 3339, UTC; None: nothing is sealed."""
    there = sealed(home.telemetry(service))
    return timestamp(datetime.fromtimestamp(there[-1].panes()[-1].end, UTC)) if there else None
