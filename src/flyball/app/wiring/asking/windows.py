"""Windows of a home, as its controller wrote them down; read-only."""

from flyball.adapters.window_book import newest_window, windows_of
from flyball.app.home import Home
from flyball.core.seen_windows import SeenWindow


def newest(home: Home, service: str) -> SeenWindow | None:
    """None: no window has closed. Raises: Unavailable."""
    return newest_window(home.windows(service))


def between(
    home: Home, service: str, *, since: float | None = None, until: float | None = None, last: int | None = None
) -> list[SeenWindow]:
    """In order; those that end within the span (seconds since the epoch), the newest `last`. Raises: Unavailable."""
    return windows_of(home.windows(service), since=since, until=until, last=last)
