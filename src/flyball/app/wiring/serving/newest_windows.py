"""The newest window of a service, for the gateway's metrics: read again only where its book has changed."""

from collections.abc import Callable
from pathlib import Path

from flyball.adapters.window_book import newest_window
from flyball.app.home import Home
from flyball.core.errors import Unavailable
from flyball.core.seen_windows import SeenWindow
from flyball.serving.serve.complaints import Complaints

BUSY_S = 0.05  # a scrape does not wait for a writer: the window that is known is told once more


class NewestWindows:
    """Of one home. Where no controller has ever written a window there is none."""

    def __init__(self, home: Home, complain: Callable[[str], None]) -> None:
        self._home, self._complain = home, Complaints(complain)
        self._known: dict[str, tuple[tuple[int, int], SeenWindow | None]] = {}  # by service, with the file's state

    def __call__(self, service: str) -> SeenWindow | None:
        path = self._home.windows(service)
        state, known = _state(path), self._known.get(service)
        if known is not None and known[0] == state:
            return known[1]
        try:
            found = newest_window(path, busy_s=BUSY_S)
        except Unavailable as error:
            self._complain(f"{service}: metrics tell an older window: {error}")
            return known[1] if known is not None else None
        self._known[service] = state, found
        return found


def _state(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_mtime_ns, found.st_size
