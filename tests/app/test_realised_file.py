"""Realised figures beside the log: written when something changed and not too often, read back as they were."""

from pathlib import Path

import numpy as np
import pytest
from tests.monitor.test_watch import fed, made, panes, watcher

from flyball.app.home import Home
from flyball.app.wiring.loop.realised_file import NAME, RealisedFile, realised_state
from flyball.core.errors import Unavailable


def test_what_is_written_is_read_back_and_only_written_where_something_changed(tmp_path: Path) -> None:
    home, seen, now = Home(tmp_path), watcher(), [0.0]
    assert realised_state(home, "s") is None
    file = RealisedFile(home, "s", seen, lambda: now[0])
    segments = panes(made(np.random.default_rng(2), 30))
    fed(seen, segments[:20])
    file.write()
    first = realised_state(home, "s")
    assert first is not None
    assert len(first.windows) == 2
    assert first.labels.new == 2000
    assert first.newest is not None
    fed(seen, segments[20:])
    now[0] = 1.0
    file.write()
    assert realised_state(home, "s") == first  # too soon
    now[0] = 10.0
    file.write()
    later = realised_state(home, "s")
    assert later is not None
    assert len(later.windows) == 3


def test_a_file_of_another_version_is_unavailable(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.telemetry("s").mkdir(parents=True)
    (home.telemetry("s") / NAME).write_text('{"other": 1}')
    with pytest.raises(Unavailable, match="cannot be read"):
        realised_state(home, "s")
