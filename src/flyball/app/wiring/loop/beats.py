"""When a controller last kept a service, as whoever asks for its standing is told."""

import time

from flyball.adapters.heartbeat import read_beat
from flyball.app.home import Home


def seen_s(home: Home, service: str) -> float | None:
    """Seconds since the last round of this service ended, never negative: a clock may have jumped; None: never.

    Raises: Unavailable: what the controller wrote cannot be read.
    """
    beat = read_beat(home.heartbeat)
    kept_at = beat.kept.get(service) if beat is not None else None
    return None if kept_at is None else max(0.0, time.time() - kept_at)
